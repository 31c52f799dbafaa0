"""The life cycle of a survey in the database."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy
import stamina
from sqlalchemy import Connection

from csat.db import attempt_outcomes, outbox, send_queue, submissions, tables
from csat.db.account_pauses import ensure_account
from csat.db.database import Database
from csat.db.engines import open_engine
from csat.db.errors import DatabaseError, Rejected
from csat.db.outbox import NotificationKind
from csat.db.survey_records import Refusal, SurveyRecord, Wait, get_survey
from csat.surveys.limits import Limits
from csat.surveys.origin import Origin
from csat.surveys.questions import Metric
from csat.surveys.recipients import XAccount
from csat.surveys.states import State
from csat.surveys.survey import Survey
from csat.surveys.transports import TransportName
from tests.factories import make_update
from tests.timeouts import GENEROUS

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
SURVEY = Survey(
    transport=TransportName.X_CARD,
    metric=Metric.CSAT,
    variant=0,
    display_name="Northwind",
    recipient=XAccount(handle="mira_k", id="33"),
    message="How did we do?",
    privacy_url="https://northwind.example/privacy",
    external_id="case_1",
    test=False,
)
ORIGIN = Origin(
    team="T1", channel="C1", requester="U1", response_url="https://hooks.slack.com/1", received_at=NOW
)
RECEIPT = make_update().receipt
LIMITS = Limits()
RESOLVED = XAccount(handle="Mira_K", id="33")
WAIT = Wait(reason="RateLimited", until=NOW)
REFUSAL = Refusal(reason="MessageTooLong", advice="Shorten it.", editable=True)


def submission(view_id: str, instance: str = "one", key: str | None = None) -> submissions.Submission:
    """Return a submission; each view has its own recipient unless `key` is given."""
    return submissions.Submission(view_id, SURVEY, ORIGIN, "A1", instance, key or f"customer of {view_id}")


async def accept(database: Database, view_id: str = "V1", instance: str = "one") -> SurveyRecord:
    await database.run(ensure_account, "A1")
    return await database.run(submissions.accept, submission(view_id, instance), LIMITS, NOW)


async def get_state(database: Database, record: SurveyRecord) -> State:
    current = await database.run(get_survey, record.id)
    assert current
    return current.state


async def test_an_accepted_survey_is_read_back_unchanged(database: Database) -> None:
    record = await accept(database)

    assert await database.run(get_survey, record.id) == record
    assert (record.survey, record.origin, record.state) == (SURVEY, ORIGIN, State.ACCEPTED)


async def test_long_reports_do_not_block_submissions(database: Database) -> None:
    released = threading.Event()
    reports = [asyncio.create_task(database.read(lambda _: released.wait(20))) for _ in range(9)]
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await accept(database)
    assert not any(report.done() for report in reports)
    released.set()
    assert all(await asyncio.gather(*reports))


@pytest.fixture(name="immediate_retries")
def _immediate_retries() -> Iterator[None]:
    """Retry without waiting."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def fail_times(failures: int) -> Callable[[Connection], str]:
    """Return a transaction that fails `failures` times before it succeeds."""
    errors = [sqlalchemy.exc.OperationalError("", {}, Exception("database is locked"))] * failures

    def transaction(_connection: Connection) -> str:
        if errors:
            raise errors.pop()
        return "done"

    return transaction


@pytest.mark.usefixtures("immediate_retries")
async def test_a_transaction_is_retried_while_the_database_is_unavailable(database: Database) -> None:
    assert await database.run_with_retry(fail_times(5)) == "done"
    with pytest.raises(DatabaseError, match="database is locked"):
        await database.run_with_retry(fail_times(6))


@pytest.mark.usefixtures("immediate_retries")
async def test_what_only_the_caller_knows_is_retried_unless_the_database_rejects_it(
    database: Database,
) -> None:
    assert await database.run_until_committed(fail_times(50)) == "done"
    await database.run(ensure_account, "A1")
    with pytest.raises(Rejected):
        await database.run_until_committed(
            lambda connection: connection.execute(tables.accounts.insert().values(id="A1"))
        )


@pytest.mark.usefixtures("immediate_retries")
async def test_an_error_of_the_transaction_itself_is_not_retried(database: Database) -> None:
    runs = []

    def fail(_connection: Connection) -> None:
        runs.append("run")
        raise LookupError

    with pytest.raises(LookupError):
        await database.run_with_retry(fail)
    assert runs == ["run"]


async def test_the_same_view_is_accepted_once(database: Database) -> None:
    record = await accept(database)

    assert await database.run(submissions.accept, submission("V1", "two"), LIMITS, NOW) == record


async def test_a_claimed_survey_is_not_claimed_again_before_its_lease_expires(
    database: Database,
) -> None:
    record = await accept(database)

    assert await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(seconds=11), 10) == []
    claimed = await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(seconds=16), 10)
    assert [found.id for found in claimed] == [record.id]


