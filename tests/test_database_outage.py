"""Updates from X and Slack during a database outage are stored once it is back, and the log says both."""

import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.outbox import NotificationKind
from csat.db.tables import operator_alerts
from csat.db.write_check import try_write
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import Fault
from tests.databases import KINDS, sqlite_in
from tests.silent_proxy import SilentProxy
from tests.timeouts import SHORT_LOCK
from tests.unwritable import Problem, unwritable
from tests.world import World, running_world, visible_text

Outage = Callable[[], AbstractContextManager[None]]

CUSTOMER = "/csat 1820000000000000011"
POLLERS = ("csat.delivery.send_worker", "notifications.notifier")
"""Their loggers."""


IMPATIENT = replace(SHORT_LOCK, sqlite_lock_outage=0, database_attempts=1)
"""As if the database had been away for longer."""


@pytest.fixture(name="kind", params=KINDS)
def _kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="urls")
def _urls(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[str, str]:
    """The URL of the database that can go away, and one that always works."""
    if kind == "sqlite":
        return sqlite_in(tmp_path), sqlite_in(tmp_path)
    proxy: SilentProxy = request.getfixturevalue("proxy")
    return proxy.url, proxy.direct_url


@pytest.fixture(name="world")
async def _world(
    urls: tuple[str, str],
    tmp_path: Path,
) -> AsyncIterator[World]:
    """The app with an operator and a supervisor."""
    url, direct_url = urls
    people: dict[str, Any] = {"csat_operators": fixtures.BEN, "csat_supervisors": fixtures.CLEO}
    async with running_world(
        tmp_path, database_url=url, direct_url=direct_url, timeouts=IMPATIENT, **people
    ) as world:
        yield world


@pytest.fixture(name="outage")
def _outage(kind: str, world: World, request: pytest.FixtureRequest) -> Outage:
    """Return a context in which the app can't write to its database."""
    if kind == "sqlite":
        return partial(lock_file, world.database_file)
    stopped: Outage = request.getfixturevalue("proxy").stopped
    return stopped


@contextlib.contextmanager
def lock_file(file: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        yield


async def wait_for_failed_write(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Wait until the app has tried to store what it learned, and let minutes pass."""
    caplog.clear()
    await world.wait_until(lambda: caplog.text.count("can't be polled") > 1)
    world.clock.advance(minutes=5)


async def test_the_receipt_of_a_survey_is_stored(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    with world.x.hold() as hold:
        await world.submit_survey(CUSTOMER)
        await hold.arrived.wait()
        with outage():
            hold.release()
            await wait_for_failed_write(world, caplog)
    await world.wait_for_message("sent a survey")

    assert world.states() == ["sent"]
    assert world.find_dm("may not have arrived") is None
    assert len(world.x.feedbacks) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"), [(Fault.BLOCKED, "refused"), (Fault.OVER_CAPACITY, "accepted")]
)
async def test_that_a_survey_was_surely_not_sent_is_stored(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture, fault: Fault, outcome: str
) -> None:
    world.x.fail(fault, times=1)
    with world.x.hold() as hold:
        await world.submit_survey(CUSTOMER)
        await hold.arrived.wait()
        with outage():
            hold.release()
            await wait_for_failed_write(world, caplog)
    await world.wait_until(lambda: world.states() == [outcome])

    assert world.find_dm("may not have arrived") is None


async def test_a_confirmation_is_posted_once(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    with world.workspace.faults.hold("chat.postMessage") as hold:
        await world.submit_survey(CUSTOMER)
        await hold.arrived.wait()
        with outage():
            hold.release()
            await wait_for_failed_write(world, caplog)
    await world.wait_until(lambda: world.count_sent_notifications(NotificationKind.SENT))

    assert world.count_messages("sent a survey") == 1


async def test_an_operator_is_alerted_once(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    world.x.fail(Fault.NOT_PERMITTED)
    with world.workspace.faults.hold("chat.postMessage") as hold:
        await world.submit_survey(CUSTOMER)
        await hold.arrived.wait()
        with outage():
            hold.release()
            await wait_for_failed_write(world, caplog)
    await world.wait_until(lambda: not world.rows(operator_alerts))

    calls = [call for call in world.workspace.api_calls if call.args.get("channel") == fixtures.BEN]
    assert len(calls) == 1


async def test_who_asks_for_results_reads_that_the_database_is_unavailable(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    with outage():
        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat report")
        reply = await world.wait_for_message("database is unavailable", viewer=fixtures.CLEO)
    unanswered = [record for record in caplog.records if record.name == "handlers.errors"]

    assert reply.visible_to == fixtures.CLEO
    assert "Try again in a minute" in visible_text(reply)
    assert [record.exc_info for record in unanswered] == [None]
    assert "Reference" not in caplog.text


async def test_an_outage_is_logged_once_and_so_is_its_end(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with outage():
        await world.wait_until(lambda: caplog.text.count("can't be polled") > 1)
    await world.wait_until(lambda: "The database takes writes again" in caplog.text)

    assert count_errors(caplog) == 1


async def test_each_poller_warns_once_of_an_outage(
    world: World, outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    for logger in POLLERS:
        caplog.set_level(logging.DEBUG, logger)
    with outage():
        await world.wait_until(lambda: min(count_failed_polls(caplog, logger) for logger in POLLERS) > 2)

    warned = [record.name for record in caplog.records if record.levelno == logging.WARNING]
    assert [warned.count(logger) for logger in POLLERS] == [1, 1]


def count_failed_polls(caplog: pytest.LogCaptureFixture, logger: str) -> int:
    return sum(record.name == logger and "can't be polled" in record.message for record in caplog.records)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_file_that_is_gone_takes_no_survey_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await world.open_form(CUSTOMER)
    away = world.database_file.rename(world.database_file.with_suffix(".away"))
    result = await world.workspace.submit_view(fixtures.ADA)
    unsaved = world.workspace.current_view(fixtures.ADA)
    away.rename(world.database_file)
    await world.wait_until(lambda: "The database takes writes again" in caplog.text)

    assert result.outcome is not ActionOutcome.CLOSED
    assert "Not saved, nothing was sent" in visible_text(unsaved)
    assert count_errors(caplog) == 1
    assert f"The database takes no writes: the file {world.database_file} is gone" in caplog.text


async def test_a_full_database_does_not_work_again_because_a_transaction_writes_nothing(
    urls: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url, _ = urls
    with contextlib.closing(Database(url, IMPATIENT)) as database, unwritable(url, Problem.FULL) as reason:
        for _ in range(2):
            with pytest.raises(DatabaseError, match=reason):
                await database.run(try_write)
            await database.run(lambda _connection: None)
            await database.check_outage()

    assert count_errors(caplog) == 1
    assert "again" not in caplog.text


@pytest.mark.parametrize(
    ("failures", "is_outage"),
    [
        ([0, 4.9], False),
        ([0, 5], True),
        ([0, 2, 4, 6], True),
        ([0, None, 5], False),
        ([0, None, 5, 9, None, 10], False),
        ([0, None, 5, 10], True),
    ],
    ids=str,
)
async def test_a_lock_is_an_outage_once_it_has_lasted_for_five_seconds(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    failures: list[float | None],
    is_outage: bool,  # noqa: FBT001
) -> None:
    """Writes fail at these seconds, as another program holds the lock; None: one has succeeded."""
    now = 0.0
    monkeypatch.setattr("csat.db.outage_log.monotonic", lambda: 1_000 + now)
    caplog.set_level(logging.INFO)
    with contextlib.closing(Database(sqlite_in(tmp_path), SHORT_LOCK)) as database:
        for second in failures:
            if second is None:
                await database.run(try_write)
                continue
            now = second
            with lock_file(tmp_path / "csat.db"), pytest.raises(DatabaseError, match="database is locked"):
                await database.run(try_write)
        await database.check_writes()

    assert count_errors(caplog) == is_outage
    assert ("The database takes no writes: database is locked" in caplog.text) == is_outage
    assert ("The database takes writes again" in caplog.text) == is_outage


def count_errors(caplog: pytest.LogCaptureFixture) -> int:
    return sum(record.levelno == logging.ERROR for record in caplog.records)
