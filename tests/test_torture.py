"""Short versions of the cases of `make torture`, and related tests of the send worker."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.torture.app_processes import AppProcesses
from bench.torture.cases import api_faults, kills, locked_or_full_sqlite, two_instances
from bench.torture.cases.push_responses import push_responses
from bench.torture.checker import CaseResult
from bench.torture.customers import run_with_customers
from bench.torture.harness import Harness, open_harness
from csat.surveys.transports import TransportName
from tests.databases import KINDS, Databases

SOCKET_MODE = " over Socket Mode"
BY_LINK = " by a link"
IN_SLACK = " in Slack"
IN_THREAD = " in Slack, in a thread"
TRANSPORTS = {BY_LINK: TransportName.X_LINK, IN_SLACK: TransportName.SLACK}


@pytest.fixture(name="processes", scope="module")
def _processes() -> AppProcesses:
    return AppProcesses()


@pytest.fixture(name="harness", params=KINDS)
async def _harness(
    processes: AppProcesses, databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Harness]:
    kind, options = request.param.split()[0], request.param
    transports = [transport for words, transport in TRANSPORTS.items() if words in options]
    transport = next(iter(transports), TransportName.X_CARD)
    async with open_harness(
        processes,
        databases,
        kind,
        tmp_path,
        socket_mode=SOCKET_MODE in options,
        transport=transport,
        in_thread=IN_THREAD in options,
    ) as harness:
        yield harness
    assert harness.unexpected_errors() == []


pytestmark = pytest.mark.slow

on_sqlite = pytest.mark.parametrize("harness", ["sqlite"], indirect=True)
by_link = pytest.mark.parametrize("harness", [f"sqlite{BY_LINK}"], indirect=True)
in_slack = pytest.mark.parametrize("harness", [f"sqlite{IN_SLACK}"], indirect=True)
in_thread = pytest.mark.parametrize("harness", [f"sqlite{IN_THREAD}"], indirect=True)
on_postgresql = pytest.mark.parametrize("harness", [f"postgresql{SOCKET_MODE}"], indirect=True)
EVEN, ODD = slice(0, None, 2), slice(1, None, 2)


@pytest.fixture(name="rng")
def _rng() -> random.Random:
    return random.Random(20260)  # noqa: S311 - repeatable


def assert_passed(result: CaseResult) -> None:
    assert result.failures == []
    assert result.passed
    assert result.submitted
    assert not result.unconfirmed


@pytest.mark.parametrize("failpoint", ["accept:after", "begin_attempt:after", "mark_sent:before"])
async def test_no_survey_is_lost_or_duplicated_when_the_app_is_killed_between_transactions(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    result = await kills.kill_at_failpoint(harness, rng, 2, failpoint)

    assert_passed(result)
    assert result.kills == 2


async def test_a_survey_in_flight_during_a_kill_is_settled_a_day_later_as_x_recorded_it(
    harness: Harness, rng: random.Random
) -> None:
    result = await kills.kill_at_failpoint(harness, rng, 2, "x_create:sent")

    assert_passed(result)
    assert result.settled_right == result.uncertain >= result.kills == 2


@on_sqlite
async def test_no_survey_is_lost_or_duplicated_when_the_app_is_killed_at_random(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await kills.kill_at_random(harness, rng, 3))


@pytest.mark.parametrize(("harness", "part"), [("sqlite", EVEN), ("postgresql", ODD)], indirect=["harness"])
async def test_no_survey_is_lost_or_duplicated_when_x_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    result = await api_faults.inject_x_faults(harness, rng, 1, part)

    assert_passed(result)
    assert result.uncertain
    assert result.refused


@pytest.mark.parametrize(
    ("harness", "part"),
    [(f"sqlite{SOCKET_MODE}", EVEN), (f"postgresql{SOCKET_MODE}", ODD)],
    indirect=["harness"],
)
async def test_no_survey_is_lost_or_duplicated_when_slack_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    assert_passed(await api_faults.inject_slack_faults(harness, rng, 1, part))


async def test_no_response_is_lost_or_counted_twice_in_whatever_order_events_arrive(
    harness: Harness, rng: random.Random
) -> None:
    result = await push_responses(harness, rng, 400, surveys=24, step=2 * 86_400)

    assert_passed(result)
    assert result.responses == result.responses_stored > result.kills


@on_postgresql
async def test_an_instance_takes_over_the_surveys_of_a_killed_one(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await two_instances.kill_one(harness, rng, 1))


@on_postgresql
@pytest.mark.parametrize("failpoint", ["begin_attempt:after", "x_create:sent"])
async def test_an_instance_may_resume_after_its_attempts_were_marked_uncertain(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    result = await two_instances.freeze_one(harness, rng, 1, [failpoint], poll_seconds=3)

    assert_passed(result)
    assert result.uncertain >= result.kills == 1


@on_postgresql
async def test_two_instances_with_clocks_ten_minutes_apart_send_each_survey_once_while_x_is_slow(
    harness: Harness, rng: random.Random
) -> None:
    skews = -two_instances.TEN_MINUTES, two_instances.TEN_MINUTES

    assert_passed(await two_instances.overlap(harness, rng, 16, skews))


@on_postgresql
async def test_no_survey_is_lost_or_duplicated_when_postgresql_restarts(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await two_instances.restart_server(harness, rng, 2))


@on_sqlite
async def test_no_survey_is_lost_or_duplicated_while_another_process_locks_the_sqlite_file(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await locked_or_full_sqlite.lock_file(harness, rng, 3))


@on_sqlite
async def test_no_survey_is_lost_or_duplicated_while_the_sqlite_file_is_full(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await locked_or_full_sqlite.fill_file(harness, rng, 1))


@by_link
@pytest.mark.parametrize("failpoint", ["begin_attempt:after", "x_create:sent", "mark_sent:before"])
async def test_no_link_or_rating_is_lost_or_duplicated_when_the_app_is_killed(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    case = kills.kill_at_failpoint(harness, rng, 2, failpoint)
    result = await run_with_customers(harness, rng, case)

    assert_passed(result)
    assert result.kills == 2
    assert result.responses == result.responses_stored


@by_link
@pytest.mark.parametrize("part", [EVEN, ODD])
async def test_no_link_or_rating_is_lost_or_duplicated_when_x_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    result = await run_with_customers(harness, rng, api_faults.inject_x_faults(harness, rng, 1, part))

    assert_passed(result)
    assert result.uncertain
    assert result.refused
    assert result.responses == result.responses_stored > 0


@pytest.mark.parametrize("harness", [f"postgresql{SOCKET_MODE}{BY_LINK}"], indirect=True)
async def test_an_instance_takes_over_the_links_of_a_killed_one(harness: Harness, rng: random.Random) -> None:
    assert_passed(await run_with_customers(harness, rng, two_instances.kill_one(harness, rng, 1)))


@in_slack
@pytest.mark.parametrize("failpoint", ["begin_attempt:after", "slack_post:sent", "mark_sent:before"])
async def test_no_survey_or_rating_in_slack_is_lost_or_duplicated_when_the_app_is_killed(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    case = kills.kill_at_failpoint(harness, rng, 2, failpoint)
    result = await run_with_customers(harness, rng, case)

    assert_passed(result)
    assert result.kills == 2
    assert result.responses == result.responses_stored > 0


@pytest.mark.parametrize(
    ("harness", "part"),
    [(f"sqlite{SOCKET_MODE}{IN_SLACK}", EVEN), (f"postgresql{SOCKET_MODE}{IN_SLACK}", ODD)],
    indirect=["harness"],
)
async def test_no_survey_or_rating_in_slack_is_lost_or_duplicated_when_slack_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    result = await run_with_customers(harness, rng, api_faults.inject_slack_faults(harness, rng, 1, part))

    assert_passed(result)
    assert result.responses == result.responses_stored > 0


@pytest.mark.parametrize("harness", [f"postgresql{SOCKET_MODE}{IN_SLACK}"], indirect=True)
async def test_an_instance_takes_over_the_surveys_in_slack_of_a_killed_one(
    harness: Harness, rng: random.Random
) -> None:
    assert_passed(await run_with_customers(harness, rng, two_instances.kill_one(harness, rng, 1)))


@in_thread
@pytest.mark.parametrize("failpoint", ["begin_attempt:after", "slack_post:sent", "mark_sent:before"])
async def test_no_invitation_or_its_rating_is_lost_or_duplicated_when_the_app_is_killed(
    harness: Harness, rng: random.Random, failpoint: str
) -> None:
    case = kills.kill_at_failpoint(harness, rng, 2, failpoint)
    result = await run_with_customers(harness, rng, case)

    assert_passed(result)
    assert result.kills == 2
    assert result.responses == result.responses_stored > 0


@pytest.mark.parametrize(
    ("harness", "part"),
    [(f"sqlite{SOCKET_MODE}{IN_THREAD}", EVEN), (f"postgresql{SOCKET_MODE}{IN_THREAD}", ODD)],
    indirect=["harness"],
)
async def test_no_invitation_or_its_rating_is_lost_or_duplicated_when_slack_fails(
    harness: Harness, rng: random.Random, part: slice
) -> None:
    result = await run_with_customers(harness, rng, api_faults.inject_slack_faults(harness, rng, 1, part))

    assert_passed(result)
    assert result.responses == result.responses_stored > 0
