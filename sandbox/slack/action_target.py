"""Find the element that a user acts on: in the current view, a message or the App Home."""

from dataclasses import dataclass, field
from typing import TypedDict

from sandbox.slack.conversations import Message
from sandbox.slack.errors import SlackError
from sandbox.slack.interactive_elements import VALUE_FIELDS, find_element, find_option
from sandbox.slack.json_types import Json, StateValues
from sandbox.slack.views import View
from sandbox.slack.workspace_state import WorkspaceState

ON_ENTER = "on_enter_pressed"
ON_CHARACTER = "on_character_entered"


class Location(TypedDict, total=False):
    """Where an element is; without `ts` and `home`, in the user's current view."""

    block_id: str
    """The block, if more than one has an element with this `action_id`."""
    channel: str
    ts: str
    """The message, together with `channel`."""
    home: bool
    """True for the App Home."""


@dataclass(frozen=True)
class Target:
    """An element in its container."""

    container: View | Message
    block: Json
    element: Json
    values: StateValues = field(repr=False)

    @property
    def dispatches_actions(self) -> bool:
        """True if the app receives `block_actions`: inputs need `dispatch_action` for that."""
        return self.block["type"] != "input" or bool(self.block.get("dispatch_action"))

    @property
    def submits_on_enter(self) -> bool:
        """True if it is an input of a single line in a modal that can be submitted."""
        is_modal = isinstance(self.container, View) and bool(self.container.content.get("submit"))
        return is_modal and not self.element.get("multiline")

    def dispatches_on(self, trigger: str) -> bool:
        """Return True if the app receives `block_actions` on this trigger of `dispatch_action_config`."""
        config = self.element.get("dispatch_action_config") or {}
        return self.dispatches_actions and trigger in config.get("trigger_actions_on", [ON_ENTER])

    def set_value(self, value: Json) -> None:
        """Set the element's value, and remove the error message below its block."""
        block_id = self.block["block_id"]
        self.values.setdefault(block_id, {})[self.element["action_id"]] = value
        if isinstance(self.container, View):
            self.container.errors.pop(block_id, None)

    def build_action(self, choice: str | list[str] | None) -> Json:
        """Return the action for the payload of `block_actions`."""
        element = self.element
        ids = {"action_id": element["action_id"], "block_id": self.block["block_id"], "type": element["type"]}
        if element["type"] in VALUE_FIELDS:
            return {**ids, **self.values[ids["block_id"]][ids["action_id"]]}
        if element["type"] == "overflow":
            return {**ids, "selected_option": find_option(element["options"], choice)}
        if element["type"] == "feedback_buttons":
            return {**ids, **find_option([element["positive_button"], element["negative_button"]], choice)}
        fields: Json = {name: element[name] for name in ("text", "value", "style", "url") if name in element}
        return {**ids, **fields}


def find_target(state: WorkspaceState, user: str, action_id: str, location: Location) -> Target:
    """Return the element with this `action_id`; raises `SlackError("not_found")`."""
    container = _find_container(state, user, location)
    block, element = find_element(container.blocks, action_id, location.get("block_id", ""))
    return Target(container, block, element, container.values)


def _find_container(state: WorkspaceState, user: str, location: Location) -> View | Message:
    if ts := location.get("ts"):
        message = state.conversations.get_message(location.get("channel", ""), ts)
        if message.app_id != state.directory.app_id or message.visible_to not in {"", user}:
            raise SlackError("not_found", "The app has no such message that this user sees.")
        return message
    view = state.views.homes.get(user) if location.get("home") else state.views.current(user)
    if view is None:
        raise SlackError("not_found", "No form is open.")
    return view
