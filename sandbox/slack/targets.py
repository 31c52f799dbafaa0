"""Where a person finds buttons and inputs: the form on top, a message, or the app's Home."""

from dataclasses import dataclass, field

from sandbox.slack.conversations import Message
from sandbox.slack.elements import STATEFUL, Values, find
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.views import View
from sandbox.slack.workspace_state import State

ON_ENTER = "on_enter_pressed"
ON_CHARACTER = "on_character_entered"


@dataclass(frozen=True)
class Spot:
    """One element, where it stands."""

    place: View | Message
    block: Json
    element: Json
    values: Values = field(repr=False)

    @property
    def dispatches(self) -> bool:
        """Whether choosing here tells the app at once."""
        return self.block["type"] != "input" or bool(self.block.get("dispatch_action"))

    def tells(self, trigger: str) -> bool:
        """Whether typing here tells the app at this trigger, as `dispatch_action_config` says."""
        config = self.element.get("dispatch_action_config") or {}
        return self.dispatches and trigger in config.get("trigger_actions_on", [ON_ENTER])

    def keep(self, value: Json) -> None:
        """Remember what is in the element now."""
        block_id = self.block["block_id"]
        self.values.setdefault(block_id, {})[self.element["action_id"]] = value
        if isinstance(self.place, View):
            self.place.errors.pop(block_id, None)

    def action(self, choice: str | list[str] | None) -> Json:
        """Return the action that the app is told."""
        element = self.element
        ids = {"action_id": element["action_id"], "block_id": self.block["block_id"], "type": element["type"]}
        if element["type"] in STATEFUL:
            return {**ids, **self.values[ids["block_id"]][ids["action_id"]]}
        if element["type"] == "overflow":
            return {**ids, "selected_option": _option(element["options"], choice)}
        if element["type"] == "feedback_buttons":
            offered = [element["positive_button"], element["negative_button"]]
            return {**ids, **_option(offered, choice)}
        told: Json = {name: element[name] for name in ("text", "value", "style", "url") if name in element}
        return {**ids, **told}


def spot(state: State, user: str, action_id: str, where: Json) -> Spot:
    """Find an element; `where` has `block_id`, and `channel` and `ts` of a message, or `home`."""
    place: View | Message | None
    if where.get("ts"):
        place = state.conversations.message(where["channel"], where["ts"])
        if place.app_id != state.directory.app_id or place.visible_to not in {"", user}:
            raise SlackError("not_found", "This message is not the app's, or nobody sees it here.")
    else:
        place = state.views.homes.get(user) if where.get("home") else state.views.top(user)
    if place is None:
        raise SlackError("not_found", "Nothing is open to act in.")
    return Spot(place, *find(place.blocks, action_id, where.get("block_id", "")), place.values)


def _option(options: list[Json], choice: object) -> Json:
    for option in options:
        if option["value"] == choice:
            return option
    raise SlackError("invalid_option", f"There is no option {choice!r} to choose.")
