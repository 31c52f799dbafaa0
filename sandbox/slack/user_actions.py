"""The actions of a user in Slack: commands, shortcuts, forms and buttons."""

from typing import Unpack

from sandbox.slack import payloads
from sandbox.slack.action_results import ActionOutcome, ActionResult
from sandbox.slack.action_target import ON_CHARACTER, ON_ENTER, Location, Target, find_target
from sandbox.slack.app_messages import post_response
from sandbox.slack.blockkit import validate_options
from sandbox.slack.calls_and_deliveries import Delivery
from sandbox.slack.command_escaping import escape_command_text
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.errors import SlackError
from sandbox.slack.input_validation import validate_inputs
from sandbox.slack.interactive_elements import VALUE_FIELDS, selected_value
from sandbox.slack.json_types import Json
from sandbox.slack.response_actions import apply_submission_response
from sandbox.slack.transport import INTERACTIVE, SLASH_COMMANDS, Transport
from sandbox.slack.user_directory import User
from sandbox.slack.views import View
from sandbox.slack.workspace_state import WorkspaceState

INVALID_COMMAND = (
    '{command} is not a valid command. In Slack, all messages that start with the "/" character are '
    "interpreted as commands. If you are trying to send a message and not run a command, try preceding the "
    '"/" with an empty space.'
)


