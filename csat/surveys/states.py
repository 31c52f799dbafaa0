"""What can become of a survey: one table, which everybody asks and nobody else decides."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a survey stands."""

    ACCEPTED = "accepted"
    """Kept in the ledger; waiting for its turn."""
    SENDING = "sending"
    """A request to X has been started and its outcome is not known yet."""
    SENT = "sent"
    """X gave a receipt."""
    REFUSED = "refused"
    """It will not be sent; the requester is told why."""
    CANCELLED = "cancelled"
    """The requester called it off while it waited."""
    UNCERTAIN = "uncertain"
    """X may or may not have delivered it."""
    ANSWERED = "answered"
    """The customer gave a rating."""
    EXPIRED = "expired"
    """Nobody answered in time; a late answer still counts."""


TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.ACCEPTED: frozenset({State.SENDING, State.REFUSED, State.CANCELLED}),
        State.SENDING: frozenset({State.SENT, State.ACCEPTED, State.REFUSED, State.UNCERTAIN}),
        State.UNCERTAIN: frozenset({State.SENT, State.REFUSED}),
        State.SENT: frozenset({State.ANSWERED, State.EXPIRED}),
        State.EXPIRED: frozenset({State.ANSWERED}),
        State.REFUSED: frozenset(),
        State.CANCELLED: frozenset(),
        State.ANSWERED: frozenset(),
    }
)
"""From each state, the states that can follow it."""


def predecessors(state: State) -> frozenset[State]:
    """Return the states from which `state` can be reached in one step."""
    return frozenset(before for before, after in TRANSITIONS.items() if state in after)
