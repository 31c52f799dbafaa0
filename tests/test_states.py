import pytest

from csat.surveys.states import TRANSITIONS, State, predecessors

EXPECTED = {
    "accepted -> sending",
    "accepted -> refused",  # before sending: X knows no such customer
    "accepted -> cancelled",  # by the requester, while it waits
    "sending -> accepted",  # to retry later
    "sending -> sent",
    "sending -> refused",
    "sending -> uncertain",
    "uncertain -> sent",  # reconciled later
    "uncertain -> refused",
    "refused -> sent",  # it was sent again in vain, and its customer has answered
    "sent -> answered",
    "sent -> expired",
    "expired -> answered",  # a late response still counts
}


def test_only_the_expected_transitions_exist() -> None:
    transitions = {f"{before} -> {after}" for before, afters in TRANSITIONS.items() for after in afters}

    assert transitions == EXPECTED


def test_every_state_has_transitions() -> None:
    assert set(TRANSITIONS) == set(State)


def test_the_transitions_are_immutable() -> None:
    with pytest.raises(TypeError):
        TRANSITIONS[State.SENT] = frozenset()  # type: ignore[index]


@pytest.mark.parametrize("after", State)
def test_predecessors_are_the_transitions_reversed(after: State) -> None:
    assert predecessors(after) == {before for before in State if after in TRANSITIONS[before]}


def test_a_survey_is_never_sent_twice() -> None:
    sent = {State.SENT, State.UNCERTAIN, State.ANSWERED, State.EXPIRED}

    assert predecessors(State.SENDING).isdisjoint(sent)
    assert predecessors(State.ACCEPTED).isdisjoint(sent)


@pytest.mark.parametrize("end", [State.CANCELLED, State.ANSWERED])
def test_final_states_have_no_successors(end: State) -> None:
    assert TRANSITIONS[end] == frozenset()


@pytest.mark.parametrize("state", State)
def test_every_state_is_reachable(state: State) -> None:
    reached, ahead = set[State](), {State.ACCEPTED}
    while ahead:
        reached |= ahead
        ahead = {after for before in ahead for after in TRANSITIONS[before]} - reached

    assert state in reached
