"""The person's half of the facade: everything that people do in Slack."""

from sandbox.slack.actions import Doings
from sandbox.slack.conversations import Message
from sandbox.slack.errors import Json
from sandbox.slack.events import Happenings
from sandbox.slack.results import ActionResult
from sandbox.slack.views import View


class Visits:
    """What a person does; each raises `SlackError` where Slack itself refuses.

    An element is in the open form; in the message `ts` of `channel`; or, with `home`, in the app's Home.
    """

    def __init__(self, doings: Doings, happenings: Happenings) -> None:
        self._doings = doings
        self._happenings = happenings

    async def run_command(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> ActionResult:
        """Send a slash command: `text` is the whole line, such as `/csat @grace`; threads refuse commands."""
        return await self._doings.command(user, channel, text, thread_ts)

    async def run_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> ActionResult:
        """Use a message shortcut of the manifest on a message that this person sees."""
        return await self._doings.message_shortcut(user, channel, ts, callback_id)

    async def run_global_shortcut(self, user: str, callback_id: str) -> ActionResult:
        """Use a global shortcut of the manifest."""
        return await self._doings.global_shortcut(user, callback_id)

    async def click(
        self,
        user: str,
        action_id: str,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> ActionResult:
        """Click a button."""
        return await self._doings.act(user, action_id, None, _where(block_id, channel, ts, home=home))

    async def select(
        self,
        user: str,
        action_id: str,
        choice: str | list[str] | None,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> ActionResult:
        """Select in a menu, radio buttons, checkboxes, a date picker, feedback buttons or an overflow menu.

        `choice` is an option's value (a list for checkboxes and multi-selects), an id, a date or a time; None
        clears the selection.
        """
        return await self._doings.act(user, action_id, choice, _where(block_id, channel, ts, home=home))

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
    ) -> ActionResult:
        """Type into a text input, replacing what is in it."""
        return await self._doings.type_text(user, action_id, text, _where(block_id, channel, ts, home=home))

    async def press_enter(
        self,
        user: str,
        action_id: str,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> ActionResult:
        """Press Enter in a text input, which tells the app where its `dispatch_action_config` asks for it."""
        return await self._doings.press_enter(user, action_id, _where(block_id, channel, ts, home=home))

    async def load_options(
        self,
        user: str,
        action_id: str,
        query: str,
        *,
        block_id: str = "",
        channel: str = "",
        ts: str = "",
        home: bool = False,
    ) -> list[Json]:
        """Ask the app for the options (or option groups) of an external select."""
        return await self._doings.suggest(user, action_id, query, _where(block_id, channel, ts, home=home))

    async def submit_view(self, user: str) -> ActionResult:
        """Submit the form on top; what Slack's own client checks first never reaches the app."""
        return await self._doings.submit(user)

    async def close_view(self, user: str) -> ActionResult:
        """Cancel the form on top; the one below it comes back."""
        return await self._doings.close(user, everything=False)

    async def close_all_views(self, user: str) -> ActionResult:
        """Close the whole stack of forms with its X."""
        return await self._doings.close(user, everything=True)

    async def open_home(self, user: str, tab: str = "home") -> View | None:
        """Open a tab of the app's, `home` or `messages`, and tell the app where the manifest asks for it.

        Where the manifest has no such tab, and for people of other teams, nothing happens.
        """
        return await self._happenings.open_home(user, tab)

    async def set_usergroup_members(self, usergroup: str, users: list[str]) -> None:
        """Give a user group other members, and tell the app where the manifest asks for it."""
        await self._happenings.regroup(usergroup, users)

    async def post_message(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> Message:
        """Post a person's message, and tell the app where the manifest asks for it."""
        return await self._happenings.say(user, channel, text, thread_ts)

    async def add_reaction(self, user: str, channel: str, ts: str, reaction: str) -> None:
        """Add a reaction to a message, and tell the app where the manifest asks for it."""
        await self._happenings.react(user, channel, ts, reaction)

    async def send_event(self, event: Json) -> None:
        """Deliver any event of the Events API; `SlackError` when the manifest does not subscribe to it."""
        await self._happenings.event(event)


def _where(block_id: str, channel: str, ts: str, *, home: bool) -> Json:
    return {"block_id": block_id, "channel": channel, "ts": ts, "home": home}