class UserActions:
    """A user's interactions with the app; each raises `SlackError` if Slack itself rejects it.

    Elements are searched in the user's current view; in a message with `channel` and `ts`; or in the App Home
    with `home=True`.
    """

    _state: WorkspaceState
    _transport: Transport

    async def run_command(self, user: str, channel: str, line: str, *, thread_ts: str = "") -> ActionResult:
        """Run a slash command, such as `/csat @grace`; Slack rejects commands in threads."""
        author, conversation = self._check_can_write(user, channel)
        command, _, text = line.strip().partition(" ")
        commands = self._state.manifest.commands
        # Users of other teams see the app's messages, but can't use its commands.
        if command not in commands or self._state.directory.is_external(author):
            raise SlackError("invalid_command", INVALID_COMMAND.format(command=command))
        if thread_ts:
            raise SlackError("not_supported_in_threads", f"{command} is not supported in threads. Sorry!")
        text = escape_command_text(self._state, text.strip()) if commands[command] else text.strip()
        payload = payloads.slash_command(self._state, author, conversation, command, text)
        delivery = await self._transport.deliver(SLASH_COMMANDS, payload)
        if not delivery.response:
            return self._result(user, delivery, command)
        try:
            message = post_response(self._state, channel, user, delivery.response)
        except SlackError as error:
            delivery.error = error.error
            return self._result(user, delivery, command)
        return ActionResult(ActionOutcome.REPLIED, self._state.views.current(user), message=message)

    async def run_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> ActionResult:
        """Run a message shortcut of the manifest."""
        author, _ = self._check_can_write(user, channel)
        message = self._state.conversations.get_message(channel, ts)
        self._check_shortcut(author, "message", callback_id)
        if message.visible_to:
            raise SlackError("message_not_found", "Ephemeral messages have no shortcuts.")
        payload = payloads.message_shortcut(self._state, author, message, callback_id)
        return self._result(user, await self._transport.deliver(INTERACTIVE, payload), callback_id)

    async def run_global_shortcut(self, user: str, callback_id: str) -> ActionResult:
        """Run a global shortcut of the manifest."""
        author = self._state.directory.get_user(user)
        self._check_shortcut(author, "global", callback_id)
        payload = payloads.global_shortcut(self._state, author, callback_id)
        return self._result(user, await self._transport.deliver(INTERACTIVE, payload), callback_id)

    async def click(self, user: str, action_id: str, **location: Unpack[Location]) -> ActionResult:
        """Click a button."""
        return await self.select(user, action_id, None, **location)

    async def select(
        self, user: str, action_id: str, choice: str | list[str] | None, **location: Unpack[Location]
    ) -> ActionResult:
        """Select in a menu, radio buttons, checkboxes, a picker, feedback buttons or an overflow menu.

        Args:
            user: The id of the user.
            action_id: The id of the element.
            choice: The value of an option, an id, a date or a time; a list for checkboxes and multi-selects;
                None to clear the selection, or to click a button.
            location: Where the element is.
        """
        target = find_target(self._state, user, action_id, location)
        if target.element["type"] in VALUE_FIELDS:
            loaded_options = self._state.loaded_options.get(action_id, [])
            target.set_value(selected_value(target.element, choice, loaded_options))
            self._publish_change(target)
        return await self._dispatch(user, target, choice, dispatches=target.dispatches_actions)

    async def type_text(
        self, user: str, action_id: str, text: str, **location: Unpack[Location]
    ) -> ActionResult:
        """Replace the text of a text input."""
        target = find_target(self._state, user, action_id, location)
        target.set_value({"type": target.element["type"], "value": text or None})
        self._publish_change(target)
        return await self._dispatch(user, target, None, dispatches=target.dispatches_on(ON_CHARACTER))

    async def press_enter(self, user: str, action_id: str, **location: Unpack[Location]) -> ActionResult:
        """Press Enter in a text input: one of a single line submits its modal unless it dispatches this."""
        target = find_target(self._state, user, action_id, location)
        dispatches = target.dispatches_on(ON_ENTER)
        if target.submits_on_enter and not dispatches:
            return await self.submit_view(user)
        return await self._dispatch(user, target, None, dispatches=dispatches)

    async def load_options(
        self, user: str, action_id: str, query: str, **location: Unpack[Location]
    ) -> list[Json]:
        """Return the options (or option groups) that the app offers in an external select."""
        author = self._state.directory.get_user(user)
        target = find_target(self._state, user, action_id, location)
        if len(query) < target.element.get("min_query_length", 3):
            return []
        block_id = target.block["block_id"]
        payload = payloads.block_suggestion(self._state, author, target.container, block_id, action_id, query)
        delivery = await self._transport.deliver(INTERACTIVE, payload)
        if problems := validate_options(delivery.response):
            raise SlackError(delivery.error or "invalid_options", "; ".join(problems))
        response: Json = delivery.response or {}
        loaded = response.get("options") or response.get("option_groups") or []
        options = [option for group in loaded for option in group.get("options", [group])]
        self._state.loaded_options[action_id] = options
        return list(loaded)

    async def submit_view(self, user: str) -> ActionResult:
        """Submit the current view; inputs that Slack's client finds invalid are not sent to the app."""
        view = self._current_view(user)
        if not view.content["submit"]:
            raise SlackError("not_found", "This form has no submit button.")
        view.errors, view.failure = validate_inputs(view), ""
        self._state.views.publish_change()
        if view.errors:
            return ActionResult(ActionOutcome.ERRORS, view, dict(view.errors))
        delivery = await self._transport.deliver(INTERACTIVE, payloads.view_submission(self._state, view))
        return apply_submission_response(self._state, view, delivery)

    async def close_view(self, user: str) -> ActionResult:
        """Close the current view with its close button; the view below it becomes the current one."""
        view = self._current_view(user)
        if view.content["clear_on_close"]:
            return await self.close_all_views(user)
        return await self._close(user, [view], is_cleared=False)

    async def close_all_views(self, user: str) -> ActionResult:
        """Close the whole stack of views with the X of the current one."""
        self._current_view(user)
        return await self._close(user, list(self._state.views.stacks[user]), is_cleared=True)

    async def _close(self, user: str, views: list[View], *, is_cleared: bool) -> ActionResult:
        closed = [
            payloads.view_closed(self._state, view, is_cleared=is_cleared)
            for view in reversed(views)
            if view.content["notify_on_close"]
        ]
        self._state.views.close(views[0])
        for payload in closed:
            await self._transport.deliver(INTERACTIVE, payload)
        outcome = ActionOutcome.CLEARED if is_cleared else ActionOutcome.CLOSED
        return ActionResult(outcome, self._state.views.current(user))

    def _check_can_write(self, user_id: str, channel_id: str) -> tuple[User, Channel]:
        user = self._state.directory.get_user(user_id)
        channel = self._state.conversations.get_channel(channel_id)
        if user_id not in channel.members:
            is_hidden = channel.is_private or channel.is_im
            raise SlackError("channel_not_found" if is_hidden else "not_in_channel")
        if channel.is_archived:
            raise SlackError("is_archived")
        return user, channel

    def _check_shortcut(self, user: User, type_: str, callback_id: str) -> None:
        is_external = self._state.directory.is_external(user)
        if (type_, callback_id) not in self._state.manifest.shortcuts or is_external:
            raise SlackError("invalid_shortcut", f"There is no {type_} shortcut {callback_id}.")

    def _current_view(self, user: str) -> View:
        view = self._state.views.current(user)
        if view is None:
            raise SlackError("not_found", "No form is open.")
        return view

    def _publish_change(self, target: Target) -> None:
        is_view = isinstance(target.container, View)
        (self._state.views if is_view else self._state.conversations).publish_change()

    async def _dispatch(
        self, user_id: str, target: Target, choice: str | list[str] | None, *, dispatches: bool
    ) -> ActionResult:
        """Deliver `block_actions`, if the element dispatches actions."""
        if not dispatches:
            return ActionResult(ActionOutcome.NOT_SENT, self._state.views.current(user_id))
        user, action = self._state.directory.get_user(user_id), target.build_action(choice)
        if isinstance(target.container, Message):
            payload = payloads.message_action(self._state, user, target.container, action)
        else:
            payload = payloads.view_action(self._state, target.container, action)
        delivery = await self._transport.deliver(INTERACTIVE, payload)
        return self._result(user_id, delivery, self._state.manifest.name)

    def _result(self, user: str, delivery: Delivery, name: str) -> ActionResult:
        view = self._state.views.current(user)
        if delivery.error:
            failure = f'{name} failed with the error "{delivery.error}"'
            return ActionResult(ActionOutcome.FAILED, view, failure=failure)
        return ActionResult(ActionOutcome.ACKNOWLEDGED, view)
