"""Whatever order answers come in, however often, and whatever else happens between: the same is known."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from csat.db import feeds, poll_queue, send_queue
from csat.db.database import open_engine
from csat.db.responses import UpdateOutcome, apply_update, match_unmatched
from csat.db.tables import unmatched_responses
from csat.surveys.questions import SCALES, Metric
from csat.surveys.responses import Comment, Rating, Response, Update, is_low
from tests.databases import KINDS, Databases
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

WEEKS_LATER = NOON + timedelta(days=14)
Step = Callable[[Connection], object]


class Known(NamedTuple):
    """What is known in the end."""

    rating: int | None
    rated_at: datetime | None
    comment: str | None
    commented_at: datetime | None
    answered: bool
    low: bool


def model(updates: Sequence[Update], *, test: bool = False) -> Known:
    """Return what must be known after these updates: the earliest rating and the earliest comment."""
    ratings = sorted(
        (it.response.rating.given_at, it.response.rating.value) for it in updates if it.response.rating
    )
    comments = sorted(
        (it.response.comment.given_at, it.response.comment.text) for it in updates if it.response.comment
    )
    rated_at, rating = ratings[0] if ratings else (None, None)
    commented_at, comment = comments[0] if comments else (None, None)
    low = rating is not None and is_low(Metric.CSAT, rating) and not test
    return Known(rating, rated_at, comment, commented_at, rating is not None, low)


def found(connection: Connection) -> Known:
    now = stored_response(connection)
    assert now["waiting"] == []
    assert ("answered" in now["outbox"]) is (now["state"] == "answered")
    assert ("low_rating" in now["outbox"]) is now["low"]
    answer = {name: now[name] for name in ("rating", "rated_at", "comment", "commented_at")}
    return Known(**answer, answered=now["state"] == "answered", low=now["low"])


updates = st.lists(
    st.builds(
        make_update,
        rating=st.none() | st.sampled_from(list(SCALES[Metric.CSAT])),
        comment=st.none() | st.sampled_from(["", "a", "Ä", "slow", "z" * 300]).filter(bool),
        at=st.integers(0, 5),
    ),
    max_size=6,
)
"""Contradictions, repetitions, halves; also several of the same second."""


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

    def merged(several: list[Response]) -> Response:
        whole = Response()
        for part in several:
            whole = whole.merge(part)
        return whole

    middle = len(parts) // 2
    assert merged(parts) == merged(shuffled) == merged([*shuffled, *parts])
    assert merged(parts) == merged(parts[:middle]).merge(merged(parts[middle:]))
    assert all(merged([one, one]) == one for one in parts)


@pytest.mark.parametrize(
    "begin",
    [insert_sending, insert_uncertain, insert_confirmed, insert_sent],
    ids=lambda begin: begin.__name__,
)
@settings(max_examples=40)
@given(several=updates, data=st.data())
def test_the_ledger_knows_what_the_model_knows_in_any_order(
    engine: Engine, begin: Callable[[Connection], object], several: list[Update], data: st.DataObject
) -> None:
    repeated = several + data.draw(st.lists(st.sampled_from(several), max_size=4)) if several else []
    steps: list[Step] = [lambda c, one=one: apply_update(c, one, RECIPIENT_KEY, NOON) for one in repeated]  # type: ignore[misc]
    steps += [receipt, matching, weeks_pass]
    order = data.draw(st.permutations(steps))
    with engine.connect() as connection, connection.begin() as transaction:
        feeds.ensure_feed(connection, "A1")
        begin(connection)
        for step in order:
            step(connection)
        receipt(connection)
        matching(connection)
        assert found(connection) == model(several)
        transaction.rollback()


def receipt(connection: Connection) -> None:
    """X's own answer comes, perhaps once more, perhaps late."""
    send_queue.mark_sent(connection, newest_survey_id(connection), 1, make_update().receipt, NOON)


def matching(connection: Connection) -> None:
    match_unmatched(connection, NOON, 100)


def weeks_pass(connection: Connection) -> None:
    """X is asked for the last time, and tells nothing; then the survey expires."""
    for now in (WEEKS_LATER, WEEKS_LATER + timedelta(minutes=11)):
        poll_queue.claim(connection, "A1", now, 10)


@settings(max_examples=60)
@given(updates)
def test_an_answer_that_waits_is_merged_as_if_its_survey_were_known(
    engine: Engine, several: list[Update]
) -> None:
    with engine.connect() as connection, connection.begin() as transaction:
        for one in several:
            assert apply_update(connection, one, RECIPIENT_KEY, NOON) in (
                UpdateOutcome.UNMATCHED,
                UpdateOutcome.IGNORED,
            )
        assert len(connection.execute(select(unmatched_responses)).all()) <= 1
        insert_sending(connection)
        receipt(connection)
        matching(connection)
        assert found(connection) == model(several)
        transaction.rollback()


def test_the_model_takes_the_earliest() -> None:
    several = [
        make_update(5, at=3),
        make_update(1, "b", at=2),
        make_update(4, "a", at=2),
        make_update(comment="c", at=9),
    ]
    earliest = NOON + timedelta(seconds=2)

    assert model(several) == Known(1, earliest, "a", earliest, answered=True, low=True)


@pytest.fixture(name="engine", params=KINDS, scope="module")
def _engine(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    engine = open_engine(databases.make(request.param, tmp_path_factory.mktemp("orders")))
    yield engine
    engine.dispose()
