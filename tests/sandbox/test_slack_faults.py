"""What strikes after the effect: Slack did the work, and the app does not learn of it."""

import asyncio
import time

import httpx
import pytest

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, BEN, SUPPORT
from tests.sandbox.test_slack_kit import call, post, respond, response_url, workspace


def texts(slack: Workspace, viewer: str = ADA) -> list[str]:
    return [message.text for message in slack.messages(SUPPORT, viewer)]


@pytest.mark.parametrize(("error", "status"), [("503", 503), ("internal_error", 200), ("ratelimited", 429)])
async def test_a_message_is_posted_and_the_caller_sees_an_error(error: str, status: int) -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", error, after=True)
    message = {"channel": SUPPORT, "text": "Sent."}

    failed = await post(slack, "/api/chat.postMessage", message, slack.bot_token)
    again = await call(slack, "chat.postMessage", channel=SUPPORT, text="And again.")

    assert failed.status_code == status
    assert slack.api_calls[0].error == error
    assert again["ok"]
    assert texts(slack)[-2:] == ["Sent.", "And again."]


async def test_what_slack_refuses_is_no_effect_to_strike_after() -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", "503", after=True)

    refused = await call(slack, "chat.postMessage", channel=SUPPORT)
    failed = await post(
        slack, "/api/chat.postMessage", {"channel": SUPPORT, "text": "Sent."}, slack.bot_token
    )

    assert refused["error"] == "no_text"
    assert failed.status_code == 503
    assert texts(slack)[-1] == "Sent."


async def test_an_answer_is_shown_and_its_sender_sees_an_error() -> None:
    slack = workspace()
    url = await response_url(slack)
    slack.faults.fail("response_url", "500", times=2, after=True)

    failed = [await respond(slack, url, text="Only you", response_type="in_channel") for _ in range(3)]

    assert [response.status_code for response in failed] == [500, 500, 200]
    assert texts(slack, BEN)[-3:] == ["Only you"] * 3


async def test_a_message_is_posted_long_before_the_answer_comes() -> None:
    slack = workspace()
    slack.faults.delay("chat.postMessage", 30, after=True)
    async with slack.serve() as base, httpx.AsyncClient(timeout=0.1) as client:
        headers = {"authorization": f"Bearer {slack.bot_token}"}
        with pytest.raises(httpx.ReadTimeout):
            await client.post(
                f"{base}/api/chat.postMessage", json={"channel": SUPPORT, "text": "Sent."}, headers=headers
            )

        assert texts(slack)[-1] == "Sent."
        started = time.perf_counter()

    assert time.perf_counter() - started < 0.5
    assert slack.api_calls[-1].method == "chat.postMessage"


async def test_a_slow_answer_still_comes() -> None:
    slack = workspace()
    slack.faults.delay("auth.test", 0.02, after=True)
    started = time.perf_counter()

    answer = await call(slack, "auth.test")

    assert answer["ok"]
    assert time.perf_counter() - started >= 0.02


@pytest.mark.parametrize("after", [False, True])
async def test_waiting_calls_go_on_when_troubles_are_cleared(after: bool) -> None:  # noqa: FBT001 - both ways alike
    slack = workspace()
    slack.faults.delay("chat.postMessage", 30, after=after)
    slack.faults.fail("chat.postMessage", "503", after=after)
    calling = asyncio.create_task(call(slack, "chat.postMessage", channel=SUPPORT, text="Sent."))
    await asyncio.sleep(0.05)
    posted_already = texts(slack)[-1] == "Sent."

    slack.faults.clear()

    assert (await asyncio.wait_for(calling, 1))["ok"]
    assert posted_already is after


async def test_a_handshake_has_no_afterwards() -> None:
    troubles = workspace().faults

    with pytest.raises(ValueError, match="handshake"):
        troubles.fail("socket", "503", after=True)
    with pytest.raises(ValueError, match="handshake"):
        troubles.delay("socket", 1, after=True)
