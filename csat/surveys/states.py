"""The states of a survey and the transitions between them: the only place that decides which are possible."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """The state of a survey."""

    ACCEPTED = "accepted"
    """Saved, and waiting to be sent."""
    SENDING = "sending"
    """A request to X was started, and its outcome is not known yet."""
    SENT = "sent"
    """X returned a receipt."""
    REFUSED = "refused"
    """Will not be sent; the requester is told why. Or it was sent again, and may have arrived."""
    CANCELLED = "cancelled"
    """Cancelled by the requester before it was sent."""
    UNCERTAIN = "uncertain"
    """X may or may not have delivered it."""
    ANSWERED = "answered"
    """The customer gave a rating."""
    EXPIRED = "expired"
    """There was no response in time; a late one still counts."""


TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.ACCEPTED: frozenset({State.SENDING, State.REFUSED, State.CANCELLED}),
        State.SENDING: frozenset({State.SENT, State.ACCEPTED, State.REFUSED, State.UNCERTAIN}),
        State.UNCERTAIN: frozenset({State.SENT, State.REFUSED}),
        State.SENT: frozenset({State.ANSWERED, State.EXPIRED}),
        State.EXPIRED: frozenset({State.ANSWERED}),
        State.REFUSED: frozenset({State.SENT}),  # by its customer's answer, after it was sent again in vain
        State.CANCELLED: frozenset(),
        State.ANSWERED: frozenset(),
    }
)
"""The states that can follow each state."""


def predecessors(state: State) -> frozenset[State]:
    """Return the states that `state` can follow."""
    return frozenset(before for before, after in TRANSITIONS.items() if state in after)
