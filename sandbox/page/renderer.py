"""The two pretend services and what the page itself remembers: all that the page shows and does."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sandbox.page import charts, faults, phone, request_log
from sandbox.page.display_names import Author, DisplayNames
from sandbox.page.message_rows import moment
from sandbox.page.mrkdwn import Mrkdwn, clock, web
from sandbox.page.sample_data import SampleDataJob
from sandbox.page.slack_pane import SlackPane
from sandbox.page.surface import Json, Surface
from sandbox.page.unread import UnreadTracker
from sandbox.page.url_state import UrlState
from sandbox.pubsub import PubSub
from sandbox.slack import Workspace
from sandbox.traffic import TrafficLog
from sandbox.x import FakeX

TEMPLATES = Path(__file__).with_name("templates")
REGIONS = frozenset({"strip", "sidebar", "channel", "thread", "form", "phone", "traffic", "trouble"})
"""The parts of the page that change on their own, each a template."""
PARTIES = {"app": "app", "slack": "Slack", "x": "X", "person": "person"}


@dataclass(frozen=True)
class PageContext:
    """Where everything on the page comes from."""

    workspace: Workspace
    x: FakeX
    pubsub: PubSub
    traffic: TrafficLog
    manifest: Json
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when somebody wants everything to begin anew, which is for whoever runs it to do."""
    supervisors: frozenset[str] = frozenset()
    """Who may see results, by user id."""
    filling: SampleDataJob = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "filling", SampleDataJob(self.pubsub))


class Renderer:
    """Draws the page, whole or in part."""

    def __init__(self, sources: PageContext) -> None:
        self.sources = sources
        self.troubles = faults.FaultControls(sources.workspace, sources.x)
        self.reading = UnreadTracker(sources.workspace.channels)
        self._templates = _environment(sources.workspace)

    def draw(self, look: UrlState, regions: tuple[str, ...] = ()) -> str:
        """Draw the page as somebody sees it, or only some regions of it."""
        sources = self.sources
        side = SlackPane(sources.workspace, sources.manifest, self.reading, look, sources.supervisors)
        return self._templates.get_template("regions.html" if regions else "page.html").render(
            regions=regions,
            look=look,
            slack=side,
            phone=phone.Phone(self.sources.x, look),
            traffic=request_log.listed(self.sources.traffic, look),
            troubles=self.troubles,
            filling=sources.filling,
            connected=self.sources.workspace.connection_count > 0,
        )

    def draw_exchange(self, number: int) -> str:
        """Draw what one request said and was answered."""
        found = [exchange for exchange in self.sources.traffic.exchanges if exchange.number == number]
        return self._templates.get_template("exchange.html").render(exchange=next(iter(found), None))

    def draw_options(self, field: str, offered: list[Json]) -> str:
        """Draw the options, or groups of options, that the app suggests for an external select."""
        groups = offered if offered and "options" in offered[0] else [{"options": offered}]
        options = self._templates.get_template("parts/options.html")
        return options.render(field=field, groups=groups, picked=[])


def _environment(workspace: Workspace) -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    mrkdwn = Mrkdwn(DisplayNames(workspace))
    templates.filters |= {
        "mrkdwn": mrkdwn,
        "plain": mrkdwn.plain,
        "text": lambda text: _text(mrkdwn, text),
        "clock": clock,
        "moment": moment,
        "local": phone.local,
        "pretty": request_log.pretty,
        "lines": lambda text: Markup("<br>").join(text.split("\n")),
        "web": web,
    }
    templates.globals |= {
        "Surface": Surface,
        "called": Author.called,
        "drawn": charts.drawn,
        "told": charts.told,
        "names": PARTIES,
        "families": faults.families(),
        "mrkdwn": mrkdwn,
        "trouble": faults,
        "went_well": request_log.went_well,
    }
    return templates


def _text(mrkdwn: Mrkdwn, text: Json) -> Markup:
    """Draw one of Slack's text objects."""
    draw = mrkdwn if text["type"] == "mrkdwn" else mrkdwn.plain
    return draw(text["text"])
