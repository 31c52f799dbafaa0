"""What a person sees after doing something in the pretend Slack."""

from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.slack.conversations import Message
from sandbox.slack.views import View


class Happening(StrEnum):
    """What the app's acknowledgement did."""

    ACKNOWLEDGED = "acknowledged"
    """The app took note; a form may open a moment later (see `Workspace.wait_until`)."""
    ANSWERED = "answered"
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
    KEPT = "kept"
    """Nothing went to the app; the page alone remembers it, such as a letter typed into a form."""


@dataclass(frozen=True)
class Seen:
    """What the person sees now."""

    happened: Happening
    view: View | None = None
    """The form on top, if one is open."""
    errors: dict[str, str] = field(default_factory=dict)
    """A sentence under each block, by `block_id`."""
    message: Message | None = None
    """What the app answered a command with."""
    failure: str = ""
    """Slack's sentence where the app failed to answer."""
