"""What an acknowledgement of the app's does to a form: https://docs.slack.dev/surfaces/modals."""

from collections.abc import Callable

from sandbox.slack.deliveries import Delivery
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.results import ActionOutcome, ActionResult
from sandbox.slack.views import View
from sandbox.slack.webapi.views import accepted
from sandbox.slack.workspace_state import State

NO_CONNECTION = "We had some trouble connecting. Try again?"
"""What a form says when the app did not acknowledge it, or not as Slack expects."""


def after_submission(state: State, view: View, delivery: Delivery) -> ActionResult:
    """Do what the app answered to a submitted form; it stays open when the answer makes no sense."""
    if view not in state.views.stacks.get(view.user, []):
        return ActionResult(ActionOutcome.ACKNOWLEDGED, state.views.top(view.user))
    try:
        happened = _obey(state, view, delivery.response)
    except SlackError as refused:
        title = f"{delivery.title}: answer not understood"
        state.record("slack", title, refused.error, 0, delivery.response or {}, refused.as_json())
        delivery.error = delivery.error or refused.error
        view.failure, happened = NO_CONNECTION, ActionOutcome.FAILED
    state.views.changed()
    return ActionResult(happened, state.views.top(view.user), dict(view.errors), failure=view.failure)


def _obey(state: State, view: View, answer: Json | None) -> ActionOutcome:
    if answer is None:
        raise SlackError("no_answer")
    action = answer.get("response_action") if answer else "close"
    if action not in ACTIONS:
        raise SlackError("invalid_response_action")
    return ACTIONS[action](state, view, answer)


def _close(state: State, view: View, answer: Json) -> ActionOutcome:  # noqa: ARG001 - all are called alike
    state.views.pop(view)
    return ActionOutcome.CLOSED


def _errors(state: State, view: View, answer: Json) -> ActionOutcome:  # noqa: ARG001 - all are called alike
    errors = answer.get("errors")
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise SlackError("invalid_errors")
    view.errors = {block_id: str(sentence) for block_id, sentence in errors.items()}
    return ActionOutcome.ERRORS


def _update(state: State, view: View, answer: Json) -> ActionOutcome:
    state.views.update(view, accepted(state, answer.get("view"), "modal"))
    return ActionOutcome.UPDATED


def _push(state: State, view: View, answer: Json) -> ActionOutcome:
    state.views.push(view, accepted(state, answer.get("view"), "modal"))
    return ActionOutcome.PUSHED


def _clear(state: State, view: View, answer: Json) -> ActionOutcome:  # noqa: ARG001 - all are called alike
    state.views.clear(view.user)
    return ActionOutcome.CLEARED


ACTIONS: dict[str, Callable[[State, View, Json], ActionOutcome]] = {
    "close": _close,
    "errors": _errors,
    "update": _update,
    "push": _push,
    "clear": _clear,
}
