"""`/csat report` shows supervisors, and nobody else, how customers answered."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from blocks.report_reply import report_message
from bootstrap.lifespan import lifespan
from csat.db import tables
from csat.english_dates import format_day
from csat.reporting.periods import Period, last_days
from csat.reporting.report_model import Filters, FollowUpCounts, Report, Tally
from csat.surveys.questions import SCALES, Metric
from csat.surveys.transports import TransportName
from handlers.command_args import InvalidArguments
from handlers.report_args import ReportArgs, parse_report_args
from sandbox.slack import Message, fixtures
from sandbox.slack.blockkit import validate_blocks
from tests.databases import SLOW_KINDS, Databases
from tests.factories import NOON
from tests.world import World, is_app_idle, running_world, visible_text

UTC = ZoneInfo("UTC")
MONTH = last_days(30, NOON, UTC)
FIRST, LAST = date(2026, 2, 1), date(2026, 2, 28)


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with one supervisor, Cleo, on each kind of database."""
    folder = tmp_path_factory.mktemp("world")
    url = databases.make(request.param, folder)
    async with running_world(folder, database_url=url, csat_supervisors=fixtures.CLEO) as world:
        yield world


async def run(world: World, words: str, command: str = "/csat report", user: str = fixtures.CLEO) -> Message:
    """Run a command and return the reply that contains these words."""
    await world.workspace.run_command(user, fixtures.SUPPORT, command)
    return await world.wait_for_message(words, viewer=user)


async def test_only_the_supervisor_sees_the_report(world: World) -> None:
    world.insert_rated([5] * 45 + [2] * 5 + [None] * 50)
    world.insert_rated([5] * 20 + [1] * 20, days_ago=40)
    world.insert_rated([None], days_ago=70)
    world.insert_rated([1] * 3, requester=fixtures.CLEO)

    message = await run(world, "CSAT score: ")

    words = visible_text(message)
    assert "90% (95% interval 79 to 96) from 50 answers. Average rating 4.7 of 5." in words
    assert "Previous 30 days: 50% from 40 answers; up 40 points (95% interval 21 to 56)." in words
    assert (
        "100 sent (3 of your own surveys left out) · 50 answers · 0 comments (0% of answers) · 50 still open"
        in words
    )
    assert "Response rate: not known until 14 days have passed; 50 still open" in words
    assert "5 low ratings (your own surveys left out): 5 unassigned" in words
    assert " 5 ████████████████████ 45 (90%)\n 4                      0 (0%)" in words
    assert "not who chose to respond" in words
    assert "5 of 5: 45 (90%) · 4 of 5: 0 (0%)" in message.text
    assert world.find_message("CSAT score", viewer=fixtures.ADA) is None


async def test_a_report_is_recorded_in_the_audit_log(world: World) -> None:
    await run(world, "No NPS survey", "/csat report 7d nps")

    ((person, action, detail),) = world.rows(
        tables.audit.c.viewer, tables.audit.c.action, tables.audit.c.detail
    )
    assert (person, action) == (fixtures.CLEO, "report")
    assert detail.endswith(", nps")


async def test_a_replayed_command_shows_no_second_report_even_after_a_restart(world: World) -> None:
    world.insert_rated([5] * 10)
    await run(world, "CSAT score: ")
    command = world.workspace.deliveries[-1]
    await world.workspace.redeliver(command)
    async with lifespan(world.settings, world.clock):
        for _ in range(4):  # to either instance
            await world.workspace.redeliver(command)
        await world.wait_until(is_app_idle)
        assert world.count_messages("CSAT score: ", viewer=fixtures.CLEO) == 1
        assert world.rows(tables.audit.c.action) == [("report",)]

        await world.workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, "/csat report")
        await world.wait_until(lambda: world.count_messages("CSAT score: ", viewer=fixtures.CLEO) == 2)


