"""`/csat report`, as the person who types it sees it."""

from collections.abc import AsyncIterator
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from blocks.report import report_message
from csat.db import tables
from csat.reporting.periods import Period, last_days
from csat.reporting.reports import Filters, FollowUpCounts, Report, Tally
from csat.surveys.questions import SCALES, Metric
from handlers.command_args import InvalidArguments
from handlers.report_args import parse_report_args
from sandbox.slack import Message, fixtures
from sandbox.slack.blockkit import validate_blocks
from tests.databases import KINDS, Databases
from tests.factories import NOON
from tests.world import World, running_world, visible_text

UTC = ZoneInfo("UTC")
MONTH = last_days(30, NOON, UTC)
FIRST, LAST = date(2026, 2, 1), date(2026, 2, 28)


@pytest.fixture(name="watched", params=KINDS)
async def _watched(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with one supervisor, Cleo, on each kind of database."""
    folder = tmp_path_factory.mktemp("world")
    url = databases.make(request.param, folder)
    async with running_world(folder, database_url=url, csat_supervisors=fixtures.CLEO) as world:
        yield world


async def told(world: World, words: str, command: str = "/csat report", user: str = fixtures.CLEO) -> Message:
    """Type a command and return the answer with these words in it, as the person sees it."""
    await world.workspace.run_command(user, fixtures.SUPPORT, command)
    return await world.wait_for_message(words, viewer=user)


async def test_a_supervisor_is_told_the_figures_and_nobody_else_in_the_channel(watched: World) -> None:
    watched.insert_rated([5] * 45 + [2] * 5 + [None] * 50)
    watched.insert_rated([5] * 20 + [1] * 20, days_ago=40)
    watched.insert_rated([1] * 3, requester=fixtures.CLEO)

    message = await told(watched, "CSAT score: ")

    words = visible_text(message)
    assert "90 % (95 % interval 79 to 96) from 50 answers. Average rating 4.7 of 5." in words
    assert "Previous 30 days: 50 % from 40 answers; up 40 points." in words
    assert "100 sent · 50 answers (50 %) · 0 comments (0 %) · 50 still open · 0 expired" in words
    assert "5 low ratings · 0 taken on · 0 closed" in words
    assert " 5 ████████████████████ 45 (90 %)\n 4                      0 (0 %)" in words
    assert "not who chose to answer" in words
    assert "3 of your own surveys are left out." in words
    assert "5 of 5: 45 (90 %) · 4 of 5: 0 (0 %)" in message.text
    assert watched.find_message("CSAT score", viewer=fixtures.ADA) is None


async def test_a_report_is_noted_before_it_is_shown(watched: World) -> None:
    await told(watched, "No NPS survey", "/csat report 7d nps")

    ((person, action, detail),) = watched.rows(
        tables.audit.c.viewer, tables.audit.c.action, tables.audit.c.detail
    )
    assert (person, action) == (fixtures.CLEO, "report")
    assert detail.endswith(", nps")


async def test_nps_is_asked_for_by_its_name(watched: World) -> None:
    watched.insert_rated([10] * 50 + [8] * 30 + [3] * 20, metric="nps")

    message = await told(watched, "NPS: ", "/csat report nps 90 days")

    assert "NPS: +30 (95 % interval +14 to +44) from 100 answers." in visible_text(message)
    assert "10 ████████████████████ 50 (50 %)" in visible_text(message)


@pytest.mark.parametrize("number", [1, 4])
async def test_of_fewer_than_five_answers_there_is_no_score_and_no_rating(
    watched: World, number: int
) -> None:
    watched.insert_rated([5] * number)

    message = await told(watched, "CSAT score: ")

    assert "- from " in visible_text(message)
    assert "With fewer than 5, there is no score" in visible_text(message)
    assert "5 of 5" not in visible_text(message) + message.text
    assert "█" not in visible_text(message)


async def test_an_empty_workspace_is_told_how_to_begin(watched: World) -> None:
    message = await told(watched, "No CSAT surveys were sent")

    assert "Type /csat @handle in any channel" in visible_text(message)
    assert "Type /csat @handle in any channel" in message.text


async def test_an_agent_is_told_that_reports_are_for_supervisors(watched: World) -> None:
    watched.insert_rated([5] * 10)

    message = await told(watched, "Reports are for supervisors", user=fixtures.ADA)

    assert "CSAT_SUPERVISORS" in visible_text(message)
    assert watched.find_message("CSAT score", viewer=fixtures.ADA) is None
    assert watched.rows(tables.audit) == []


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("yesterday", "Enter a period like 30d"),
        ("0d", "A report covers 1 to 731 days"),
        ("csat nps", "Choose one score"),
        ("2026-02-30..2026-03-01", "2026-02-30 is not a date"),
    ],
)
async def test_words_that_are_not_understood_get_an_advice(watched: World, words: str, advice: str) -> None:
    message = await told(watched, advice, f"/csat report {words}")

    assert "For example: /csat report 30d nps" in visible_text(message)


async def test_the_help_tells_of_reports(watched: World) -> None:
    assert "/csat report" in visible_text(await told(watched, "opens the survey form", "/csat help"))


@pytest.mark.parametrize(
    ("words", "metric", "period"),
    [
        ("", Metric.CSAT, MONTH),
        ("30d", Metric.CSAT, MONTH),
        ("NPS", Metric.NPS, MONTH),
        ("nps, 7d", Metric.NPS, last_days(7, NOON, UTC)),
        ("7 days csat", Metric.CSAT, last_days(7, NOON, UTC)),
        ("2026-02-01 .. 2026-02-28 nps nps", Metric.NPS, Period(first=FIRST, last=LAST, zone=UTC)),
    ],
)
def test_score_and_days_are_named_in_any_order(words: str, metric: Metric, period: Period) -> None:
    assert parse_report_args(words, NOON, UTC) == (metric, period)


def test_what_is_not_understood_is_not_repeated_at_length() -> None:
    with pytest.raises(InvalidArguments) as problem:
        parse_report_args("x" * 3_000, NOON, UTC)

    assert len(str(problem.value)) < 200


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("number", [0, 1, 5, 10**9])
def test_any_report_is_within_slacks_limits(metric: Metric, number: int) -> None:
    ratings = dict.fromkeys(SCALES[metric], number)
    tally = Tally(ratings=ratings, sent=12 * 10**9, open=10**9, expired=10**9, commented=number)
    report = Report(
        filters=Filters(team="T1", metric=metric),
        period=last_days(731, NOON, UTC),
        current=tally,
        previous=tally,
        follow_up=FollowUpCounts(low=10**9, taken=10**9, closed=10**9),
        excluded=10**9,
    )

    message = report_message(report)

    assert validate_blocks(message.blocks, "message") == []
    assert 0 < len(message.text) < 3_000
