"""Where something goes wrong, nobody is told an answer along with what went wrong."""

import contextlib
import json
import traceback
from functools import partial
from typing import NoReturn

import httpx
import pytest
from sqlalchemy import Connection, insert, text

from blocks.low_rating import CLOSE_ACTION, SHOW_ACTION
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.tables import surveys
from csat.web.x_webhook import PATH
from csat.x_api.errors import InvalidFeedback
from csat.x_api.feedback_events import parse_event
from sandbox.slack import fixtures
from sandbox.x import Webhook
from tests.blind import Stage
from tests.factories import make_rated_row
from tests.sentinels import NPS

WORDS = "between you and me"
METHODS = ("views.open", "views.publish", "files.completeUploadExternal", "chat.postEphemeral")
BUILDERS = (
    "blocks.response_modal.response_modal",
    "notifications.app_home.supervisor_home",
    "notifications.app_home.fetch_report",
    "handlers.report.report_message",
    "handlers.export.write_export",
)
"""What is made of answers, each named where it is used."""
DATE = "Sat Dec 15 17:58:20 +0000 2015"


def forbid_comments(connection: Connection) -> None:
    """Let the database refuse each survey with a comment that is new."""
    if connection.dialect.name == "sqlite":
        for happening in ("insert", "update of comment"):
            named = f"create trigger quiet_{happening[:6]} before {happening} on surveys"
            refuse = "when new.comment <> '' begin select raise(abort, 'quiet'); end"
            connection.execute(text(f"{named} {refuse}"))
    else:
        constraint = "add constraint quiet check (comment is null) not valid"
        connection.execute(text(f"alter table surveys {constraint}"))


async def test_an_error_of_the_ledger_tells_nothing_of_what_it_was_to_keep(database: Database) -> None:
    await database.run(forbid_comments)

    with pytest.raises(DatabaseError) as refused:
        await database.run(
            lambda connection: connection.execute(insert(surveys), [make_rated_row(1, comment=WORDS)])
        )

    told = "".join(traceback.format_exception(refused.value))
    assert "quiet" in told
    assert "test_blindness_in_trouble" in told
    assert WORDS not in told


@pytest.mark.parametrize(
    "changes",
    [
        {"response": {"score": {"created_at": WORDS, "value": 1}}},
        {"response": {"score": {"created_at": DATE, "value": WORDS}}},
        {"response": {"score": WORDS}},
        {"response": {"text": {"created_at": DATE, "value": [WORDS]}}},
        {"response": {"text": {"created_at": WORDS, "value": WORDS}}},
        {"response": {"text": WORDS}},
        {"response": WORDS},
        *[{name: WORDS} for name in ("type", "id", "from_user_id", "created_at", "question_variant_id")],
        {"external_id": [WORDS]},
    ],
    ids=str,
)
def test_what_x_tells_and_can_not_be_is_not_repeated(changes: dict[str, object]) -> None:
    told = {"type": "csat", "id": "7", "from_user_id": "1", "dm_id": "2", "to_user_id": "3"}
    dated = {"created_at": DATE, "updated_at": DATE, "question_variant_id": 0}
    event = {"event_type": "feedback.updated", "feedback": {**told, **dated, **changes}}

    with pytest.raises(InvalidFeedback) as refused:
        parse_event(json.dumps(event).encode())

    assert WORDS not in str(refused.value)


async def test_what_the_webhook_refuses_is_nowhere_repeated(stage: Stage) -> None:
    """Not X's name, not possible, no room in the ledger: with an answer in each."""
    world = stage.world
    pushed = [push.body for push in world.x.webhook_posts if isinstance(push.body, dict)][-1]
    words = stage.comment("a refused answer", fixtures.ADA)
    for part in ("value", "created_at", "id", "type"):
        told = json.dumps(pushed).replace(f'"{part}": ', f'"{part}": "{words}", "was_{part}": ')
        assert (await world.x.post_to_webhook(told)).status == 400
    assert (
        await world.x.post_to_webhook(f'{{"{words}": 1}}', Webhook(f"{world.url}{PATH}", "x", words))
    ).status == 401
    assert (await world.x.post_to_webhook("{" + words)).status == 400
    for path in (PATH, "/healthz", f"/{words}"):
        async with httpx.AsyncClient() as client:
            stage.witness.answered(await client.get(world.url + path))

    assert stage.witness.testify() == []


async def test_an_answer_that_the_ledger_can_not_keep_is_nowhere_repeated(stage: Stage) -> None:
    world = stage.world
    with contextlib.closing(Database(world.database_url)) as database:
        await database.run(forbid_comments)
    feedback = await stage.ask_late()
    world.x.respond(
        feedback.id, stage.rating("a late answer", NPS[2]), stage.comment("a late answer", fixtures.ADA)
    )
    await world.x.wait_for_webhook_posts()
    assert world.x.webhook_posts[-1].status == 503
    async with httpx.AsyncClient() as client:
        stage.witness.answered(await client.get(f"{world.url}/healthz"))

    assert stage.witness.testify() == []


async def test_x_s_nonsense_is_nowhere_repeated(stage: Stage) -> None:
    world = stage.world
    world.x.webhook = None
    feedback = await stage.ask_late()
    given = world.x.respond(feedback.id, NPS[2], stage.comment("nonsense", fixtures.ADA))
    assert given.text
    setattr(given, "score", given.text)  # noqa: B010 - words in the place of a number
    await world.advance(minutes=2)
    await world.wait_until(lambda: any(feedback.id in call.path for call in world.x.requests))
    await world.wait_until(lambda: "Feedback rejected" in stage.witness.logged())

    assert stage.witness.testify() == []


@pytest.mark.parametrize("error", ["invalid_arguments", "500"])
async def test_what_slack_does_not_take_is_nowhere_repeated(stage: Stage, error: str) -> None:
    world, troubles = stage.world, stage.world.workspace.faults
    troubles.disable_blocks("data_visualization", "data_table")
    await world.open_home(fixtures.CLEO)
    for method in METHODS:
        troubles.fail(method, error, times=2)
        await look_at_everything(stage)
        troubles.clear()

    assert stage.witness.testify() == []


async def test_what_nobody_expected_is_told_without_an_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BUILDERS:
        with monkeypatch.context() as broken:
            broken.setattr(name, partial(_fail, name))
            await look_at_everything(stage)
            await stage.world.wait_until(lambda name=name: f"{name} is broken" in stage.witness.logged())  # type: ignore[misc]

    assert stage.witness.testify() == []


async def look_at_everything(stage: Stage) -> None:
    """Let a supervisor look at whatever has answers in it."""
    alert, workspace = stage.alerts()[0], stage.world.workspace
    for action_id in (SHOW_ACTION, CLOSE_ACTION):
        await workspace.click(fixtures.CLEO, action_id, channel=alert.channel, ts=alert.ts)
    await workspace.open_home(fixtures.CLEO)
    for words in ("/csat report 90d", "/csat export 90d"):
        await workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, words)


def _fail(name: str, *_: object, **__: object) -> NoReturn:
    raise RuntimeError(f"{name} is broken")
