"""No sum, and no difference of sums, tells a supervisor how the customers of their own surveys answered.

Every text that a supervisor can get is collected once for each answer that their customers could have given.
If the texts are the same each time, then so is everything that can be computed from them.
"""

import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy

from blocks.customer_status import CHECK_CUSTOMER, DISOWNED, STATE_LABELS
from blocks.home_report_controls import ActionId
from bootstrap.lifespan import lifespan
from csat.db import follow_ups, tables
from csat.surveys.questions import Metric
from csat.surveys.responses import is_low
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from sandbox.slack import fixtures
from tests.world import HASTY, World, is_app_idle, running_world

pytestmark = pytest.mark.unmeasured

READER, COLLEAGUE, AGENT = fixtures.CLEO, fixtures.BEN, fixtures.ADA
"""The reader and a colleague supervise; the agent does not."""
OWN_DAYS_AGO = (3, 10)
"""In the week of the digest, and in the week before, to which it compares."""
CARD, LINK = TransportName.X_CARD, TransportName.X_LINK
TRANSPORTS = {(AGENT, 3): CARD, (AGENT, 10): LINK, (COLLEAGUE, 3): LINK, (COLLEAGUE, 10): CARD}
TRANSPORTS |= {(READER, 3): LINK, (READER, 10): CARD}


class Answer(NamedTuple):
    """The answers to the reader's own surveys."""

    csat: int
    nps: int
    comment: str | None = None
    is_disowned: bool = False
    """Whether the rating page was told that they were meant for somebody else."""


ANSWERS = (
    Answer(1, 0),
    Answer(2, 6, "Slow."),
    Answer(3, 7, is_disowned=True),
    Answer(4, 9, "Good."),
    Answer(5, 10),
)


@pytest.fixture(name="world")
async def _world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The app on a Monday at noon, with two supervisors and two weeks of surveys by three people.

    Its parameter is `CSAT_SUPERVISORS`.
    """
    async with running_world(
        tmp_path, pace=HASTY, csat_supervisors=request.param, csat_results_channel=fixtures.LEADS
    ) as world:
        await world.workspace.set_usergroup_members(fixtures.AGENTS, [COLLEAGUE, READER])
        world.workspace.invite_bot(fixtures.LEADS)
        await world.wait_until(is_app_idle)
        now = datetime.now(UTC)
        monday = now.date() + timedelta(days=14 - now.weekday())
        world.clock.ahead = datetime.combine(monday, time(8), UTC) - now
        for days_ago in OWN_DAYS_AGO:
            for requester, channel in ((AGENT, fixtures.SUPPORT), (COLLEAGUE, fixtures.LOUNGE)):
                others: dict[str, Any] = {"requester": requester, "channel": channel, "days_ago": days_ago}
                others["transport"] = TRANSPORTS[requester, days_ago]
                world.insert_rated([5, 5, 4, 3, 1, None], **others)
                world.insert_rated([10, 9, 8, 5, 0, None], metric="nps", comment="Fine.", **others)
            for metric in Metric:
                own: dict[str, Any] = {"requester": READER, "transport": TRANSPORTS[READER, days_ago]}
                world.insert_rated([None], metric=metric, days_ago=days_ago, **own)
        world.clock.advance(hours=4)
        yield world


def give_answer(world: World, requester: str, answer: Answer) -> None:
    """Let the customer of each of somebody's surveys give an answer, in place of any earlier one."""
    surveys = tables.surveys
    with world.engine.begin() as connection:
        query = sqlalchemy.select(surveys).where(surveys.c.requester == requester)
        for row in connection.execute(query).all():
            metric = Metric(row.metric)
            rating = answer.csat if metric is Metric.CSAT else answer.nps
            values = {
                "state": "answered",
                "rating": rating,
                "rated_at": row.sent_at,
                "comment": answer.comment,
                "commented_at": row.sent_at if answer.comment else None,
                "disowned_at": row.sent_at if answer.is_disowned else None,
            }
            connection.execute(sqlalchemy.update(surveys).where(surveys.c.id == row.id).values(values))
            connection.execute(
                sqlalchemy.delete(tables.follow_ups).where(tables.follow_ups.c.survey_id == row.id)
            )
            if is_low(metric, rating):
                follow_ups.open_follow_up(connection, row.id, fixtures.TEAM, row.sent_at)
                if row.sent_at < world.clock() - timedelta(days=OWN_DAYS_AGO[0] + 1):
                    close(connection, row.id, row.sent_at, f"They gave {rating}.")


