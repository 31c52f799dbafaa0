"""Errors, logs and refusals never contain an answer."""

import contextlib
import json
import traceback
from functools import partial
from typing import NoReturn

import pytest
from sqlalchemy import Connection, insert, text

from blocks.low_rating import CLOSE_ACTION, SHOW_ACTION
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.tables import surveys
from csat.web.paths import X_FEEDBACK
from csat.x_api.errors import InvalidFeedback
from csat.x_api.feedback_wire import parse_event
from sandbox.slack import fixtures
from sandbox.x import Webhook
from tests.canaries import NPS
from tests.factories import make_rated_row
from tests.leak_env import LeakEnv
from tests.local_client import local_client
from tests.timeouts import GENEROUS

COMMENT = "between you and me"
METHODS = ("views.open", "views.publish", "files.completeUploadExternal", "chat.postEphemeral")
FUNCTIONS = (
    "blocks.low_rating_modals.response_modal",
    "notifications.home_publisher.supervisor_home",
    "notifications.home_publisher.fetch_report",
    "handlers.report_command.report_message",
    "handlers.export_command.write_export",
)
"""The functions that process answers, by the names under which they are called."""
DATE = "Sat Dec 15 17:58:20 +0000 2015"


def forbid_comments(connection: Connection) -> None:
    """Make the database reject every new comment."""
    if connection.dialect.name == "sqlite":
        for operation in ("insert", "update of comment"):
            create = f"create trigger quiet_{operation[:6]} before {operation} on surveys"
            refuse = "when new.comment <> '' begin select raise(abort, 'quiet'); end"
            connection.execute(text(f"{create} {refuse}"))
    else:
        constraint = "add constraint quiet check (comment is null) not valid"
        connection.execute(text(f"alter table surveys {constraint}"))


async def test_database_errors_do_not_contain_the_values(database: Database) -> None:
    await database.run(forbid_comments)

    with pytest.raises(DatabaseError) as error:
        await database.run(
            lambda connection: connection.execute(insert(surveys), [make_rated_row(1, comment=COMMENT)])
        )

    formatted = "".join(traceback.format_exception(error.value))
    assert "quiet" in formatted
    assert "test_leaks_on_errors" in formatted
    assert COMMENT not in formatted


@pytest.mark.parametrize(
    "changes",
    [
        {"response": {"score": {"created_at": COMMENT, "value": 1}}},
        {"response": {"score": {"created_at": DATE, "value": COMMENT}}},
        {"response": {"score": COMMENT}},
        {"response": {"text": {"created_at": DATE, "value": [COMMENT]}}},
        {"response": {"text": {"created_at": COMMENT, "value": COMMENT}}},
        {"response": {"text": COMMENT}},
        {"response": COMMENT},
        *[{name: COMMENT} for name in ("type", "id", "from_user_id", "created_at", "question_variant_id")],
        {"external_id": [COMMENT]},
    ],
    ids=str,
)
def test_errors_about_invalid_feedback_do_not_contain_the_answer(changes: dict[str, object]) -> None:
    ids = {"type": "csat", "id": "7", "from_user_id": "1", "dm_id": "2", "to_user_id": "3"}
    dates = {"created_at": DATE, "updated_at": DATE, "question_variant_id": 0}
    event = {"event_type": "feedback.updated", "feedback": {**ids, **dates, **changes}}

    with pytest.raises(InvalidFeedback) as error:
        parse_event(json.dumps(event).encode())

    assert COMMENT not in str(error.value)


async def test_rejected_webhook_requests_do_not_leak(leak_env: LeakEnv) -> None:
    """Invalid values, wrong credentials and unknown paths, with a comment in each request."""
    world = leak_env.world
    pushed = [push.body for push in world.x.webhook_posts if isinstance(push.body, dict)][-1]
    comment = leak_env.secret_comment("a refused answer", fixtures.ADA)
    for part in ("value", "created_at", "id", "type"):
        body = json.dumps(pushed).replace(f'"{part}": ', f'"{part}": "{comment}", "was_{part}": ')
        assert (await world.x.post_to_webhook(body)).status == 400
    assert (
        await world.x.post_to_webhook(
            f'{{"{comment}": 1}}', Webhook(f"{world.url}{X_FEEDBACK}", "x", comment)
        )
    ).status == 401
    assert (await world.x.post_to_webhook("{" + comment)).status == 400
    for path in (X_FEEDBACK, "/healthz", f"/{comment}"):
        async with local_client() as client:
            leak_env.detector.add_response(await client.get(world.url + path))

    assert leak_env.detector.find_leaks() == []


async def test_an_answer_that_cannot_be_stored_does_not_leak(leak_env: LeakEnv) -> None:
    world = leak_env.world
    with contextlib.closing(Database(world.database_url, GENEROUS)) as database:
        await database.run(forbid_comments)
    feedback = await leak_env.send_late_survey()
    world.x.respond(
        feedback.id,
        leak_env.secret_rating("a late answer", NPS[2]),
        leak_env.secret_comment("a late answer", fixtures.ADA),
    )
    await world.x.wait_for_webhook_posts()
    assert world.x.webhook_posts[-1].status == 503
    async with local_client() as client:
        leak_env.detector.add_response(await client.get(f"{world.url}/healthz"))

    assert leak_env.detector.find_leaks() == []


async def test_invalid_feedback_does_not_leak(leak_env: LeakEnv) -> None:
    world = leak_env.world
    world.x.webhook = None
    feedback = await leak_env.send_late_survey()
    feedback_response = world.x.respond(
        feedback.id, NPS[2], leak_env.secret_comment("nonsense", fixtures.ADA)
    )
    assert feedback_response.text
    setattr(feedback_response, "score", feedback_response.text)  # noqa: B010 - text instead of a number
    await world.advance(minutes=2)
    await world.wait_until(lambda: any(feedback.id in call.path for call in world.x.requests))
    await world.wait_until(lambda: "Feedback rejected" in leak_env.detector.logged())

    assert leak_env.detector.find_leaks() == []


@pytest.mark.parametrize("error", ["invalid_arguments", "500"])
async def test_rejected_slack_calls_do_not_leak(leak_env: LeakEnv, error: str) -> None:
    world, faults = leak_env.world, leak_env.world.workspace.faults
    faults.disable_blocks("data_visualization", "data_table")
    await world.open_home(fixtures.CLEO)
    for method in METHODS:
        faults.fail(method, error, times=2)
        await open_everything(leak_env)
        faults.clear()

    assert leak_env.detector.find_leaks() == []


async def test_unexpected_errors_do_not_leak(leak_env: LeakEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FUNCTIONS:
        with monkeypatch.context() as patch:
            patch.setattr(name, partial(_fail, name))
            await open_everything(leak_env)
            expected = f"{name} is broken"
            await leak_env.world.wait_until(lambda text=expected: text in leak_env.detector.logged())  # type: ignore[misc]

    assert leak_env.detector.find_leaks() == []


async def open_everything(leak_env: LeakEnv) -> None:
    """Open everything that shows answers, as a supervisor."""
    alert, workspace = leak_env.alerts()[0], leak_env.world.workspace
    for action_id in (SHOW_ACTION, CLOSE_ACTION):
        await workspace.click(fixtures.CLEO, action_id, channel=alert.channel, ts=alert.ts)
    await workspace.open_home(fixtures.CLEO)
    for command in ("/csat report 90d", "/csat export 90d"):
        await workspace.run_command(fixtures.CLEO, fixtures.SUPPORT, command)


def _fail(name: str, *_: object, **__: object) -> NoReturn:
    raise RuntimeError(f"{name} is broken")
