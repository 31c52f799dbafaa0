"""The app survives every response of Slack, and those of the proxies in between."""

import logging
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from csat.slack_api.errors import NoResponse, SlackError, SlackRefused, SlackUnavailable, error_from_response
from csat.slack_api.responses import ChannelInfo, parse_response
from csat.slack_api.web_client import WebClient, build_web_client, open_session
from sandbox.slack import fixtures
from tests.bad_answers import PAGE, UNREADABLE, Answer, answering_server, json_answer
from tests.timeouts import GENEROUS
from tests.world import World

GARBAGE = {
    "a list": (b"[]", "application/json"),
    "half of an object": (b'{"ok": true, "', "application/json"),
    "a page": (PAGE, "text/html"),
    "plain text": (b"ok", "text/plain"),
    "no fields": (b'{"ok": true}', "application/json"),
    "fields of wrong types": (
        b'{"ok": true, "user": [], "users": 5, "channel": {}, "ts": 1, "url": null, "permalink": []}',
        "application/json",
    ),
}


async def call(answer: Answer) -> Any:
    """Call the Web API and return its response, as far as the app reads it."""
    async with answering_server({"/conversations.info": answer}) as url, aiohttp.ClientSession() as session:
        web = WebClient("xoxb-1", base_url=f"{url}/", session=session)
        return parse_response(ChannelInfo, await web.conversations_info(channel="C1"))


@pytest.mark.parametrize(("method", "requests"), [("chat.postMessage", 1), ("users.info", 2)])
async def test_a_message_that_slack_may_have_posted_is_not_posted_again_at_once(
    method: str, requests: int
) -> None:
    answer, calls = Answer(reset=True), list[str]()
    async with answering_server({f"/{method}": answer}, calls) as url, open_session(GENEROUS) as session:
        web = build_web_client(SecretStr("xoxb-1"), url, session, GENEROUS)
        with pytest.raises(NoResponse):
            await web.api_call(method)

    assert calls == [f"/{method}"] * requests


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_response_means_that_slack_is_unavailable(answer: Answer) -> None:
    with pytest.raises(SlackUnavailable):
        await call(answer)


async def test_a_readable_refusal_is_final() -> None:
    with pytest.raises(SlackRefused, match="channel_not_found"):
        await call(json_answer({"ok": False, "error": "channel_not_found"}))


@given(st.binary(max_size=40))
async def test_any_bytes_are_a_response_or_a_slack_error(body: bytes) -> None:
    with pytest.raises(SlackError):
        await call(Answer(body))


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("30", 30), ("9" * 400, 3600), ("soon", 0), ("-5", 0), ("", 0), ("1e9", 0)]
)
def test_a_retry_after_is_at_most_an_hour(retry_after: str, seconds: float) -> None:
    error = error_from_response(429, {"Retry-After": retry_after}, "ratelimited")

    assert isinstance(error, SlackUnavailable)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    "code", ["team_added_to_org", "org_login_required", "external_channel_migrating", "update_failed"]
)
def test_an_error_that_passes_by_itself_is_temporary(code: str) -> None:
    error = error_from_response(200, {}, code)

    assert isinstance(error, SlackUnavailable)
    assert not isinstance(error, NoResponse)


@pytest.mark.parametrize(("body", "content_type"), GARBAGE.values(), ids=GARBAGE)
async def test_the_form_opens_at_the_next_try_after_unreadable_responses(
    world: World, caplog: pytest.LogCaptureFixture, body: bytes, content_type: str
) -> None:
    caplog.set_level(logging.ERROR)
    if body != b'{"ok": true}':
        world.workspace.faults.garble("users.info", body, content_type)
        await world.workspace.run_command(fixtures.ADA, fixtures.SUPPORT, "/csat @mira_k")
        await world.wait_for_message("Slack can't confirm right now that you may send surveys")
    world.workspace.faults.garble("chat.postMessage", body, content_type)
    await world.submit_survey("/csat @mira_k")
    await world.wait_for_message("sent a survey")
    await world.advance(minutes=6)
    await world.wait_until(world.is_outbox_empty)

    assert world.states() == ["sent"]
    assert "Reference" not in caplog.text


@pytest.mark.parametrize(("body", "content_type"), GARBAGE.values(), ids=GARBAGE)
async def test_homes_are_shown_at_the_next_opening_after_unreadable_responses(
    world: World, caplog: pytest.LogCaptureFixture, body: bytes, content_type: str
) -> None:
    caplog.set_level(logging.ERROR)
    world.workspace.faults.garble("users.info", body, content_type)
    world.workspace.faults.garble("views.publish", body, content_type)
    await world.workspace.open_home(fixtures.CLEO)
    await world.open_home(fixtures.CLEO)

    assert "Reference" not in caplog.text
