import pytest

from csat.surveys.states import TRANSITIONS, State, predecessors

PICTURE = {
    "accepted -> sending",  # its turn has come
    "accepted -> refused",  # before it is sent: There is no such customer on X
    "accepted -> cancelled",  # by the requester, while it waits
    "sending -> accepted",  # it waits, because X takes nothing now
    "sending -> sent",
    "sending -> refused",
    "sending -> uncertain",
    "uncertain -> sent",  # settled later
    "uncertain -> refused",
    "sent -> answered",
    "sent -> expired",
    "expired -> answered",  # a late answer still counts
}


def test_a_survey_lives_as_it_is_drawn() -> None:
    drawn = {f"{before} -> {after}" for before, afters in TRANSITIONS.items() for after in afters}

    assert drawn == PICTURE


def test_the_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(State)


def test_nobody_changes_the_table() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.SENT] = frozenset()  # type: ignore[index]


@pytest.mark.parametrize("after", State)
def test_what_leads_to_a_state_is_the_table_read_backwards(after: State) -> None:
    assert predecessors(after) == {before for before in State if after in TRANSITIONS[before]}


def test_what_was_sent_is_never_sent_again() -> None:
    gone = {State.SENT, State.UNCERTAIN, State.ANSWERED, State.EXPIRED}

    assert predecessors(State.SENDING).isdisjoint(gone)
    assert predecessors(State.ACCEPTED).isdisjoint(gone)


@pytest.mark.parametrize("end", [State.REFUSED, State.CANCELLED, State.ANSWERED])
def test_nothing_follows_the_end(end: State) -> None:
    assert TRANSITIONS[end] == frozenset()


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached(state: State) -> None:
    reached, ahead = set[State](), {State.ACCEPTED}
    while ahead:
        reached |= ahead
        ahead = {after for before in ahead for after in TRANSITIONS[before]} - reached

    assert state in reached
