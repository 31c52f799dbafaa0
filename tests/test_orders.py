"""Updates lead to the same result in any order, with any repetitions, and around other events."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from csat.db import attempt_outcomes, poll_queue
from csat.db.incoming_updates import UpdateOutcome, apply_update, match_unmatched
from csat.db.poll_budget_and_sweeps import ensure_feed
from csat.db.tables import unmatched_responses
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import Comment, Rating, Response, Update, is_low
from tests.factories import (
    NOON,
    RECIPIENT_KEY,
    insert_confirmed,
    insert_sending,
    insert_sent,
    insert_uncertain,
    make_update,
    newest_survey_id,
    stored_response,
)
from tests.strategies import FEW_EXAMPLES

pytestmark = pytest.mark.unmeasured

WEEKS_LATER = NOON + timedelta(days=14)
Step = Callable[[Connection], object]


class Outcome(NamedTuple):
    """The stored response and its effects."""

    rating: int | None
    rated_at: datetime | None
    comment: str | None
    commented_at: datetime | None
    answered: bool
    low: bool


def expected_outcome(updates: Sequence[Update], *, test: bool = False) -> Outcome:
    """Return the expected outcome: the earliest rating and the earliest comment."""
    ratings = sorted(
        (update.response.rating.given_at, update.response.rating.value)
        for update in updates
        if update.response.rating
    )
    comments = sorted(
        (update.response.comment.given_at, update.response.comment.text)
        for update in updates
        if update.response.comment
    )
    rated_at, rating = ratings[0] if ratings else (None, None)
    commented_at, comment = comments[0] if comments else (None, None)
    low = rating is not None and is_low(Metric.CSAT, rating) and not test
    return Outcome(rating, rated_at, comment, commented_at, rating is not None, low)


def read_outcome(connection: Connection) -> Outcome:
    stored = stored_response(connection)
    assert stored["waiting"] == []
    assert ("answered" in stored["outbox"]) is (stored["state"] == "answered")
    assert ("low_rating" in stored["outbox"]) is stored["low"]
    response = {name: stored[name] for name in ("rating", "rated_at", "comment", "commented_at")}
    return Outcome(**response, answered=stored["state"] == "answered", low=stored["low"])


updates = st.lists(
    st.builds(
        make_update,
        rating=st.none() | st.sampled_from(list(SCALES[Metric.CSAT])),
        comment=st.none() | st.sampled_from(["", "a", "Ä", "slow", "z" * 300]).filter(bool),
        at=st.integers(0, 5),
    ),
    max_size=6,
)
"""Contradictory, repeated and partial updates, some of them with the same time."""


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), max_size=5), st.randoms())
def test_responses_merge_in_any_order_and_any_grouping(given_: list[tuple[int, int]], random: object) -> None:
    parts = [
        Response(
            rating=Rating(value=value, given_at=NOON + timedelta(seconds=at)),
            comment=Comment(text=str(value), given_at=NOON + timedelta(seconds=at)),
        )
        for value, at in given_
    ]
    shuffled = [*parts]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    def merged(responses: list[Response]) -> Response:
        total = Response()
        for response in responses:
            total = total.merge(response)
        return total

    middle = len(parts) // 2
    assert merged(parts) == merged(shuffled) == merged([*shuffled, *parts])
    assert merged(parts) == merged(parts[:middle]).merge(merged(parts[middle:]))
    assert all(merged([part, part]) == part for part in parts)


@pytest.mark.parametrize(
    "insert_survey",
    [insert_sending, insert_uncertain, insert_confirmed, insert_sent],
    ids=lambda insert_survey: insert_survey.__name__,
)
@settings(max_examples=FEW_EXAMPLES)
@given(several=updates, data=st.data())
def test_the_database_agrees_with_the_model_in_any_order(
    engine: Engine, insert_survey: Callable[[Connection], object], several: list[Update], data: st.DataObject
) -> None:
    repeated = several + data.draw(st.lists(st.sampled_from(several), max_size=4)) if several else []
    steps: list[Step] = [lambda c, u=u: apply_update(c, u, RECIPIENT_KEY, NOON) for u in repeated]  # type: ignore[misc]
    steps += [mark_sent, match, expire]
    order = data.draw(st.permutations(steps))
    with engine.connect() as connection, connection.begin() as transaction:
        ensure_feed(connection, "A1")
        insert_survey(connection)
        for step in order:
            step(connection)
        mark_sent(connection)
        match(connection)
        assert read_outcome(connection) == expected_outcome(several)
        transaction.rollback()


def mark_sent(connection: Connection) -> None:
    """Store X's receipt, possibly late or a second time."""
    attempt_outcomes.mark_sent(connection, newest_survey_id(connection), 1, make_update().receipt, NOON)


def match(connection: Connection) -> None:
    match_unmatched(connection, NOON, 100)


def expire(connection: Connection) -> None:
    """Poll for the last time, without a response, so that the survey expires."""
    for now in (WEEKS_LATER, WEEKS_LATER + timedelta(minutes=11)):
        poll_queue.claim(connection, "A1", now, 10)


@settings(max_examples=FEW_EXAMPLES)
@given(updates)
def test_unmatched_updates_are_merged_like_matched_ones(engine: Engine, several: list[Update]) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        for update in several:
            assert apply_update(connection, update, RECIPIENT_KEY, NOON) in (
                UpdateOutcome.UNMATCHED,
                UpdateOutcome.IGNORED,
            )
        assert len(connection.execute(select(unmatched_responses)).all()) <= 1
        insert_sending(connection)
        mark_sent(connection)
        match(connection)
        assert read_outcome(connection) == expected_outcome(several)
        transaction.rollback()


def test_the_model_keeps_the_earliest_rating_and_comment() -> None:
    several = [
        make_update(5, at=3),
        make_update(1, "b", at=2),
        make_update(4, "a", at=2),
        make_update(comment="c", at=9),
    ]
    earliest = NOON + timedelta(seconds=2)

    assert expected_outcome(several) == Outcome(1, earliest, "a", earliest, answered=True, low=True)