async def test_the_metric_can_be_chosen(world: World) -> None:
    world.insert_rated([10] * 50 + [8] * 30 + [3] * 20, metric="nps")

    message = await run(world, "NPS: ", "/csat report nps 90 days")

    assert "NPS: +30 (95% interval +14 to +44) from 100 answers." in visible_text(message)
    assert "10 ████████████████████ 50 (50%)" in visible_text(message)


async def test_a_way_of_sending_can_be_chosen_and_is_recorded(world: World) -> None:
    world.insert_rated([5] * 10)
    world.insert_rated([1] * 10, transport="x_link")

    message = await run(world, "CSAT score, ", "/csat report link 30d")

    words = visible_text(message)
    assert ", sent as a link in a direct messageCSAT score: 0%" in words
    assert ", sent as a link in a direct message. CSAT score: 0%" in message.text
    assert "10 sent · 10 answers" in words
    assert "Sent as " not in words
    assert [detail[-8:] for (detail,) in world.rows(tables.audit.c.detail)] == [", x_link"]

    both = visible_text(await run(world, "CSAT score: 50%"))
    assert "Sent as X's feedback card: 10 · as a link in a direct message: 10" in both


async def test_without_surveys_of_the_chosen_way_the_report_says_so(world: World) -> None:
    world.insert_rated([5] * 10)

    message = await run(world, "No CSAT surveys were sent as a link in a direct message", "/csat report link")

    assert "in this period or the one before." in visible_text(message)


@pytest.mark.parametrize("number", [1, 4])
async def test_fewer_than_five_answers_show_neither_score_nor_ratings(world: World, number: int) -> None:
    world.insert_rated([5] * number)

    message = await run(world, "CSAT score: ")

    assert "none, with " in visible_text(message)
    assert "with fewer, each would be a quarter of the score or more." in visible_text(message)
    assert "5 of 5" not in visible_text(message) + message.text
    assert "█" not in visible_text(message)


async def test_an_empty_report_shows_the_first_steps(world: World) -> None:
    message = await run(world, "No CSAT surveys were sent")

    assert "Type /csat @customer in any channel" in visible_text(message)
    assert "Type /csat @customer in any channel" in message.text


async def test_an_empty_report_does_not_explain_how_to_send_to_a_supervisor_who_may_not(
    tmp_path: Path,
) -> None:
    async with running_world(tmp_path, csat_supervisors=fixtures.CLEO, csat_agents=fixtures.ADA) as world:
        message = await run(world, "No CSAT surveys were sent")

    assert "Run the report again later" in visible_text(message)
    assert "/csat @handle" not in visible_text(message) + message.text


async def test_an_empty_report_names_the_other_metric_where_that_has_surveys(world: World) -> None:
    world.insert_rated([10], metric="nps")
    today = world.clock().date()
    period = f"{today - timedelta(days=6)}..{today}"

    message = await run(world, "No CSAT surveys were sent", "/csat report 7d")

    words = visible_text(message)
    assert "in this period or the one before. 1 NPS survey was sent in this period: " in words
    assert f"type /csat report {period} nps." in words
    assert "/csat @handle" not in words
    assert "Run the report again later" not in words
    assert "NPS: none, with 1 answer." in visible_text(
        await run(world, "NPS: ", f"/csat report {period} nps")
    )


async def test_a_report_on_a_time_before_the_first_survey_says_when_the_data_begins(world: World) -> None:
    world.insert_rated([5] * 6)
    begin = format_day((world.clock() - timedelta(days=3)).date())

    message = await run(world, "No CSAT surveys were sent", "/csat report 2024-01-01..2024-12-31")

    assert f"were sent in this period; this data begins on {begin}." in visible_text(message)
    assert "Run the report again later" not in visible_text(message) + message.text
    assert "/csat @handle" not in visible_text(message) + message.text


