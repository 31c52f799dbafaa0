"""X's webhook: authentication, stored events, and the responses that X gets."""

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from csat.db import incoming_updates, tables
from csat.db.errors import DatabaseError
from sandbox.slack import fixtures
from sandbox.x import Webhook
from tests.databases import SLOW_KINDS, Databases
from tests.local_client import local_client
from tests.world import World, running_world

USER, PASSWORD = "x", "geheim:ß"
AUTHORIZATION = b"Basic " + b64encode(f"{USER}:{PASSWORD}".encode())
COMMENT = "between you and me"
DATE = "Sat Dec 15 17:58:20 +0000 2015"


@pytest.fixture(name="world", params=SLOW_KINDS)
async def _world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app with a webhook that X uses, in Socket Mode and over HTTP."""
    url, socket = databases.make(request.param, tmp_path), request.param == "sqlite"
    known: dict[str, Any] = {"x_webhook_user": USER, "x_webhook_password": PASSWORD}
    async with running_world(tmp_path, database_url=url, socket=socket, **known) as world:
        world.x.webhook = Webhook(f"{world.url}/x/feedback", USER, PASSWORD)
        yield world


async def send_survey(world: World) -> str:
    """Send a survey to Mira, and return its id at X."""
    await world.submit_survey("/csat @mira_k")
    await world.wait_for_message("sent a survey")
    return world.x.feedbacks[-1].id


async def post(world: World, body: bytes, authorization: bytes | None = AUTHORIZATION) -> httpx.Response:
    headers = {} if authorization is None else {b"authorization": authorization}
    async with local_client() as client:
        return await client.post(f"{world.url}/x/feedback", content=body, headers=headers)


def event(**feedback: object) -> bytes:
    response = {"score": {"created_at": DATE, "value": 5}, "text": {"created_at": DATE, "value": COMMENT}}
    fields = {
        "created_at": DATE,
        "updated_at": DATE,
        "id": "4711",
        "type": "csat",
        "dm_id": "1",
        "from_user_id": "1810000000000000001",
        "to_user_id": "2",
        "question_variant_id": 0,
        "response": response,
        **feedback,
    }
    return json.dumps({"event_type": "feedback.updated", "created_at": DATE, "feedback": fields}).encode()


async def test_a_response_is_stored_before_x_gets_its_200(world: World) -> None:
    feedback_id = await send_survey(world)
    world.x.rate(feedback_id, 2)
    world.x.comment(feedback_id, COMMENT)
    await world.x.wait_for_webhook_posts()

    assert [push.status for push in world.x.webhook_posts] == [200, 200, 200]
    assert world.rows(
        tables.surveys.c.state, tables.surveys.c.rating, tables.surveys.c.comment, tables.surveys.c.poll_at
    ) == [("answered", 2, COMMENT, None)]


async def test_an_event_that_arrives_before_the_receipt_is_stored_settles_the_survey(world: World) -> None:
    world.x.webhook_paused = True
    feedback_id = await send_survey(world)
    world.x.rate(feedback_id, 4)
    for pushed in (*reversed(world.x.pending_events), *world.x.pending_events):
        assert (await world.x.post_to_webhook(pushed)).status == 200

    assert world.rows(tables.surveys.c.state, tables.surveys.c.rating) == [("answered", 4)]
    kinds = [kind for (kind,) in world.rows(tables.outbox.c.kind)]
    assert kinds == ["answered", "sent"]


async def test_a_response_to_an_unknown_survey_is_dropped_after_two_days_and_its_id_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await post(world, event())).status_code == 200
    await world.advance(hours=49)
    await world.wait_until(lambda: "Dropped 1 responses to unknown surveys: 4711" in caplog.text)

    assert COMMENT not in caplog.text


async def test_a_comment_that_is_not_unicode_is_stored_with_replacements(world: World) -> None:
    feedback_id = await send_survey(world)
    world.x.comment(feedback_id, "Fast\0 and friendly \ud83d")
    await world.x.wait_for_webhook_posts()

    assert world.rows(tables.surveys.c.comment) == [("Fast and friendly \ufffd",)]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        b"",
        b"Basic",
        b"Basic " + b64encode(b"x:wrong"),
        b"Basic " + b64encode(b"x"),
        b"Basic " + b64encode(f"{PASSWORD}:{USER}".encode()),
        b"Basic x:geheim",
        b"Basic \xff\xfe",
        "Basic ß".encode(),
        b"Bearer " + AUTHORIZATION.removeprefix(b"Basic "),
        AUTHORIZATION.removeprefix(b"Basic "),
        AUTHORIZATION[:-1],
        AUTHORIZATION + b"=",
        b"Basic " + b"A" * 5_000,
    ],
    ids=str,
)
async def test_a_request_without_valid_credentials_is_rejected(
    world: World, authorization: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    response = await post(world, event(), authorization)

    assert (response.status_code, response.headers["www-authenticate"][:5]) == (401, "Basic")
    assert world.rows(tables.unmatched_responses) == []
    assert COMMENT not in caplog.text


@pytest.mark.parametrize("scheme", [b"basic ", b"BASIC  "])
async def test_the_authentication_scheme_is_case_insensitive(world: World, scheme: bytes) -> None:
    response = await post(world, event(), scheme + AUTHORIZATION.removeprefix(b"Basic "))

    assert response.status_code == 200
    assert world.rows(tables.unmatched_responses.c.feedback_id, tables.unmatched_responses.c.rating) == [
        ("4711", 5)
    ]


@pytest.mark.parametrize("socket", [True, False])
async def test_without_user_and_password_there_is_no_webhook(
    tmp_path: Path,
    socket: bool,  # noqa: FBT001
) -> None:
    async with running_world(tmp_path, socket=socket) as world:
        assert (await post(world, event(), b"Basic " + b64encode(b":"))).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        event(id=None),
        event(response={"score": {"created_at": DATE, "value": 6}}),
        event(response={"score": {"created_at": DATE, "value": COMMENT}}),
    ],
)
async def test_an_invalid_event_is_rejected_and_logged_without_the_response(
    world: World, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    response = await post(world, body)

    assert (response.status_code, response.text) == (400, "invalid event")
    assert "Feedback rejected: " in caplog.text
    assert COMMENT not in caplog.text


async def test_a_rating_for_another_metric_is_rejected(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    feedback_id = await send_survey(world)
    response = await post(world, event(id=feedback_id, type="nps"))

    assert response.status_code == 400
    assert f"feedback {feedback_id}: its metric is not its survey's" in caplog.text


async def test_an_event_of_another_account_is_ignored(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    response = await post(world, event(from_user_id="99"))

    assert response.status_code == 200
    assert "Feedback 4711 is ignored: it belongs to account 99" in caplog.text
    assert world.rows(tables.unmatched_responses) == []


async def test_a_body_above_the_limit_is_rejected(world: World) -> None:
    assert (await post(world, event(external_id="x" * 300_000))).status_code == 413


async def test_while_the_database_is_unavailable_x_gets_503(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(incoming_updates, "apply_update", _raise_database_error)
        assert (await post(world, event())).status_code == 503

    assert (await post(world, event())).status_code == 200
    assert len(world.rows(tables.unmatched_responses)) == 1


async def test_only_post_is_allowed(world: World) -> None:
    async with local_client() as client:
        assert (await client.get(f"{world.url}/x/feedback")).status_code == 405


async def test_a_burst_of_events_does_not_delay_a_submission(world: World) -> None:
    await world.open_form("/csat @mira_k")
    async with aiohttp.ClientSession(headers={"authorization": AUTHORIZATION.decode()}) as x:
        url = f"{world.url}/x/feedback"
        burst = [asyncio.create_task(_post_for_status(x, url, event(id=str(n)))) for n in range(100)]
        result = await world.workspace.submit_view(fixtures.ADA)
        answers = await asyncio.gather(*burst)

    assert result.outcome == "closed"
    assert set(answers) == {200}
    assert len(world.rows(tables.unmatched_responses.c.feedback_id)) == 100


async def _post_for_status(x: aiohttp.ClientSession, url: str, body: bytes) -> int:
    async with x.post(url, data=body) as response:
        return response.status


def _raise_database_error(*_: object) -> None:
    raise DatabaseError("the database is unavailable")