def close(connection: sqlalchemy.Connection, survey_id: int, when: datetime, note: str) -> None:
    """Close a low rating as the colleague, who quotes the answer."""
    closing = sqlalchemy.update(tables.follow_ups).where(tables.follow_ups.c.survey_id == survey_id)
    connection.execute(closing.values(closed_by=COLLEAGUE, closed_at=when, note=note))


async def collect_texts(world: World) -> dict[str, str]:
    """Return every text that the reader can get, by where they get it."""
    return {
        **{f"Home, {choice}": text async for choice, text in collect_homes(world)},
        **{command: text async for command, text in collect_reports(world)},
        **{command: text async for command, text in collect_exports(world)},
        "digest": await collect_digest(world),
    }


async def collect_homes(world: World) -> AsyncIterator[tuple[str, str]]:
    """Open the reader's Home with each filter of each period and metric."""
    await world.open_home(READER)
    day = (world.clock() - timedelta(days=OWN_DAYS_AGO[0])).date().isoformat()
    filters: list[tuple[str, str | None]] = [
        (ActionId.CLEAR, None),
        *((ActionId.AGENT, agent) for agent in (AGENT, COLLEAGUE, READER)),
        (ActionId.CLEAR, None),
        *((ActionId.CHANNEL, channel) for channel in (fixtures.SUPPORT, fixtures.LOUNGE)),
        (ActionId.CLEAR, None),
        (ActionId.VARIANT, "0"),
        *((ActionId.TRANSPORT, transport) for transport in TransportName),
        (ActionId.CLEAR, None),
    ]
    for metric in Metric:
        await world.choose_in_home(ActionId.AGENT, READER, READER)  # so that there is a filter to clear
        await world.choose_in_home(ActionId.METRIC, metric, READER)
        await world.choose_in_home(ActionId.PERIOD, "30", READER)
        for action_id, choice in filters:
            await world.choose_in_home(action_id, choice, READER)
            yield f"{metric}, {action_id} {choice}", shown_home(world)
        for period in ("7", "90", "0"):
            await world.choose_in_home(ActionId.PERIOD, period, READER)
            yield f"{metric}, {period} days", shown_home(world)
        for action_id in (ActionId.SINCE, ActionId.UNTIL):
            await world.choose_in_home(action_id, day, READER)
        yield f"{metric}, {day}", shown_home(world)


def shown_home(world: World) -> str:
    """Return the Home that the app published last, without the number of times that filters were cleared.

    Whether one of their own surveys was answered or meant for somebody else, they may know; not by a report.
    """
    calls = [call for call in world.workspace.api_calls if call.method == "views.publish"]
    view = [call.args["view"] for call in calls if call.args["user_id"] == READER][-1]
    shown = (
        json.dumps(view)
        .replace(DISOWNED, STATE_LABELS[State.ANSWERED])
        .replace(f" \\u00b7 {CHECK_CUSTOMER}", "")
    )
    return re.sub(r"home_filters:(\w+):\d+", r"home_filters:\1", shown)


async def collect_reports(world: World) -> AsyncIterator[tuple[str, str]]:
    """Run `/csat report` on periods of several lengths, down to the days of the reader's own surveys.

    One period is also limited to each transport.
    """
    days = [(world.clock() - timedelta(days=days_ago)).date() for days_ago in OWN_DAYS_AGO]
    for period in ("7d", "14d", "30d", "30d card", "30d link", "90d", *(f"{day}..{day}" for day in days)):
        for metric in Metric:
            command = f"/csat report {period} {metric}"
            before = len(replies(world))
            await world.workspace.run_command(READER, fixtures.SUPPORT, command)
            await world.wait_until(lambda before=before: len(replies(world)) > before)  # type: ignore[misc]
            yield command, newest_reply(world)


