"""Actions on the page; each responds with a sentence if it failed."""

from collections.abc import Awaitable, Callable
from typing import TypedDict

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.page.page_renderer import Renderer
from sandbox.page.slack_pane import APP
from sandbox.slack import ActionResult, SlackError
from sandbox.x import CustomerActionError


class ElementLocation(TypedDict):
    """The surface of an element: a message, the app's Home tab, or otherwise the open modal."""

    block_id: str
    channel: str
    ts: str
    home: bool


Params = dict[str, str]
Action = Callable[[Params, FormData], Awaitable[ActionResult | None]]


class Actions:
    """Everything that the page can request with POST."""

    def __init__(self, renderer: Renderer) -> None:
        self._workspace = renderer.context.workspace
        self._x = renderer.context.x
        self._pubsub = renderer.context.pubsub
        self._restart_requested = renderer.context.restart_requested
        self._sample_data = renderer.context.sample_data
        self._digest = renderer.context.digest
        self._transports = renderer.context.transports
        self._fault_controls = renderer.fault_controls

    def routes(self) -> list[Route]:
        """Return one route per action."""
        actions: dict[str, Action] = {
            "send": self.send,
            "shortcut": self.run_shortcut,
            "select": self.select,
            "type": self.type_text,
            "enter": self.press_enter,
            "submit": self.submit,
            "close": self.close,
            "close-all": self.close_all,
            "rate": self.rate,
            "comment": self.comment,
            "dismiss": self.dismiss,
            "open-requests": self.open_requests,
            "faults": self.set_faults,
            "memberships": self.set_memberships,
            "clear-faults": self.clear_faults,
            "restart": self.restart,
            "add-sample-data": self.add_sample_data,
            "let-monday-come": self.let_monday_come,
            "transports": self.choose_transports,
            "open-app": self.open_app,
        }
        return [
            Route(f"/{name}", _create_endpoint(action), methods=["POST"]) for name, action in actions.items()
        ]

    async def send(self, params: Params, _: FormData) -> ActionResult | None:
        """Send a message or run a command."""
        person, channel, text = params["person"], params["channel"], params["text"]
        if channel == APP:
            raise SlackError("channel_not_found", "You can write to the app after its first message to you.")
        if text.startswith("/"):
            return await self._workspace.run_command(person, channel, text, thread_ts=params["thread_ts"])
        if text.strip():
            await self._workspace.post_message(person, channel, text, thread_ts=params["thread_ts"])
        return None

    async def run_shortcut(self, params: Params, _: FormData) -> ActionResult:
        """Run a message shortcut."""
        return await self._workspace.run_shortcut(
            params["person"], params["channel"], params["ts"], params["callback_id"]
        )

    async def select(self, params: Params, form: FormData) -> ActionResult:
        """Click a button, or select options."""
        values = [str(value) for value in form.getlist("value")]
        choice = values if "multiple" in form else next(iter(values), None)
        return await self._workspace.select(
            params["person"], params["action_id"], choice, **_parse_location(params)
        )

    async def type_text(self, params: Params, _: FormData) -> ActionResult:
        """Type into an input."""
        person, action_id, text = params["person"], params["action_id"], params["text"]
        return await self._workspace.type_text(person, action_id, text, **_parse_location(params))

    async def press_enter(self, params: Params, _: FormData) -> ActionResult:
        """Press Enter in an input."""
        return await self._workspace.press_enter(
            params["person"], params["action_id"], **_parse_location(params)
        )

    async def submit(self, params: Params, _: FormData) -> ActionResult:
        """Submit the open modal."""
        return await self._workspace.submit_view(params["person"])

    async def close(self, params: Params, _: FormData) -> ActionResult:
        """Close the open modal."""
        return await self._workspace.close_view(params["person"])

    async def close_all(self, params: Params, _: FormData) -> ActionResult:
        """Close the whole stack of modals."""
        return await self._workspace.close_all_views(params["person"])

    async def rate(self, params: Params, _: FormData) -> None:
        """Give a score on the phone."""
        self._x.rate(params["feedback"], int(params["score"]))

    async def comment(self, params: Params, _: FormData) -> None:
        """Write a comment on the phone."""
        self._x.comment(params["feedback"], params["text"])

    async def dismiss(self, params: Params, _: FormData) -> None:
        """Dismiss the card on the phone."""
        self._x.dismiss(params["feedback"])

    async def open_requests(self, params: Params, _: FormData) -> None:
        """Open the message requests on the phone."""
        self._x.messages.open_requests(self._x.customer(params["customer"]))

    async def set_faults(self, params: Params, _: FormData) -> None:
        """Simulate the selected problems."""
        self._fault_controls.apply(params)
        self._pubsub.publish("faults")

    async def clear_faults(self, _: Params, __: FormData) -> None:
        """Stop simulating problems."""
        self._fault_controls.clear()
        self._pubsub.publish("faults")

    async def set_memberships(self, _: Params, form: FormData) -> None:
        """Add the app to the selected channels, and remove it from the others."""
        selected = set(form.getlist("channel"))
        for channel in self._workspace.channels.values():
            if not channel.is_im:
                change = self._workspace.invite_bot if channel.id in selected else self._workspace.remove_bot
                change(channel.id)
        self._pubsub.publish("faults")

    async def restart(self, _: Params, __: FormData) -> None:
        """Request a restart of Slack, X and the app."""
        self._restart_requested.set()

    async def add_sample_data(self, _: Params, __: FormData) -> None:
        """Request sample data."""
        self._sample_data.request()

    async def let_monday_come(self, _: Params, __: FormData) -> None:
        """Request the weekly digest."""
        self._digest.request()

    async def choose_transports(self, params: Params, _: FormData) -> None:
        """Request a restart of the app with other transports."""
        self._transports.choose(params["transports"])

    async def open_app(self, params: Params, _: FormData) -> None:
        """Open the app's Home or Messages tab."""
        await self._workspace.open_home(params["person"], params["tab"])


def _parse_location(params: Params) -> ElementLocation:
    return ElementLocation(
        block_id=params["block_id"],
        channel=params.get("channel", ""),
        ts=params.get("ts", ""),
        home="home" in params,
    )


def _create_endpoint(action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form = await request.form()
        params = {**request.query_params, **{name: str(value) for name, value in form.items()}}
        return PlainTextResponse(await _run(action, params, form))

    return endpoint


async def _run(action: Action, params: Params, form: FormData) -> str:
    """Run an action, and return why it failed or an empty string."""
    try:
        result = await action(params, form)
    except SlackError as error:
        return error.message or f"Slack responded with the error {error.error}."
    except CustomerActionError as error:
        return str(error)
    return result.failure if result else ""
