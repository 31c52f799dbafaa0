"""The pretend Slack workspace: what a person does in it, what the app is told, and what everybody sees."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from starlette.applications import Starlette

from sandbox.bell import Bell
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.deliveries import Delivery
from sandbox.slack.directory import Team, User, Usergroup
from sandbox.slack.seen import Seen
from sandbox.slack.troubles import Troubles
from sandbox.slack.views import View
from sandbox.slack.webapi import Call
from sandbox.traffic import Traffic

T = TypeVar("T")


def utc_now() -> datetime:
    """Tell the time of this machine, aware and in UTC."""
    return datetime.now(UTC)


class Workspace:
    """A Slack workspace with one app installed, as its `manifest` describes it.

    Serve `app` (`sandbox.serving.serving`) and tell the app the base URL: `<base>/api/` is Slack's Web API.
    Deliveries go over Socket Mode until `deliver_over_http` names a request URL.
    People, channels and messages are named by their ids; `sandbox.slack.cast` has names for those to begin with.
    """

    app: Starlette
    bot_token: str
    app_token: str
    signing_secret: str
    team: Team
    bot: User
    users: dict[str, User]
    usergroups: dict[str, Usergroup]
    channels: dict[str, Channel]
    troubles: Troubles
    calls: list[Call]
    """Every Web API call and `response_url` post, oldest first."""
    deliveries: list[Delivery]
    """Everything that was delivered to the app, oldest first; a repeat counts again."""

    def __init__(
        self,
        manifest: dict[str, Any],
        clock: Callable[[], datetime] = utc_now,
        bell: Bell | None = None,
        traffic: Traffic | None = None,
        *,
        ack_seconds: float = 3.0,
    ) -> None:
        raise NotImplementedError

    # What a person does. Each raises `Refused` where Slack itself refuses.

    async def command(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> Seen:
        """Send a slash command: `text` is the whole line, such as `/csat @grace`; threads refuse commands."""
        raise NotImplementedError

    async def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Seen:
        """Use a message shortcut of the manifest on a message that this person sees."""
        raise NotImplementedError

    async def global_shortcut(self, user: str, callback_id: str) -> Seen:
        """Use a global shortcut of the manifest."""
        raise NotImplementedError

    async def act(
        self,
        user: str,
        action_id: str,
        choice: str | list[str] | None = None,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> Seen:
        """Press a button, or choose in a select, radio group, checkboxes, date picker or overflow menu.

        The element is in the open form; in the message `ts` of `channel`; or in the app's Home. `choice` is an
        option's value (a list for checkboxes and multi-selects), an id, a date, a time; None for a button.
        """
        raise NotImplementedError

    async def type_text(
        self,
        user: str,
        action_id: str,
        text: str,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> Seen:
        """Type into a text input, replacing what is in it."""
        raise NotImplementedError

    async def press_enter(
        self,
        user: str,
        action_id: str,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> Seen:
        """Press Enter in a text input, which tells the app where its `dispatch_action_config` asks for it."""
        raise NotImplementedError

    async def suggest(
        self, user: str, action_id: str, query: str, *, block_id: str = "", channel: str = "", ts: str = ""
    ) -> list[dict[str, Any]]:
        """Ask the app for the options (or option groups) of an external select."""
        raise NotImplementedError

    async def submit(self, user: str) -> Seen:
        """Submit the form on top; what Slack's own client checks first never reaches the app."""
        raise NotImplementedError

    async def close(self, user: str) -> Seen:
        """Cancel the form on top; the one below it comes back."""
        raise NotImplementedError

    async def close_all(self, user: str) -> Seen:
        """Close the whole stack of forms with its X."""
        raise NotImplementedError

    async def open_home(self, user: str) -> View | None:
        """Open the app's Home, and tell the app where the manifest asks for it."""
        raise NotImplementedError

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> Message:
        """Post a person's message, and tell the app where the manifest asks for it."""
        raise NotImplementedError

    async def react(self, user: str, channel: str, ts: str, reaction: str) -> None:
        """Add a reaction to a message, and tell the app where the manifest asks for it."""
        raise NotImplementedError

    async def event(self, event: dict[str, Any]) -> None:
        """Deliver any event of the Events API; `Refused` when the manifest does not subscribe to it."""
        raise NotImplementedError

    # What everybody sees.

    def view_of(self, user: str) -> View | None:
        """Return the form on top of this person's stack."""
        raise NotImplementedError

    def views_of(self, user: str) -> list[View]:
        """Return this person's stack of forms, the root first."""
        raise NotImplementedError

    def home_of(self, user: str) -> View | None:
        """Return the Home that the app published for this person."""
        raise NotImplementedError

    def messages(self, channel: str, viewer: str, *, thread_ts: str = "") -> list[Message]:
        """Return what the viewer sees: a channel's messages, or a thread's with its parent first; oldest first."""
        raise NotImplementedError

    def message(self, channel: str, ts: str) -> Message:
        """Return one message; `Refused("message_not_found")` when there is none."""
        raise NotImplementedError

    async def wait_until(self, predicate: Callable[[], T], seconds: float = 2.0) -> T:
        """Return the predicate's first true answer, asking each time the bell rings; `TimeoutError` after that."""
        raise NotImplementedError

    # How the app is reached, and what goes wrong on request.

    def deliver_over_http(self, request_url: str) -> None:
        """Send everything to this URL from now on, signed as Slack signs."""
        raise NotImplementedError

    def deliver_over_sockets(self) -> None:
        """Send everything over Socket Mode again."""
        raise NotImplementedError

    async def redeliver(self, delivery: Delivery) -> None:
        """Deliver the very same payload once more, marked as a retry."""
        raise NotImplementedError

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Say `disconnect` on every socket and close it; the app is expected to come back."""
        raise NotImplementedError

    def invite_bot(self, channel: str) -> None:
        """Make the app a member of a channel."""
        raise NotImplementedError

    def remove_bot(self, channel: str) -> None:
        """Put the app outside a channel."""
        raise NotImplementedError

    def archive(self, channel: str) -> None:
        """Archive a channel: nobody can post there any more."""
        raise NotImplementedError