def replies(world: World) -> list[dict[str, Any]]:
    return [call.args for call in world.workspace.api_calls if call.method == "chat.postEphemeral"]


def newest_reply(world: World) -> str:
    reply = replies(world)[-1]
    return f"{reply['text']} {reply['blocks']}"


async def collect_exports(world: World) -> AsyncIterator[tuple[str, str]]:
    """Run `/csat export`, and read the files, the manifest without its time."""
    for period in ("7d", "90d"):
        before = len(world.workspace.files)
        await world.workspace.run_command(READER, fixtures.SUPPORT, f"/csat export {period}")
        await world.wait_until(lambda before=before: len(complete_files(world)) == before + 2)  # type: ignore[misc]
        for kind, file in zip(("rows", "manifest"), complete_files(world)[before:], strict=True):
            yield (
                f"/csat export {period}, {kind}",
                re.sub(r'"made_at": ".*?"', "", (file.content or b"").decode()),
            )
        yield f"/csat export {period}, message", newest_reply(world)


def complete_files(world: World) -> list[Any]:
    return [file for file in world.workspace.files.values() if file.is_complete]


async def collect_digest(world: World) -> str:
    """Let a new instance of the app post the digest of last week again."""

    def posted() -> list[str]:
        calls = [call for call in world.workspace.api_calls if call.method == "chat.postMessage"]
        return [str(call.args) for call in calls if call.args["channel"] == fixtures.LEADS]

    await world.wait_until(posted)
    await world.wait_until(is_app_idle)
    sent_at = tables.digests.c.sent_at
    await world.wait_until(lambda: world.rows(sent_at, where=sent_at.is_not(None)))
    before = len(posted())
    with world.engine.begin() as connection:
        connection.execute(sqlalchemy.delete(tables.digests))
    async with lifespan(world.settings, world.clock, HASTY):
        await world.wait_until(lambda: len(posted()) > before)
        await world.wait_until(lambda: world.rows(sent_at, where=sent_at.is_not(None)))
    return posted()[-1]


@pytest.mark.parametrize(
    ("world", "answers"),
    [
        pytest.param({READER, COLLEAGUE}, (ANSWERS[0], ANSWERS[3]), id="users"),
        pytest.param(
            {READER, COLLEAGUE},
            (ANSWERS[0], ANSWERS[1], ANSWERS[4]),
            id="users, other answers",
            marks=pytest.mark.slow,
        ),
        pytest.param({fixtures.AGENTS}, (ANSWERS[0], ANSWERS[2]), id="user group", marks=pytest.mark.slow),
    ],
    indirect=["world"],
)
async def test_nothing_that_a_supervisor_can_read_depends_on_the_answers_to_their_own_surveys(
    world: World, answers: Sequence[Answer]
) -> None:
    texts = {}
    for answer in answers:
        give_answer(world, READER, answer)
        texts[answer] = await collect_texts(world)

    for answer in answers[1:]:
        assert texts[answer] == texts[answers[0]]


@pytest.mark.parametrize("world", [{READER, COLLEAGUE}], indirect=True, ids=["users"])
@pytest.mark.slow
async def test_the_same_texts_depend_on_the_answers_to_an_agent_s_surveys(world: World) -> None:
    texts = []
    for answer in (ANSWERS[0], ANSWERS[-1]):
        give_answer(world, AGENT, answer)
        texts.append(await collect_texts(world))

    different = {name for name in texts[0] if texts[0][name] != texts[1][name]}
    assert different >= {
        "digest",
        "/csat report 30d csat",
        "/csat report 7d nps",
        "/csat export 7d, rows",
        f"Home, csat, {ActionId.AGENT} {AGENT}",
        f"Home, csat, {ActionId.TRANSPORT} {CARD}",
        f"Home, nps, {ActionId.TRANSPORT} {LINK}",
        "/csat report 30d link csat",
        "Home, nps, 90 days",
    }