async def test_a_claim_that_is_renewed_lasts_from_then_on(database: Database) -> None:
    renewed, resolved = await accept(database, "V1"), await accept(database, "V2")
    later, limits = NOW + timedelta(seconds=10), LIMITS
    assert await database.run(send_queue.renew_claim, renewed, "one", later)
    assert await database.run(send_queue.store_recipient, resolved, "one", RESOLVED, "its key", limits, later)

    assert await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(seconds=21), 10) == []
    claimed = await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(seconds=23), 10)
    assert {found.id for found in claimed} == {renewed.id, resolved.id}


async def test_an_instance_that_lost_its_claim_cannot_begin_an_attempt(database: Database) -> None:
    record = await accept(database)
    await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(seconds=16), 10)

    assert await database.run(send_queue.begin_attempt, record, "one", NOW + timedelta(seconds=17)) is None
    assert await database.run(send_queue.begin_attempt, record, "two", NOW + timedelta(seconds=17)) == 1


async def test_an_instance_that_lost_its_claim_changes_nothing(database: Database) -> None:
    lost = await accept(database)
    (record,) = await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(seconds=16), 10)
    begun = await database.run(send_queue.begin_attempt, record, "two", NOW + timedelta(seconds=17))

    for claimed, instance in ((lost, "one"), (lost, "two")):
        assert not await database.run(send_queue.renew_claim, claimed, instance, NOW)
        assert not await database.run(send_queue.release, claimed, instance)
        assert not await database.run(send_queue.refuse_claimed, claimed, instance, REFUSAL, NOW)
        assert not await database.run(send_queue.reschedule_claimed, claimed, instance, WAIT)
        assert not await database.run(
            send_queue.store_recipient, claimed, instance, RESOLVED, "its key", LIMITS, NOW
        )
    assert begun == 1
    assert await get_state(database, record) is State.SENDING


async def test_an_attempt_that_was_put_back_is_not_refused(database: Database) -> None:
    record = await accept(database)
    number = await database.run(send_queue.begin_attempt, record, "one", NOW)
    assert number
    await database.run(attempt_outcomes.reschedule, record.id, number, WAIT, "429", NOW)

    assert not await database.run(attempt_outcomes.refuse, record.id, number, REFUSAL, "late", NOW)
    assert await get_state(database, record) is State.ACCEPTED


async def test_a_survey_is_either_cancelled_or_sent(database: Database) -> None:
    cancelled, sending = await accept(database, "V1"), await accept(database, "V2")

    assert await database.run(send_queue.cancel, cancelled.id, "T1", "U1") is State.CANCELLED
    assert await database.run(send_queue.begin_attempt, cancelled, "one", NOW) is None
    assert await database.run(send_queue.begin_attempt, sending, "one", NOW) == 1
    assert await database.run(send_queue.cancel, sending.id, "T1", "U1") is State.SENDING


async def test_only_the_requester_can_cancel(database: Database) -> None:
    record = await accept(database)

    assert await database.run(send_queue.cancel, record.id, "T1", "U2") is None
    assert await database.run(send_queue.cancel, 404, "T1", "U1") is None
    assert await get_state(database, record) is State.ACCEPTED


async def test_a_stalled_attempt_becomes_uncertain_and_is_never_claimed(
    database: Database,
) -> None:
    record = await accept(database)
    await database.run(send_queue.begin_attempt, record, "one", NOW)
    later = NOW + timedelta(seconds=41)

    assert await database.run(attempt_outcomes.mark_stalled, NOW + timedelta(seconds=39)) == []
    (notification,) = await database.run(attempt_outcomes.mark_stalled, later)
    assert (notification.survey.id, notification.kind) == (record.id, NotificationKind.UNCERTAIN)
    assert await get_state(database, record) is State.UNCERTAIN
    assert await database.run(send_queue.claim, ("A1",), "two", later + timedelta(days=1), 10) == []


async def test_a_late_receipt_resolves_an_uncertain_survey(database: Database) -> None:
    record = await accept(database)
    number = await database.run(send_queue.begin_attempt, record, "one", NOW)
    assert number
    await database.run(attempt_outcomes.mark_stalled, NOW + timedelta(seconds=41))

    assert await database.run(attempt_outcomes.mark_sent, record.id, number, RECEIPT, NOW)
    assert await get_state(database, record) is State.SENT


async def test_a_duplicate_receipt_has_no_effect(database: Database) -> None:
    record = await accept(database)
    number = await database.run(send_queue.begin_attempt, record, "one", NOW)
    assert number

    assert await database.run(attempt_outcomes.mark_sent, record.id, number, RECEIPT, NOW)
    assert not await database.run(attempt_outcomes.mark_sent, record.id, number, RECEIPT, NOW)
    assert not await database.run(
        attempt_outcomes.mark_uncertain, record.id, number, TransportName.X_CARD, "late", NOW
    )
    assert not await database.run(attempt_outcomes.refuse, record.id, number, REFUSAL, "late", NOW)
    assert await get_state(database, record) is State.SENT


