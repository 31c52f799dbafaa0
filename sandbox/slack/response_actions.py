"""Apply the app's response to a `view_submission`: https://docs.slack.dev/surfaces/modals."""

from collections.abc import Callable

from sandbox.slack.action_results import ActionOutcome, ActionResult
from sandbox.slack.calls_and_deliveries import Delivery
from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json
from sandbox.slack.views import View
from sandbox.slack.webapi.views import parse_view
from sandbox.slack.workspace_state import WorkspaceState

CONNECTION_ERROR = "We had some trouble connecting. Try again?"
"""The error message in a view if the app did not acknowledge, or its response was invalid."""


def apply_submission_response(state: WorkspaceState, view: View, delivery: Delivery) -> ActionResult:
    """Apply the response to a submission; the view stays open if the response is missing or invalid."""
    if view not in state.views.stacks.get(view.user, []):
        outcome = ActionOutcome.FAILED if delivery.response is None else ActionOutcome.ACKNOWLEDGED
        return ActionResult(outcome, state.views.current(view.user), failure=delivery.error)
    try:
        outcome = _apply(state, view, delivery.response)
    except SlackError as error:
        title, response = f"{delivery.title}: invalid response", delivery.response or {}
        state.record_exchange("slack", title, error.error, 0, response, error.as_json())
        delivery.error = delivery.error or error.error
        view.failure, outcome = CONNECTION_ERROR, ActionOutcome.FAILED
    state.views.publish_change()
    current = state.views.current(view.user)
    return ActionResult(outcome, current, dict(view.errors), failure=view.failure)


def _apply(state: WorkspaceState, view: View, response: Json | None) -> ActionOutcome:
    if response is None:
        raise SlackError("no_answer")
    response_action = response.get("response_action") if response else "close"
    if response_action not in RESPONSE_ACTIONS:
        raise SlackError("invalid_response_action")
    return RESPONSE_ACTIONS[response_action](state, view, response)


def _close(state: WorkspaceState, view: View, response: Json) -> ActionOutcome:  # noqa: ARG001 - same signature
    state.views.close(view)
    return ActionOutcome.CLOSED


def _errors(state: WorkspaceState, view: View, response: Json) -> ActionOutcome:  # noqa: ARG001 - same signature
    errors = response.get("errors")
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise SlackError("invalid_errors")
    view.errors = {block_id: str(message) for block_id, message in errors.items()}
    return ActionOutcome.ERRORS


def _update(state: WorkspaceState, view: View, response: Json) -> ActionOutcome:
    state.views.update(view, parse_view(state, response.get("view"), "modal"))
    return ActionOutcome.UPDATED


def _push(state: WorkspaceState, view: View, response: Json) -> ActionOutcome:
    state.views.push(view, parse_view(state, response.get("view"), "modal"))
    return ActionOutcome.PUSHED


def _clear(state: WorkspaceState, view: View, response: Json) -> ActionOutcome:  # noqa: ARG001 - same signature
    state.views.close_all(view.user)
    return ActionOutcome.CLEARED


RESPONSE_ACTIONS: dict[str, Callable[[WorkspaceState, View, Json], ActionOutcome]] = {
    "close": _close,
    "errors": _errors,
    "update": _update,
    "push": _push,
    "clear": _clear,
}
