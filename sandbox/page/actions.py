"""What people do on the page; each doing answers with a sentence where something failed."""

from collections.abc import Awaitable, Callable
from typing import TypedDict

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.page.renderer import Renderer
from sandbox.page.slack_pane import APP
from sandbox.slack import ActionResult, SlackError
from sandbox.x import CustomerActionError


class Where(TypedDict):
    """On which surface an element stands: in a message, in the app's Home, or else in the form on top."""

    block_id: str
    channel: str
    ts: str
    home: bool


Given = dict[str, str]
Doing = Callable[[Given, FormData], Awaitable[ActionResult | None]]


class Actions:
    """Everything that the page's forms can do."""

    def __init__(self, stage: Renderer) -> None:
        self._workspace = stage.sources.workspace
        self._x = stage.sources.x
        self._pubsub = stage.sources.pubsub
        self._over = stage.sources.over
        self._filling = stage.sources.filling
        self._troubles = stage.troubles

    def routes(self) -> list[Route]:
        """Return the routes of all doings; the last word of each address is its name."""
        doings: dict[str, Doing] = {
            "say": self.say,
            "shortcut": self.shortcut,
            "act": self.act,
            "type": self.type_text,
            "enter": self.press_enter,
            "submit": self.submit,
            "close": self.close,
            "close-all": self.close_all,
            "rate": self.rate,
            "comment": self.comment,
            "dismiss": self.dismiss,
            "trouble": self.trouble,
            "members": self.members,
            "calm": self.calm,
            "start-over": self.start_over,
            "fill": self.fill,
            "arrive": self.arrive,
        }
        return [Route(f"/{name}", _endpoint(doing), methods=["POST"]) for name, doing in doings.items()]

    async def say(self, given: Given, _: FormData) -> ActionResult | None:
        """Send what stands in a composer: a command or a message."""
        person, channel, text = given["person"], given["channel"], given["text"]
        if channel == APP:
            raise SlackError("channel_not_found", "The app has not written to you yet.")
        if text.startswith("/"):
            return await self._workspace.run_command(person, channel, text, thread_ts=given["thread_ts"])
        if text.strip():
            await self._workspace.post_message(person, channel, text, thread_ts=given["thread_ts"])
        return None

    async def shortcut(self, given: Given, _: FormData) -> ActionResult:
        """Use a message shortcut."""
        return await self._workspace.run_shortcut(
            given["person"], given["channel"], given["ts"], given["callback_id"]
        )

    async def act(self, given: Given, form: FormData) -> ActionResult:
        """Press a button or choose something."""
        choices = [str(choice) for choice in form.getlist("choice")]
        choice = choices if "many" in form else next(iter(choices), None)
        return await self._workspace.select(given["person"], given["action_id"], choice, **_where(given))

    async def type_text(self, given: Given, _: FormData) -> ActionResult:
        """Type into an input."""
        person, action_id, text = given["person"], given["action_id"], given["text"]
        return await self._workspace.type_text(person, action_id, text, **_where(given))

    async def press_enter(self, given: Given, _: FormData) -> ActionResult:
        """Press Enter in an input."""
        return await self._workspace.press_enter(given["person"], given["action_id"], **_where(given))

    async def submit(self, given: Given, _: FormData) -> ActionResult:
        """Submit the form on top."""
        return await self._workspace.submit_view(given["person"])

    async def close(self, given: Given, _: FormData) -> ActionResult:
        """Cancel the form on top."""
        return await self._workspace.close_view(given["person"])

    async def close_all(self, given: Given, _: FormData) -> ActionResult:
        """Close the whole stack of forms."""
        return await self._workspace.close_all_views(given["person"])

    async def rate(self, given: Given, _: FormData) -> None:
        """Choose a score on the phone."""
        self._x.rate(given["feedback"], int(given["score"]))

    async def comment(self, given: Given, _: FormData) -> None:
        """Write a comment on the phone."""
        self._x.comment(given["feedback"], given["text"])

    async def dismiss(self, given: Given, _: FormData) -> None:
        """Put the card on the phone away."""
        self._x.dismiss(given["feedback"])

    async def trouble(self, given: Given, _: FormData) -> None:
        """Make the trouble that is asked for."""
        self._troubles.apply(given)
        self._pubsub.publish("trouble")

    async def members(self, _: Given, form: FormData) -> None:
        """Put the app into the chosen channels, and outside the others."""
        chosen = set(form.getlist("channel"))
        for channel in self._workspace.channels.values():
            if not channel.is_im:
                change = self._workspace.invite_bot if channel.id in chosen else self._workspace.remove_bot
                change(channel.id)
        self._pubsub.publish("trouble")

    async def calm(self, _: Given, __: FormData) -> None:
        """Let everything go well again."""
        self._troubles.clear()
        self._pubsub.publish("trouble")

    async def start_over(self, _: Given, __: FormData) -> None:
        """Ask for a new beginning: of Slack, of X, and of the app's ledger."""
        self._over.set()

    async def arrive(self, given: Given, _: FormData) -> None:
        """Come to the app's Home, or to the messages beside it."""
        await self._workspace.open_home(given["person"], given["tab"])

    async def fill(self, _: Given, __: FormData) -> None:
        """Ask for three months of surveys."""
        self._filling.ask()


def _where(given: Given) -> Where:
    return Where(
        block_id=given["block_id"],
        channel=given.get("channel", ""),
        ts=given.get("ts", ""),
        home="home" in given,
    )


def _endpoint(doing: Doing) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        form = await request.form()
        given = {**request.query_params, **{name: str(value) for name, value in form.items()}}
        return PlainTextResponse(await _sentence(doing, given, form))

    return endpoint


async def _sentence(doing: Doing, given: Given, form: FormData) -> str:
    """Do it, and say what went wrong."""
    try:
        seen = await doing(given, form)
    except SlackError as refused:
        return refused.message or f"Slack refuses: {refused.error}"
    except CustomerActionError as problem:
        return str(problem)
    return seen.failure if seen else ""
