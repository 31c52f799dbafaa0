"""What a person does in Slack, and what becomes of it."""

from sandbox.slack import payloads
from sandbox.slack.blockkit import validate_options
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.deliveries import Delivery
from sandbox.slack.directory import User
from sandbox.slack.elements import STATEFUL, chosen
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.escaping import escaped
from sandbox.slack.input_validation import complaints
from sandbox.slack.responding import answer
from sandbox.slack.response_actions import after_submission
from sandbox.slack.results import ActionOutcome, ActionResult
from sandbox.slack.targets import ON_CHARACTER, ON_ENTER, Spot, spot
from sandbox.slack.transport import Courier
from sandbox.slack.views import View
from sandbox.slack.workspace_state import State

NOT_A_COMMAND = (
    '{name} is not a valid command. In Slack, all messages that start with the "/" character are interpreted '
    'as commands. If you are trying to send a message and not run a command, try preceding the "/" with an '
    "empty space."
)
COMMANDS = "slash_commands"
INTERACTIVE = "interactive"


class Doings:
    """Does what a person does; `SlackError` where Slack refuses before the app hears of it."""

    def __init__(self, state: State, courier: Courier) -> None:
        self._state = state
        self._courier = courier
        self._suggested: dict[str, list[Json]] = {}

    async def command(self, user_id: str, channel_id: str, line: str, thread_ts: str) -> ActionResult:
        """Send a slash command."""
        user, channel = self._writer(user_id, channel_id)
        name, _, text = line.strip().partition(" ")
        escapes = self._state.manifest.escapes
        # Another team's people see the messages of an app that is not installed with them, not its commands.
        if name not in escapes or user.is_stranger:
            raise SlackError("invalid_command", NOT_A_COMMAND.format(name=name))
        if thread_ts:
            raise SlackError("not_supported_in_threads", f"{name} is not supported in threads. Sorry!")
        told = escaped(self._state, text.strip()) if escapes[name] else text.strip()
        payload = payloads.command(self._state, user, channel, name, told)
        delivery = await self._courier.deliver(COMMANDS, payload)
        if delivery.response:
            return self._answered(user, channel, name, delivery)
        return self._seen(user_id, delivery, name)

    async def message_shortcut(
        self, user_id: str, channel_id: str, ts: str, callback_id: str
    ) -> ActionResult:
        """Use a shortcut on a message."""
        user, _ = self._writer(user_id, channel_id)
        message = self._state.conversations.message(channel_id, ts)
        self._demand_shortcut(user, "message", callback_id)
        if message.visible_to:
            raise SlackError("message_not_found", "Ephemeral messages have no shortcuts.")
        payload = payloads.message_action(self._state, user, message, callback_id)
        return self._seen(user_id, await self._courier.deliver(INTERACTIVE, payload), callback_id)

    async def global_shortcut(self, user_id: str, callback_id: str) -> ActionResult:
        """Use a shortcut that belongs to no message."""
        user = self._state.directory.user(user_id)
        self._demand_shortcut(user, "global", callback_id)
        payload = payloads.global_shortcut(self._state, user, callback_id)
        return self._seen(user_id, await self._courier.deliver(INTERACTIVE, payload), callback_id)

    async def act(
        self, user: str, action_id: str, choice: str | list[str] | None, where: Json
    ) -> ActionResult:
        """Press or choose."""
        found = spot(self._state, user, action_id, where)
        if found.element["type"] in STATEFUL:
            found.keep(chosen(found.element, choice, self._suggested.get(action_id, [])))
            self._ring(found)
        return await self._tell(user, found, choice, told=found.dispatches)

    async def type_text(self, user: str, action_id: str, text: str, where: Json) -> ActionResult:
        """Type into an input."""
        found = spot(self._state, user, action_id, where)
        found.keep({"type": found.element["type"], "value": text or None})
        self._ring(found)
        return await self._tell(user, found, None, told=found.tells(ON_CHARACTER))

    async def press_enter(self, user: str, action_id: str, where: Json) -> ActionResult:
        """Press Enter in an input."""
        found = spot(self._state, user, action_id, where)
        return await self._tell(user, found, None, told=found.tells(ON_ENTER))

    async def suggest(self, user_id: str, action_id: str, query: str, where: Json) -> list[Json]:
        """Ask the app for options."""
        user, found = self._state.directory.user(user_id), spot(self._state, user_id, action_id, where)
        if len(query) < found.element.get("min_query_length", 3):
            return []
        payload = payloads.suggestion(
            self._state, user, found.place, found.block["block_id"], action_id, query
        )
        delivery = await self._courier.deliver(INTERACTIVE, payload)
        if problems := validate_options(delivery.response):
            raise SlackError(delivery.error or "invalid_options", "; ".join(problems))
        offered: Json = delivery.response or {}
        options = offered.get("options") or offered.get("option_groups") or []
        self._suggested[action_id] = [option for group in options for option in group.get("options", [group])]
        return list(options)

    async def submit(self, user: str) -> ActionResult:
        """Submit the form on top."""
        view = self._top(user)
        if not view.content["submit"]:
            raise SlackError("not_found", "This form has nothing to submit.")
        view.errors, view.failure = complaints(view), ""
        self._state.views.changed()
        if view.errors:
            return ActionResult(ActionOutcome.ERRORS, view, dict(view.errors))
        delivery = await self._courier.deliver(INTERACTIVE, payloads.view_submission(self._state, view))
        return after_submission(self._state, view, delivery)

    async def close(self, user: str, *, everything: bool) -> ActionResult:
        """Cancel the form on top, or all of them."""
        top = self._top(user)
        is_cleared = everything or top.content["clear_on_close"]
        closed = list(self._state.views.stacks[user]) if is_cleared else [top]
        told = [
            payloads.view_closed(self._state, view, is_cleared=is_cleared)
            for view in reversed(closed)
            if view.content["notify_on_close"]
        ]
        self._state.views.pop(closed[0])
        for payload in told:
            await self._courier.deliver(INTERACTIVE, payload)
        happened = ActionOutcome.CLEARED if is_cleared else ActionOutcome.CLOSED
        return ActionResult(happened, self._state.views.top(user))

    def _writer(self, user_id: str, channel_id: str) -> tuple[User, Channel]:
        user = self._state.directory.user(user_id)
        channel = self._state.conversations.channel(channel_id)
        if user_id not in channel.members:
            hidden = channel.is_private or channel.is_im
            raise SlackError("channel_not_found" if hidden else "not_in_channel")
        if channel.is_archived:
            raise SlackError("is_archived")
        return user, channel

    def _demand_shortcut(self, user: User, kind: str, callback_id: str) -> None:
        if (kind, callback_id) not in self._state.manifest.shortcuts or user.is_stranger:
            raise SlackError("invalid_shortcut", f"There is no {kind} shortcut {callback_id}.")

    def _top(self, user: str) -> View:
        view = self._state.views.top(user)
        if view is None:
            raise SlackError("not_found", "No form is open.")
        return view

    def _ring(self, found: Spot) -> None:
        changed = self._state.views if isinstance(found.place, View) else self._state.conversations
        changed.changed()

    async def _tell(
        self, user_id: str, found: Spot, choice: str | list[str] | None, *, told: bool
    ) -> ActionResult:
        if not told:
            return ActionResult(ActionOutcome.NOT_SENT, self._state.views.top(user_id))
        user, action = self._state.directory.user(user_id), found.action(choice)
        if isinstance(found.place, Message):
            payload = payloads.message_actions(self._state, user, found.place, action)
        else:
            payload = payloads.view_actions(self._state, found.place, action)
        delivery = await self._courier.deliver(INTERACTIVE, payload)
        return self._seen(user_id, delivery, self._state.manifest.name)

    def _answered(self, user: User, channel: Channel, name: str, delivery: Delivery) -> ActionResult:
        try:
            message = answer(self._state, channel.id, user.id, delivery.response or {})
        except SlackError as refused:
            delivery.error = refused.error
            return self._seen(user.id, delivery, name)
        return ActionResult(ActionOutcome.REPLIED, self._state.views.top(user.id), message=message)

    def _seen(self, user: str, delivery: Delivery, name: str) -> ActionResult:
        top, failure = self._state.views.top(user), delivery.error
        if failure:
            return ActionResult(
                ActionOutcome.FAILED, top, failure=f'{name} failed with the error "{failure}"'
            )
        return ActionResult(ActionOutcome.ACKNOWLEDGED, top)