async def test_agents_are_refused_a_report(world: World) -> None:
    world.insert_rated([5] * 10)

    message = await run(world, "Reports are for supervisors", user=fixtures.ADA)

    assert "CSAT_SUPERVISORS" in visible_text(message)
    assert world.find_message("CSAT score", viewer=fixtures.ADA) is None
    assert world.rows(tables.audit) == []


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("soon", "Enter one like 30d, last week, 2026-11, or 2026-09-01..2026-09-30."),
        ("30d npss", "“30d npss” isn't a period."),
        ("30d @ada", "choose it in this app's Home"),
        ("30d #support", "choose it in this app's Home"),
        ("0d", "A report covers 1 to 731 days"),
        ("csat nps", "Choose one score"),
        ("30d card link", "Choose card, link or slack, or none for all"),
        ("slack link", "Choose card, link or slack, or none for all"),
        ("2026-02-30..2026-03-01", "2026-02-30 isn't a date"),
        ("0001-01-01..0001-01-31", "There are no surveys before 2006"),
        ("9999-12-01..9999-12-31", "The last day is in the future"),
    ],
)
async def test_invalid_arguments_are_answered_with_advice(world: World, words: str, advice: str) -> None:
    message = await run(world, advice, f"/csat report {words}")

    assert "For example: /csat report 30d nps" in visible_text(message)


async def test_the_help_mentions_reports(world: World) -> None:
    assert "/csat report" in visible_text(await run(world, "opens the survey form", "/csat help"))


@pytest.mark.parametrize(
    ("words", "metric", "period"),
    [
        ("", Metric.CSAT, MONTH),
        ("30d", Metric.CSAT, MONTH),
        ("NPS", Metric.NPS, MONTH),
        ("nps, 7d", Metric.NPS, last_days(7, NOON, UTC)),
        ("7 days csat", Metric.CSAT, last_days(7, NOON, UTC)),
        ("nps 2026-02", Metric.NPS, Period(first=FIRST, last=LAST, zone=UTC)),
        ("2026-02-28", Metric.CSAT, Period(first=LAST, last=LAST, zone=UTC)),
        ("2026-02-01 .. 2026-02-28 nps nps", Metric.NPS, Period(first=FIRST, last=LAST, zone=UTC)),
    ],
)
def test_metric_and_period_are_parsed_in_any_order(words: str, metric: Metric, period: Period) -> None:
    assert parse_report_args(words, NOON, UTC) == ReportArgs(metric, period)


@pytest.mark.parametrize(
    ("words", "transport"),
    [
        ("Link", TransportName.X_LINK),
        ("nps card, 7d", TransportName.X_CARD),
        ("slack 7d nps", TransportName.SLACK),
        ("link 2026-02 link", TransportName.X_LINK),
    ],
)
def test_a_way_of_sending_is_parsed_in_any_order(words: str, transport: TransportName) -> None:
    assert parse_report_args(words, NOON, UTC).transport is transport


def test_long_invalid_arguments_are_not_repeated() -> None:
    with pytest.raises(InvalidArguments) as problem:
        parse_report_args("x" * 3_000, NOON, UTC)

    assert len(str(problem.value)) < 200


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("number", [0, 1, 5, 10**9])
def test_any_report_is_within_slacks_limits(metric: Metric, number: int) -> None:
    ratings = dict.fromkeys(SCALES[metric], number)
    tally = Tally(
        ratings=ratings,
        sent=12 * 10**9,
        open=10**9,
        expired=10**9,
        commented=number,
        disowned=10**9,
        sent_as=dict.fromkeys(TransportName, 6 * 10**9),
    )
    report = Report(
        filters=Filters(team="T1", metric=metric),
        period=last_days(731, NOON, UTC),
        current=tally,
        previous=tally,
        follow_up=FollowUpCounts(low=10**9, taken=10**9, closed=10**9),
        excluded=10**9,
    )

    message = report_message(report, may_send=True)

    assert validate_blocks(message.blocks, "message") == []
    assert 0 < len(message.text) < 3_000
