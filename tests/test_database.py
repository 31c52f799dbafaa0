"""The life of a survey in the ledger, step by step."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
import stamina
from sqlalchemy import Connection

from csat.db import outbox, send_queue, submissions
from csat.db.accounts import open_account
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.outbox import NotificationKind
from csat.db.survey_records import Refusal, SurveyRecord, get_survey
from csat.surveys.limits import Limits
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.survey import Origin, Receipt, Survey

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
SURVEY = Survey(
    metric=Metric.CSAT,
    variant=0,
    display_name="Northwind",
    recipient=Recipient(handle="mira_k", id="33"),
    message="How did we do?",
    privacy_url="https://northwind.example/privacy",
    external_id="case_1",
    test=False,
)
ORIGIN = Origin(
    team="T1", channel="C1", requester="U1", response_url="https://hooks.slack.com/1", received_at=NOW
)
RECEIPT = Receipt(id="9", dm_id="8", to_user_id="33", question_variant_id=0, created_at=NOW, updated_at=NOW)
LIMITS = Limits()
REFUSAL = Refusal(reason="MessageTooLong", advice="Shorten it.", editable=True)


def submission(view_id: str, instance: str = "one", key: str | None = None) -> submissions.Submission:
    """Return a submission; each view has a customer of its own, unless a key says who it is."""
    return submissions.Submission(view_id, SURVEY, ORIGIN, "A1", instance, key or f"customer of {view_id}")


async def accepted(database: Database, view_id: str = "V1", instance: str = "one") -> SurveyRecord:
    await database.run(open_account, "A1")
    kept = await database.run(submissions.accept, submission(view_id, instance), LIMITS, NOW)
    assert kept.is_new
    return kept.entry


async def state(database: Database, entry: SurveyRecord) -> State:
    now = await database.run(get_survey, entry.id)
    assert now
    return now.state


async def test_what_was_accepted_is_read_back_whole(database: Database) -> None:
    entry = await accepted(database)

    assert await database.run(get_survey, entry.id) == entry
    assert (entry.survey, entry.origin, entry.state) == (SURVEY, ORIGIN, State.ACCEPTED)


async def test_long_reports_keep_nobody_from_being_accepted(database: Database) -> None:
    counted = threading.Event()
    reports = [asyncio.create_task(database.read(lambda _: counted.wait(20))) for _ in range(9)]
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await accepted(database)
    assert not any(report.done() for report in reports)
    counted.set()
    assert all(await asyncio.gather(*reports))


@pytest.fixture(name="no_waits")
def _no_waits() -> Iterator[None]:
    """Retry at once."""
    with stamina.set_testing(True, attempts=6):
        yield


def fail_times(failures: int) -> Callable[[Connection], str]:
    """Return a transaction that fails so many times before it succeeds."""
    errors = [sqlalchemy.exc.OperationalError("", {}, Exception("database is locked"))] * failures

    def transaction(_connection: Connection) -> str:
        if errors:
            raise errors.pop()
        return "done"

    return transaction


@pytest.mark.usefixtures("no_waits")
async def test_a_transaction_is_retried_while_the_database_is_unavailable(database: Database) -> None:
    assert await database.run_with_retry(fail_times(5)) == "done"
    with pytest.raises(DatabaseError, match="database is locked"):
        await database.run_with_retry(fail_times(6))


@pytest.mark.usefixtures("no_waits")
async def test_an_error_of_the_transaction_itself_is_not_retried(database: Database) -> None:
    runs = []

    def fail(_connection: Connection) -> None:
        runs.append("run")
        raise LookupError

    with pytest.raises(LookupError):
        await database.run_with_retry(fail)
    assert runs == ["run"]


async def test_the_same_view_is_accepted_once(database: Database) -> None:
    entry = await accepted(database)
    again = await database.run(submissions.accept, submission("V1", "two"), LIMITS, NOW)

    assert (again.entry, again.is_new) == (entry, False)


async def test_nobody_takes_what_another_instance_has_claimed_until_its_lease_ends(
    database: Database,
) -> None:
    entry = await accepted(database)

    assert await database.run(send_queue.claim, "two", NOW + timedelta(seconds=11), 10) == []
    claimed = await database.run(send_queue.claim, "two", NOW + timedelta(seconds=16), 10)
    assert [found.id for found in claimed] == [entry.id]


async def test_an_instance_that_lost_its_claim_does_not_begin(database: Database) -> None:
    entry = await accepted(database)
    await database.run(send_queue.claim, "two", NOW + timedelta(seconds=16), 10)

    assert await database.run(send_queue.begin_attempt, entry, "one", NOW + timedelta(seconds=17)) is None
    assert await database.run(send_queue.begin_attempt, entry, "two", NOW + timedelta(seconds=17)) == 1


async def test_what_was_cancelled_does_not_begin_and_what_began_is_not_cancelled(database: Database) -> None:
    cancelled, begun = await accepted(database, "V1"), await accepted(database, "V2")

    assert await database.run(send_queue.cancel, cancelled.id, "U1") is State.CANCELLED
    assert await database.run(send_queue.begin_attempt, cancelled, "one", NOW) is None
    assert await database.run(send_queue.begin_attempt, begun, "one", NOW) == 1
    assert await database.run(send_queue.cancel, begun.id, "U1") is State.SENDING


async def test_only_the_requester_cancels(database: Database) -> None:
    entry = await accepted(database)

    assert await database.run(send_queue.cancel, entry.id, "U2") is None
    assert await database.run(send_queue.cancel, 404, "U1") is None
    assert await state(database, entry) is State.ACCEPTED


async def test_what_an_instance_that_is_gone_had_begun_is_uncertain_and_never_claimed(
    database: Database,
) -> None:
    entry = await accepted(database)
    await database.run(send_queue.begin_attempt, entry, "one", NOW)
    later = NOW + timedelta(seconds=41)

    assert await database.run(send_queue.mark_stalled, NOW + timedelta(seconds=39)) == []
    (notification,) = await database.run(send_queue.mark_stalled, later)
    assert (notification.survey.id, notification.kind) == (entry.id, NotificationKind.UNCERTAIN)
    assert await state(database, entry) is State.UNCERTAIN
    assert await database.run(send_queue.claim, "two", later + timedelta(days=1), 10) == []


async def test_a_late_receipt_settles_what_had_become_uncertain(database: Database) -> None:
    entry = await accepted(database)
    number = await database.run(send_queue.begin_attempt, entry, "one", NOW)
    assert number
    await database.run(send_queue.mark_stalled, NOW + timedelta(seconds=41))

    assert await database.run(send_queue.mark_sent, entry.id, number, RECEIPT, NOW)
    assert await state(database, entry) is State.SENT


async def test_a_receipt_that_comes_twice_is_noted_once(database: Database) -> None:
    entry = await accepted(database)
    number = await database.run(send_queue.begin_attempt, entry, "one", NOW)
    assert number

    assert await database.run(send_queue.mark_sent, entry.id, number, RECEIPT, NOW)
    assert not await database.run(send_queue.mark_sent, entry.id, number, RECEIPT, NOW)
    assert not await database.run(send_queue.mark_uncertain, entry.id, number, "late", NOW)
    assert not await database.run(send_queue.refuse, entry.id, number, REFUSAL, "late", NOW)
    assert await state(database, entry) is State.SENT


async def test_a_refusal_keeps_its_reason(database: Database) -> None:
    entry = await accepted(database)

    assert await database.run(send_queue.refuse, entry.id, None, REFUSAL, "", NOW)
    refused = await database.run(get_survey, entry.id)
    assert refused
    assert refused.refusal == REFUSAL


async def test_a_survey_that_waits_is_claimed_when_its_time_has_come(database: Database) -> None:
    entry = await accepted(database)
    number = await database.run(send_queue.begin_attempt, entry, "one", NOW)
    await database.run(send_queue.reschedule, entry.id, number, NOW + timedelta(minutes=15), "429", NOW)

    assert await database.run(send_queue.claim, "two", NOW + timedelta(minutes=14), 10) == []
    (claimed,) = await database.run(send_queue.claim, "two", NOW + timedelta(minutes=15), 10)
    assert await database.run(send_queue.begin_attempt, claimed, "two", NOW + timedelta(minutes=15)) == 2


async def test_a_cancelled_survey_does_not_come_back_by_waiting(database: Database) -> None:
    entry = await accepted(database)
    await database.run(send_queue.cancel, entry.id, "U1")
    await database.run(send_queue.reschedule, entry.id, None, NOW, "look-up", NOW)

    assert await state(database, entry) is State.CANCELLED


async def test_news_are_claimed_by_others_only_when_nobody_told_them(database: Database) -> None:
    entry = await accepted(database)
    number = await database.run(send_queue.begin_attempt, entry, "one", NOW)
    assert number
    await database.run(send_queue.mark_sent, entry.id, number, RECEIPT, NOW)
    late = NOW + outbox.CLAIM_LEASE

    assert await database.run(outbox.claim_notifications, late - timedelta(seconds=1), 10) == []
    (due,) = await database.run(outbox.claim_notifications, late, 10)
    assert due.kind is NotificationKind.SENT
    assert await database.run(outbox.claim_notifications, late, 10) == []

    await database.run(outbox.mark_sent, due, "C1", "1.2", late)
    assert await database.run(outbox.claim_notifications, late + timedelta(days=1), 10) == []


async def test_waiting_is_told_once_and_only_while_it_is_true(database: Database) -> None:
    entry, other = await accepted(database, "V1"), await accepted(database, "V2")
    await database.run(send_queue.cancel, other.id, "U1")

    assert await database.run(outbox.enqueue_waiting, entry.id, NOW)
    assert not await database.run(outbox.enqueue_waiting, entry.id, NOW)
    assert not await database.run(outbox.enqueue_waiting, other.id, NOW)


async def test_a_response_url_is_erased_once_slack_no_longer_answers_it(database: Database) -> None:
    entry = await accepted(database)
    for minutes, left in ((29, ORIGIN.response_url), (31, "")):
        await database.run(send_queue.erase_response_urls, NOW + timedelta(minutes=minutes))
        now = await database.run(get_survey, entry.id)
        assert now
        assert now.origin.response_url == left
