"""Render the page from the fake Slack and X."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sandbox.page import chart_layout, fault_panel, phone, request_log
from sandbox.page.display_names import Author, DisplayNames
from sandbox.page.jobs import Job
from sandbox.page.mrkdwn import MrkdwnRenderer, format_time, safe_url
from sandbox.page.slack_pane import SlackPane
from sandbox.page.surface_view_model import Json, Surface
from sandbox.page.transport_switch import CHOICES, TransportSwitch
from sandbox.page.unread_messages import UnreadTracker
from sandbox.page.url_state import UrlState
from sandbox.pubsub import PubSub
from sandbox.slack import Workspace
from sandbox.traffic_log import TrafficLog
from sandbox.x import FakeX

TEMPLATES = Path(__file__).with_name("templates")
REGIONS = frozenset(
    {"top_bar", "steps", "sidebar", "channel", "thread", "modal", "phone", "requests", "faults"}
)
"""Parts of the page that are updated on their own; each has a template."""
PARTICIPANTS = {"app": "app", "slack": "Slack", "x": "X", "person": "person"}


@dataclass(frozen=True)
class PageContext:
    """Everything that the page shows and controls."""

    workspace: Workspace
    x: FakeX
    pubsub: PubSub
    traffic: TrafficLog
    manifest: Json
    restart_requested: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to ask the owner of the page to restart everything."""
    supervisors: frozenset[str] = frozenset()
    """Ids of the people who may see results."""
    sample_data: Job = field(init=False)
    """Adds three months of surveys."""
    digest: Job = field(init=False)
    """Lets the app post its weekly digest."""
    transports: TransportSwitch = field(init=False)

    def __post_init__(self) -> None:
        sample_data = Job(self.pubsub, "sample_data", "Adding three months of surveys…")
        object.__setattr__(self, "sample_data", sample_data)
        object.__setattr__(self, "digest", Job(self.pubsub, "digest", "Monday comes…"))
        object.__setattr__(self, "transports", TransportSwitch(self.pubsub))


class Renderer:
    """Render the page, or parts of it, as HTML."""

    def __init__(self, context: PageContext) -> None:
        self.context = context
        self.fault_controls = fault_panel.FaultControls(context.workspace, context.x)
        self.unread = UnreadTracker(context.workspace.channels)
        self._templates = _create_environment(context.workspace)

    def render(self, url_state: UrlState, regions: tuple[str, ...] = ()) -> str:
        """Render the whole page, or only some regions."""
        context = self.context
        return self._templates.get_template("regions.html" if regions else "page.html").render(
            regions=regions,
            url_state=url_state,
            slack=SlackPane(context.workspace, context.manifest, self.unread, url_state, context.supervisors),
            phone=phone.Phone(context.x, url_state),
            exchanges=request_log.list_exchanges(context.traffic, url_state),
            fault_controls=self.fault_controls,
            sample_data=context.sample_data,
            digest=context.digest,
            transports=context.transports,
            is_connected=context.workspace.connection_count > 0,
        )

    def render_exchange(self, number: int) -> str:
        """Render the request and response of an exchange."""
        found = [exchange for exchange in self.context.traffic.exchanges if exchange.number == number]
        return self._templates.get_template("exchange.html").render(exchange=next(iter(found), None))

    def render_options(self, field_id: str, options: list[Json]) -> str:
        """Render the options, or option groups, of an external select."""
        groups = options if options and "options" in options[0] else [{"options": options}]
        return self._templates.get_template("parts/options.html").render(
            field_id=field_id, groups=groups, selected=[]
        )


def _create_environment(workspace: Workspace) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    mrkdwn = MrkdwnRenderer(DisplayNames(workspace).mention)
    templates.filters |= {
        "mrkdwn": mrkdwn.render,
        "plain_text": mrkdwn.render_plain,
        "text_object": lambda text: _render_text_object(mrkdwn, text),
        "format_time": format_time,
        "format_body": request_log.format_body,
        "to_local": phone.to_local,
        "line_breaks": lambda text: Markup("<br>").join(text.split("\n")),
        "safe_url": safe_url,
    }
    templates.globals |= {
        "Surface": Surface,
        "author": Author.from_name,
        "build_chart": chart_layout.build_chart,
        "participants": PARTICIPANTS,
        "faults": fault_panel,
        "transport_choices": CHOICES,
        "mrkdwn": mrkdwn,
        "is_success": request_log.is_success,
    }
    return templates


def _render_text_object(mrkdwn: MrkdwnRenderer, text: Json) -> Markup:
    render = mrkdwn.render if text["type"] == "mrkdwn" else mrkdwn.render_plain
    return render(text["text"])
