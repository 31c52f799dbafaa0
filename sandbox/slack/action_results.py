"""The results of a user's actions."""

from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.slack.conversations import Message
from sandbox.slack.views import View


class ActionOutcome(StrEnum):
    """The effect of the app's acknowledgement."""

    ACKNOWLEDGED = "acknowledged"
    """The app acknowledged; a view may open later (see `Workspace.wait_until`)."""
    REPLIED = "replied"
    """The app replied to a command with a message, in the acknowledgement."""
    ERRORS = "errors"
    """The view stays open with error messages."""
    UPDATED = "updated"
    PUSHED = "pushed"
    CLOSED = "closed"
    CLEARED = "cleared"
    """All views of the stack were closed."""
    FAILED = "failed"
    """The app did not acknowledge in time, or its response was invalid."""
    NOT_SENT = "not_sent"
    """Nothing was sent to the app, for example for text typed into a view."""


@dataclass(frozen=True)
class ActionResult:
    """The visible result of an action."""

    outcome: ActionOutcome
    view: View | None = None
    """The user's current view, if one is open."""
    errors: dict[str, str] = field(default_factory=dict)
    """An error message below each block, by `block_id`."""
    message: Message | None = None
    """The app's reply to a command."""
    failure: str = ""
    """Slack's error message if the outcome is `FAILED`."""
