"""`python app.py prune`: what it removes, and what it keeps."""

import asyncio
import contextlib
import logging
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest
import stamina
from sqlalchemy import Connection, Table, func, insert, select, update

from cli import prune
from cli.prune import LEFT, InvalidAge, parse_age
from csat.db import attempt_outcomes, pruning, send_queue, submissions
from csat.db.account_pauses import ensure_account
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.follow_ups import open_follow_up
from csat.db.outbox import Notification
from csat.db.survey_records import Refusal, get_survey, to_columns
from csat.db.tables import attempts, follow_ups, outbox, surveys
from csat.surveys.limits import Limits
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from sandbox.slack import ActionOutcome
from sandbox.x import Fault
from tests.app_process import fake_environment, run_command
from tests.factories import NOON, make_origin, make_survey, make_update
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import World

DAY = timedelta(days=1)
LIMITS = Limits(daily={TransportName.X_CARD: 10_000})
RECEIPT = make_update().receipt
REFUSAL = Refusal(reason="MessageTooLong", advice="Shorten it.", editable=True)


@pytest.mark.parametrize(
    ("text", "days"), [("400d", 400), (" 60W ", 420), ("2y", 730), ("028d", 28), ("1000y", 365_000)]
)
def test_an_age_is_in_days_weeks_or_years(text: str, days: int) -> None:
    assert parse_age(text, Limits()) == timedelta(days=days)


@pytest.mark.parametrize(
    "text", ["", "400", "d", "0d", "-1d", "1.5y", "400 days", "6m", "9999999d", "999999y", "٤d"]
)
def test_an_invalid_age_is_answered_with_examples(text: str) -> None:
    with pytest.raises(InvalidAge, match="400d, 60w or 2y"):
        parse_age(text, Limits())


def test_surveys_that_count_toward_limits_can_not_be_pruned() -> None:
    assert parse_age("31d", Limits(cooldown=30.5 * DAY)) == 31 * DAY
    with pytest.raises(InvalidAge, match=r"^The limits need newer surveys\. Give 31d or more\.$"):
        parse_age("30d", Limits(cooldown=30.5 * DAY))


async def insert_survey(database: Database, view_id: str, now: datetime = NOON) -> int:
    await database.run(ensure_account, "A1")
    submission = submissions.Submission(view_id, make_survey(), make_origin(), "A1", "one", view_id)
    return (await database.run(submissions.accept, submission, LIMITS, now)).id


async def refuse(database: Database, survey_id: int) -> Notification | None:
    """Refuse a survey that waits."""
    record = await database.read(get_survey, survey_id)
    assert record
    return await database.run(send_queue.refuse_claimed, record, "one", REFUSAL, NOON)


async def insert_every_state(database: Database) -> dict[str, int]:
    """Insert a survey in each state and return the ids."""
    ids = {state.value: await insert_survey(database, state) for state in State}
    ids["reconciled"] = await insert_survey(database, "unknown")
    for name in ("sending", "sent", "answered", "expired", "uncertain", "reconciled"):
        record = await database.read(get_survey, ids[name])
        assert record
        assert await database.run(send_queue.begin_attempt, record, "one", NOON)
    for name in ("sent", "answered", "expired"):
        assert await database.run(attempt_outcomes.mark_sent, ids[name], 1, RECEIPT, NOON)
    for name in ("uncertain", "reconciled"):
        assert await database.run(
            attempt_outcomes.mark_uncertain, ids[name], 1, TransportName.X_CARD, "500", NOON
        )
    assert await refuse(database, ids["refused"])
    assert (
        await database.run(send_queue.cancel, ids["cancelled"], "T012AB3CD", "U012AB3CD") is State.CANCELLED
    )
    await database.run(update_states, ids)
    return ids


def update_states(connection: Connection, ids: dict[str, int]) -> None:
    for name in ("answered", "expired"):
        connection.execute(update(surveys).where(surveys.c.id == ids[name]).values(state=name))
    assert open_follow_up(connection, ids["answered"], "T012AB3CD", NOON)
    unknown = surveys.c.id == ids["reconciled"]
    connection.execute(update(surveys).where(unknown).values(reconcile_at=None))


def survey_ids(connection: Connection, table: Table) -> set[int]:
    return set(connection.execute(select(table.c.survey_id)).scalars())


async def prune_all(database: Database, before: datetime) -> list[int]:
    """Prune, and return the number of surveys that each transaction removed."""
    old = await database.read(pruning.count_prunable, before)
    return [number async for number in prune.prune(database, old, before)]