async def test_a_refusal_keeps_its_reason(database: Database) -> None:
    record = await accept(database)

    assert await database.run(send_queue.refuse_claimed, record, "one", REFUSAL, NOW)
    refused = await database.run(get_survey, record.id)
    assert refused
    assert refused.refusal == REFUSAL


async def test_a_rescheduled_survey_is_claimed_when_it_is_due(database: Database) -> None:
    record = await accept(database)
    number = await database.run(send_queue.begin_attempt, record, "one", NOW)
    assert number
    wait = Wait(reason="RateLimited", until=NOW + timedelta(minutes=15))
    await database.run(attempt_outcomes.reschedule, record.id, number, wait, "429", NOW)

    assert await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(minutes=14), 10) == []
    (claimed,) = await database.run(send_queue.claim, ("A1",), "two", NOW + timedelta(minutes=15), 10)
    assert await database.run(send_queue.begin_attempt, claimed, "two", NOW + timedelta(minutes=15)) == 2


async def test_a_cancelled_survey_cannot_be_rescheduled(database: Database) -> None:
    record = await accept(database)
    await database.run(send_queue.cancel, record.id, "T1", "U1")

    assert not await database.run(send_queue.reschedule_claimed, record, "one", WAIT)
    assert await get_state(database, record) is State.CANCELLED


async def test_a_notification_is_claimed_again_only_if_it_was_not_sent(database: Database) -> None:
    record = await accept(database)
    number = await database.run(send_queue.begin_attempt, record, "one", NOW)
    assert number
    await database.run(attempt_outcomes.mark_sent, record.id, number, RECEIPT, NOW)
    late = NOW + outbox.CLAIM_LEASE

    assert await database.run(outbox.claim_notifications, "T1", late - timedelta(seconds=1), 10) == []
    (due,) = await database.run(outbox.claim_notifications, "T1", late, 10)
    assert due.kind is NotificationKind.SENT
    assert await database.run(outbox.claim_notifications, "T1", late, 10) == []

    await database.run(outbox.mark_sent, due, "C1", "1.2", late)
    assert await database.run(outbox.claim_notifications, "T1", late + timedelta(days=1), 10) == []


async def test_the_waiting_notification_is_enqueued_once_and_only_while_the_survey_waits(
    database: Database,
) -> None:
    record, other = await accept(database, "V1"), await accept(database, "V2")
    await database.run(send_queue.cancel, other.id, "T1", "U1")

    assert await database.run(outbox.enqueue_waiting, record.id, NOW)
    assert not await database.run(outbox.enqueue_waiting, record.id, NOW)
    assert not await database.run(outbox.enqueue_waiting, other.id, NOW)

    sending = await accept(database, "V3")
    await database.run(send_queue.begin_attempt, sending, "one", NOW)
    assert not await database.run(outbox.enqueue_waiting, sending.id, NOW)


async def test_a_response_url_is_erased_once_it_has_expired(database: Database) -> None:
    record = await accept(database)
    for minutes, expected in ((29, ORIGIN.response_url), (31, "")):
        await database.run(send_queue.erase_response_urls, NOW + timedelta(minutes=minutes))
        current = await database.run(get_survey, record.id)
        assert current
        assert current.origin.response_url == expected


def test_a_new_connection_does_not_create_a_missing_sqlite_file(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / '100% ours#1.db'}", GENEROUS)
    created = list(tmp_path.iterdir())
    engine.dispose()
    for part in tmp_path.iterdir():
        part.rename(part.with_suffix(".away"))

    with pytest.raises(sqlalchemy.exc.OperationalError, match="unable to open database file"):
        engine.connect()

    assert created
    assert all(part.suffix == ".away" for part in tmp_path.iterdir())
    engine.dispose()


@pytest.fixture(name="usual_umask")
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_only_its_owner_can_read_a_new_sqlite_database_and_its_log(tmp_path: Path) -> None:
    with contextlib.closing(Database(f"sqlite:///{tmp_path / 'csat.db'}", GENEROUS)):
        modes = {part.name: oct(part.stat().st_mode & 0o777) for part in tmp_path.iterdir()}

    assert modes == dict.fromkeys(("csat.db", "csat.db-wal", "csat.db-shm"), "0o600")


@pytest.mark.usefixtures("usual_umask")
def test_an_existing_sqlite_database_keeps_its_mode(tmp_path: Path) -> None:
    (file := tmp_path / "csat.db").touch()
    file.chmod(0o640)
    Database(f"sqlite:///{file}", GENEROUS).close()

    assert oct(file.stat().st_mode & 0o777) == "0o640"
