"""What a person sees after doing something in the pretend Slack."""

from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.slack.conversations import Message
from sandbox.slack.views import View


class ActionOutcome(StrEnum):
    """What the app's acknowledgement did."""

    ACKNOWLEDGED = "acknowledged"
    """The app took note; a form may open a moment later (see `Workspace.wait_until`)."""
    REPLIED = "replied"
    """The app answered a command with a message, in the acknowledgement itself."""
    ERRORS = "errors"
    """The form stays open with sentences under its fields."""
    UPDATED = "updated"
    PUSHED = "pushed"
    CLOSED = "closed"
    CLEARED = "cleared"
    """All forms of the stack closed."""
    FAILED = "failed"
    """The app did not answer in time, or not as Slack expects."""
    NOT_SENT = "not_sent"
    """Nothing went to the app; the page alone remembers it, such as a letter typed into a form."""


@dataclass(frozen=True)
class ActionResult:
    """What the person sees now."""

    outcome: ActionOutcome
    view: View | None = None
    """The form on top, if one is open."""
    errors: dict[str, str] = field(default_factory=dict)
    """A sentence under each block, by `block_id`."""
    message: Message | None = None
    """What the app answered a command with."""
    failure: str = ""
    """Slack's sentence where the app failed to answer."""