async def test_only_finished_surveys_are_removed_with_all_their_rows(database: Database) -> None:
    ids = await insert_every_state(database)

    assert await prune_all(database, NOON + DAY) == [6]
    left = await database.read(lambda connection: set(connection.execute(select(surveys.c.id)).scalars()))
    assert left == {ids["accepted"], ids["sending"], ids["uncertain"]}
    for table in (attempts, outbox, follow_ups):
        assert await database.read(survey_ids, table) <= left


async def test_only_surveys_older_than_the_age_are_removed(database: Database) -> None:
    for day in range(4):
        survey_id = await insert_survey(database, f"V{day}", NOON + day * DAY)
        assert await refuse(database, survey_id)
    before = NOON + 2 * DAY

    assert (await database.read(pruning.count_prunable, before)).total == 2
    assert await prune_all(database, before) == [2]
    assert await prune_all(database, before) == []


async def test_a_survey_that_waited_is_kept_while_its_sending_counts(any_world: World) -> None:
    world = any_world
    world.x.fail(Fault.OVER_CAPACITY, times=1)
    await world.submit_survey("/csat @mira_k")
    await world.wait_until(lambda: world.rows(attempts.c.outcome) == [("accepted",)])
    await world.advance(hours=20)
    await world.wait_until(lambda: world.states() == ["sent"] and world.is_outbox_empty())
    await world.advance(days=6, hours=12)
    with contextlib.closing(Database(world.database_url, GENEROUS)) as database:
        assert await prune_all(database, world.clock() - 7 * DAY) == []
        result = await world.submit_survey("/csat @mira_k")
        assert result.outcome is ActionOutcome.ERRORS  # the cooldown still applies
        assert await prune_all(database, world.clock() - 6 * DAY) == [1]


async def test_others_can_write_between_batches(database: Database) -> None:
    await database.run(ensure_account, "A1")
    await database.run(refused, 35)
    old = await database.read(pruning.count_prunable, NOON + DAY)
    removed = []
    async for number in prune.prune(database, old, NOON + DAY, batch_size=10):
        removed.append(number)
        await asyncio.wait_for(insert_survey(database, f"between {len(removed)}"), WAIT_SECONDS)

    assert removed == [10, 10, 10, 5]
    assert (
        await database.read(lambda c: c.execute(select(func.count()).select_from(surveys)).scalar_one()) == 4
    )


def refused(connection: Connection, number: int) -> None:
    row = {
        **to_columns(make_survey(), make_origin()),
        "state": State.REFUSED,
        "account": "A1",
        "accepted_at": NOON,
        "due_at": NOON,
        "attempts": 0,
        "quota_until": NOON,
    }
    connection.execute(insert(surveys), [{**row, "view_id": f"old {view}"} for view in range(number)])


async def test_the_command_counts_and_removes_old_surveys(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        database = Database(environment["DATABASE_URL"], GENEROUS)
        await database.run(ensure_account, "A1")
        await database.run(refused, 35)
        dry = await run_command(tmp_path, environment, "prune", "--older-than", "28d", "--dry-run")
        real = await run_command(tmp_path, environment, "prune", "--older-than", "28d")
        again = await run_command(tmp_path, environment, "prune", "--older-than", "28d")
        database.close()

    assert dry[0] == real[0] == again[0] == 0, (dry, real, again)
    assert re.fullmatch(
        r"35 finished surveys from before [A-Z][a-z]{2} \d\d?, \d{4} at \d\d:\d\d UTC\.\n", dry[1]
    )
    assert f"Removed 35 surveys, with all attempts and notifications. {LEFT}" in real[1]
    assert again[1].startswith("0 finished surveys")


async def test_whoever_runs_the_command_sees_that_it_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> NoReturn:
        raise DatabaseError("no connection")

    monkeypatch.setattr("csat.db.pruning.prune", fail)
    async with fake_environment(tmp_path) as (_, _, environment):
        with contextlib.closing(Database(environment["DATABASE_URL"], GENEROUS)) as database:
            await database.run(ensure_account, "A1")
            await database.run(refused, 1)
            with stamina.set_testing(True, attempts=2):
                code, printed = await run_command(tmp_path, environment, "prune", "--older-than", "28d")

    assert (code, printed.splitlines()[-1]) == (1, "Pruning stopped: no connection")
    assert ("cli.command_runner", logging.WARNING, "Retrying in 0.0 s: no connection") in caplog.record_tuples


async def test_the_command_keeps_surveys_that_can_still_be_answered(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, environment, "prune", "--older-than", "27d")

    assert (code, printed) == (1, "Customers can still answer newer surveys. Give 28d or more.\n")


async def test_the_command_s_error_says_what_to_enter(tmp_path: Path) -> None:
    async with fake_environment(tmp_path) as (_, _, environment):
        code, printed = await run_command(tmp_path, environment, "prune", "--older-than", "a while")

    assert (code, printed) == (1, "Give the age in days, weeks or years, like 400d, 60w or 2y.\n")
