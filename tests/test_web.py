"""The HTTP endpoints: only signed requests are handled, and none of their contents is logged."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.db import tables
from csat.web.slack_events import parse_payload
from sandbox.slack import ActionOutcome, fixtures
from sandbox.x import Fault
from tests.local_client import local_client
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import HASTY, World, idle_world, running_app, running_world

FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded"}
SECRET_TEXT = "between you and me"

QUICK_PINGS = replace(GENEROUS, socket_ping=0.5)


@pytest.fixture(name="http")
async def _http(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path, socket=False) as world:
        yield world


def signature(world: World, body: bytes, timestamp: str, secret: str | None = None) -> str:
    base = b"v0:" + timestamp.encode() + b":" + body
    key = secret or world.workspace.signing_secret
    return "v0=" + hmac.new(key.encode(), base, hashlib.sha256).hexdigest()


async def post(world: World, body: bytes, **changes: str | bytes) -> httpx.Response:
    """Post as Slack does, with some headers changed."""
    timestamp = str(int(world.clock().timestamp()))
    headers: dict[str, Any] = {
        **FORM_HEADERS,
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature(world, body, timestamp),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    async with local_client() as client:
        return await client.post(f"{world.url}/slack/events", content=body, headers=headers)


def command(world: World, text: str = SECRET_TEXT) -> bytes:
    return urlencode(
        {
            "command": "/csat",
            "text": text,
            "team_id": fixtures.TEAM,
            "channel_id": fixtures.SUPPORT,
            "user_id": fixtures.ADA,
            "trigger_id": "1.2.3",
            "response_url": f"{world.workspace.base_url}/commands/1",
        }
    ).encode()


@pytest.mark.parametrize(
    "forged",
    [
        {"x_slack_signature": "v0=" + "0" * 64},
        {"x_slack_signature": ""},
        {"x_slack_signature": "v0=é".encode("latin-1")},
        {"x_slack_signature": b"\xff\xfe"},
        {"x_slack_request_timestamp": ""},
        {"x_slack_request_timestamp": "now"},
        {"x_slack_request_timestamp": "1e9"},
        {"x_slack_request_timestamp": "-5"},
        {"x_slack_request_timestamp": "9" * 400},
        {"x_slack_request_timestamp": "\uff11\uff12\uff13".encode()},
    ],
    ids=str,
)
async def test_an_unsigned_request_is_rejected_and_not_logged(
    http: World, caplog: pytest.LogCaptureFixture, forged: dict[str, str | bytes]
) -> None:
    caplog.set_level(logging.DEBUG)
    response = await post(http, command(http), **forged)

    assert response.status_code == 401
    assert SECRET_TEXT not in caplog.text
    assert "between+you" not in caplog.text


async def test_an_old_request_is_rejected_despite_its_valid_signature(http: World) -> None:
    old = str(int(http.clock().timestamp()) - 301)
    body = command(http)
    response = await post(
        http, body, x_slack_request_timestamp=old, x_slack_signature=signature(http, body, old)
    )

    assert response.status_code == 401


@pytest.mark.parametrize(
    ("advice", "seconds_ago", "secret"),
    [
        ("Compare SLACK_SIGNING_SECRET with the Signing Secret at api.slack.com/apps", 0, "of another app"),
        ("Check the clock of the database's machine", 310, None),
        ("Check the clock of the database's machine", -310, None),
    ],
)
async def test_a_rejected_request_is_logged_once_a_minute_with_what_to_do(
    http: World, caplog: pytest.LogCaptureFixture, advice: str, seconds_ago: int, secret: str | None
) -> None:
    body = command(http)
    for passed in (0, 50, 11):
        http.clock.advance(seconds=passed)
        timestamp = str(int(http.clock().timestamp()) - seconds_ago)
        signed = signature(http, body, timestamp, secret)
        await post(http, body, x_slack_request_timestamp=timestamp, x_slack_signature=signed)

    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 2
    assert all(line.startswith("A request to Slack's route was rejected: ") for line in warnings)
    assert all(line.endswith(advice) for line in warnings)


async def test_a_request_without_a_signature_is_logged_as_such(
    http: World, caplog: pytest.LogCaptureFixture
) -> None:
    await post(http, command(http), **UNSIGNED)

    assert "A request to Slack's route was rejected: it isn't signed as Slack's are" in caplog.messages


async def test_a_body_above_the_limit_is_rejected(http: World) -> None:
    response = await post(http, b"text=" + b"x" * 600_000)

    assert response.status_code == 413


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"payload=%7Bnot json", FORM_HEADERS["content-type"]),
        (b"payload=[1,2]", FORM_HEADERS["content-type"]),
        (b"payload=", FORM_HEADERS["content-type"]),
        (b"a=1" + b"&a=1" * 200, FORM_HEADERS["content-type"]),
        (b"{not json", "application/json"),
        (b"[]", "application/json"),
        (b"", "application/json"),
    ],
)
async def test_a_signed_but_malformed_body_is_rejected(http: World, body: bytes, content_type: str) -> None:
    response = await post(http, body, content_type=content_type)

    assert response.status_code == 400


@given(st.dictionaries(st.text(), st.text()))
def test_a_payload_in_a_form_is_decoded_exactly(payload: dict[str, str]) -> None:
    body = urlencode({"payload": json.dumps(payload, ensure_ascii=False)})

    assert parse_payload(body.encode(), FORM_HEADERS["content-type"]) == payload


@given(st.text(st.sampled_from("%&=+;#?/C3A9f \n\xe9\u2028"), max_size=99))
def test_forms_are_parsed_like_the_standard_library_does(body: str) -> None:
    assert parse_payload(body.encode(), FORM_HEADERS["content-type"]) == dict(
        parse_qsl(body, keep_blank_values=True)
    )


async def test_a_body_that_is_not_utf_8_is_rejected(http: World) -> None:
    assert (await post(http, b"\xff\xfe")).status_code == 401


async def test_a_command_whose_text_contains_payload_is_a_command(http: World) -> None:
    await http.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat payload=1 payload")

    await http.wait_for_message("I don't understand “payload=1”")


async def test_url_verification_and_ssl_check_are_answered(http: World) -> None:
    challenge = json.dumps({"type": "url_verification", "challenge": "c-123", "token": "t"}).encode()

    assert (await post(http, challenge, content_type="application/json")).json() == {"challenge": "c-123"}
    assert (await post(http, b"ssl_check=1&token=t")).status_code == 200


UNSIGNED = {"x_slack_signature": "", "x_slack_request_timestamp": ""}


async def test_an_unsigned_check_of_the_certificate_is_answered_and_runs_nothing(http: World) -> None:
    disguised = command(http, "@mira_k") + b"&ssl_check=1"
    async with local_client() as client:
        by_get = await client.get(f"{http.url}/slack/events?ssl_check=1&token=t")

    for body in (b"ssl_check=1&token=t", b"token=t&ssl_check=1", disguised):
        response = await post(http, body, **UNSIGNED)
        assert (response.status_code, response.content) == (200, b"")
    assert (by_get.status_code, by_get.content) == (200, b"")
    await http.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help")
    await http.wait_for_message("opens the survey form")
    assert http.workspace.current_view(fixtures.ADA) is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"ssl_check=0&token=t", FORM_HEADERS["content-type"]),
        (b"xssl_check=1", FORM_HEADERS["content-type"]),
        (b'{"ssl_check": "1"}', "application/json"),
        (b'{"text": "a&ssl_check=1&b"}', "application/json"),
    ],
)
async def test_other_unsigned_requests_are_no_check_of_the_certificate(
    http: World, body: bytes, content_type: str
) -> None:
    assert (await post(http, body, **UNSIGNED, content_type=content_type)).status_code == 401


async def test_a_replayed_request_has_no_second_effect(http: World) -> None:
    await http.submit_survey("/csat @mira_k")
    await http.wait_for_message("sent a survey")
    delivery = next(d for d in http.workspace.deliveries if d.payload.get("type") == "view_submission")
    for _ in range(3):
        assert not (await http.workspace.redeliver(delivery)).error

    assert len(http.x.feedbacks) == 1


async def test_an_unhandled_request_is_answered_and_not_logged(
    http: World, caplog: pytest.LogCaptureFixture
) -> None:
    body = command(http).replace(b"%2Fcsat", b"%2Fother")
    response = await post(http, body)

    assert response.status_code == 404
    assert SECRET_TEXT not in caplog.text


async def test_only_post_is_allowed(http: World) -> None:
    async with local_client() as client:
        assert (await client.get(f"{http.url}/slack/events")).status_code == 405
        assert (await client.get(f"{http.url}/")).status_code == 404


async def test_oauth_variables_in_the_environment_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "from another app")
    async with running_world(tmp_path, socket=False) as world:
        await world.open_form("/csat @mira_k")
        result = await world.workspace.submit_view(fixtures.ADA)
        await world.wait_for_message("sent a survey")

    assert result.outcome is ActionOutcome.CLOSED


async def health(world: World) -> tuple[int, list[str]]:
    async with local_client() as client:
        response = await client.get(f"{world.url}/healthz")
    return response.status_code, response.json()["reasons"]


async def test_the_app_is_healthy_while_it_can_reach_the_database_and_slack(either_world: World) -> None:
    assert await health(either_world) == (200, [])


async def test_a_missing_database_file_makes_the_app_unhealthy(world: World) -> None:
    world.database_file.rename(world.database_file.with_suffix(".away"))
    status, (reason,) = await health(world)
    world.database_file.with_suffix(".away").rename(world.database_file)

    assert status == 503
    assert reason.startswith("database: the file")


async def test_a_rejected_bot_token_makes_the_app_unhealthy_until_slack_accepts_it(
    either_world: World,
) -> None:
    for method in ("auth.test", "users.info"):
        either_world.workspace.faults.fail(method, "token_revoked", times=1000)
    async with asyncio.timeout(WAIT_SECONDS):
        while (await health(either_world))[0] == 200:
            pass
    assert await health(either_world) == (
        503,
        ["slack: SLACK_BOT_TOKEN: the token was revoked (token_revoked)"],
    )

    either_world.workspace.faults.clear()
    async with asyncio.timeout(WAIT_SECONDS):
        while await health(either_world) != (200, []):
            pass


async def test_a_paused_x_account_degrades_the_app_and_names_the_cause(world: World) -> None:
    world.x.fail(Fault.WRONG_KEYS)
    await world.submit_survey("/csat @mira_k")
    await world.wait_until(lambda: world.rows(tables.accounts.c.paused_at) != [(None,)])
    async with local_client() as client:
        response = await client.get(f"{world.url}/readyz")

    assert response.status_code == 200
    assert response.json()["degraded"] == ["x: it rejects this app's keys (InvalidCredentials)"]


async def test_the_process_is_alive_without_its_database(world: World) -> None:
    world.database_file.rename(world.database_file.with_suffix(".away"))
    async with local_client() as client:
        alive, ready = [await client.get(f"{world.url}/{path}") for path in ("livez", "readyz")]
    world.database_file.with_suffix(".away").rename(world.database_file)

    assert (alive.status_code, ready.status_code) == (200, 503)


async def test_a_lost_socket_makes_the_app_unhealthy(world: World) -> None:
    world.workspace.faults.fail("apps.connections.open", "internal_error", times=100)
    await world.workspace.disconnect_sockets()
    async with asyncio.timeout(WAIT_SECONDS):
        while (response := await health(world)) == (200, []):  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.01)

    status, (reason,) = response
    assert status == 503
    assert reason.startswith("socket: not connected to Slack")


async def test_an_unhealthy_app_says_why_its_socket_does_not_connect(world: World) -> None:
    world.workspace.faults.fail("apps.connections.open", "internal_error", times=100)
    await world.workspace.disconnect_sockets()
    cause = "Slack has a problem at the moment (internal_error)"
    async with asyncio.timeout(WAIT_SECONDS):
        while (await health(world)) != (503, [f"socket: not connected to Slack: {cause}"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_rejected_app_token_is_named_and_logged_once_and_the_bot_token_is_not_blamed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger := "csat.slack_api.socket_mode")
    failure = "Can't connect to Slack over Socket Mode, retrying"
    async with running_world(tmp_path, timeouts=QUICK_PINGS) as world:
        world.workspace.faults.fail("apps.connections.open", "invalid_auth", times=1000)
        await world.workspace.disconnect_sockets()
        await world.wait_until(lambda: caplog.text.count(failure) > 2)
        cause = "SLACK_APP_TOKEN: Slack does not accept the token (invalid_auth)"
        assert await health(world) == (503, [f"socket: not connected to Slack: {cause}"])

    levels = [each.levelname for each in caplog.records if each.name == logger]
    assert levels.count("WARNING") == 1


async def test_the_log_says_once_that_slack_rejects_the_token_and_once_that_it_accepts_it_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "csat.slack_api.token_watch")
    async with running_world(tmp_path, pace=HASTY) as world:
        world.workspace.faults.fail("auth.test", "token_revoked", times=1000)
        await world.wait_until(lambda: caplog.text.count("Slack rejects this app") > 2)
        world.workspace.faults.clear()
        await world.wait_until(lambda: "Slack accepts this app again" in caplog.text)

    logged = [(each.levelname, each.getMessage()) for each in caplog.records if each.levelno > logging.DEBUG]
    rejected = "Slack rejects this app: the token was revoked (token_revoked). Run python app.py check"
    assert logged.count(("ERROR", rejected)) == 1
    assert logged.count(("INFO", "Slack accepts this app again")) == 1


async def test_the_outbox_says_once_that_slack_does_not_name_the_workspace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "notifications.notifier")
    async with idle_world(tmp_path) as world:
        world.workspace.faults.fail("auth.test", "invalid_auth", times=1000)
        async with running_app(world):
            await world.wait_until(lambda: caplog.text.count("which workspace this is") > 2)

    polls = [each.levelname for each in caplog.records if each.name == "notifications.notifier"]
    assert polls.count("WARNING") == 1


async def test_the_app_reconnects_once_after_slack_closes_the_socket(world: World) -> None:
    world.workspace.api_calls.clear()
    await world.workspace.disconnect_sockets()
    await world.wait_until(lambda: world.workspace.connection_count)

    await world.open_form("/csat @mira_k")
    assert [call.method for call in world.workspace.api_calls].count("apps.connections.open") == 1


async def test_a_failed_handshake_is_retried_with_a_new_url_and_no_ticket_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_world(tmp_path, timeouts=QUICK_PINGS) as world:
        world.workspace.faults.fail("socket", "503", times=2)
        await world.workspace.disconnect_sockets()
        await world.wait_until(lambda: world.workspace.connection_count == 0)
        await world.wait_until(lambda: world.workspace.connection_count == 1)
        await world.open_form("/csat @mira_k")

    assert len([call for call in world.workspace.api_calls if call.method == "apps.connections.open"]) == 4
    assert "Can't connect to Slack over Socket Mode" in caplog.text
    assert "ticket=" not in "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")
    )


async def test_an_unresponsive_socket_does_not_delay_the_shutdown(tmp_path: Path) -> None:
    async with running_world(tmp_path, timeouts=replace(GENEROUS, socket_close=0.05)) as world:
        world.workspace.freeze_sockets()
        started_at = time.monotonic()

    assert time.monotonic() - started_at < 9, "aiohttp would wait for 10 seconds"


async def test_a_lost_acknowledgement_is_a_warning_only(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lost = AsyncMock(side_effect=ConnectionResetError("Cannot write to closing transport"))
    monkeypatch.setattr("csat.slack_api.socket_mode.ReconnectingClient.send_socket_mode_response", lost)
    command = asyncio.create_task(world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat help"))
    await world.wait_for_message("asks a customer, on X or in Slack")
    lost_words = "An acknowledgement was lost with its connection (ConnectionResetError)"
    await world.wait_until(lambda: lost_words in caplog.text)
    command.cancel()

    assert "Reference" not in caplog.text
