"""Faults: errors and delays, before or after a call is processed."""

import asyncio
import time

import pytest

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, BEN, SUPPORT
from tests.local_client import local_client
from tests.sandbox.slack_kit import call, new_response_url, post, post_to_response_url, workspace


def texts(slack: Workspace, viewer: str = ADA) -> list[str]:
    return [message.text for message in slack.messages(SUPPORT, viewer)]


@pytest.mark.parametrize(("error", "status"), [("503", 503), ("internal_error", 200), ("ratelimited", 429)])
async def test_a_call_can_fail_after_it_was_processed(error: str, status: int) -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", error, after=True)
    message = {"channel": SUPPORT, "text": "Sent."}

    failed = await post(slack, "/api/chat.postMessage", message, slack.bot_token)
    again = await call(slack, "chat.postMessage", channel=SUPPORT, text="And again.")

    assert failed.status_code == status
    assert slack.api_calls[0].error == error
    assert again["ok"]
    assert texts(slack)[-2:] == ["Sent.", "And again."]


async def test_a_fault_after_processing_does_not_replace_an_error_of_slack() -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", "503", after=True)

    rejected = await call(slack, "chat.postMessage", channel=SUPPORT)
    failed = await post(
        slack, "/api/chat.postMessage", {"channel": SUPPORT, "text": "Sent."}, slack.bot_token
    )

    assert rejected["error"] == "no_text"
    assert failed.status_code == 503
    assert texts(slack)[-1] == "Sent."


async def test_a_post_to_a_response_url_can_fail_after_it_was_processed() -> None:
    slack = workspace()
    url = await new_response_url(slack)
    slack.faults.fail("response_url", "500", times=2, after=True)

    failed = [
        await post_to_response_url(slack, url, text="Only you", response_type="in_channel") for _ in range(3)
    ]

    assert [response.status_code for response in failed] == [500, 500, 200]
    assert texts(slack, BEN)[-3:] == ["Only you"] * 3


async def test_a_response_can_be_delayed_after_the_call_was_processed() -> None:
    slack = workspace()
    slack.faults.delay("chat.postMessage", 30, after=True)
    message = {"channel": SUPPORT, "text": "Sent."}
    async with local_client(headers={"authorization": f"Bearer {slack.bot_token}"}) as client:
        async with slack.serve() as base:
            posting = asyncio.create_task(client.post(f"{base}/api/chat.postMessage", json=message))
            await slack.wait_until(lambda: texts(slack)[-1] == "Sent.", timeout_seconds=20)
            assert not posting.done()
            started = time.perf_counter()

        assert time.perf_counter() - started < 20
        assert (await posting).json()["ok"]
    assert slack.api_calls[-1].method == "chat.postMessage"


async def test_a_delayed_response_is_sent_in_the_end() -> None:
    slack = workspace()
    slack.faults.delay("auth.test", 0.02, after=True)
    started = time.perf_counter()

    response = await call(slack, "auth.test")

    assert response["ok"]
    assert time.perf_counter() - started >= 0.02


@pytest.mark.parametrize("after", [False, True])
async def test_clearing_the_faults_ends_delays(after: bool) -> None:  # noqa: FBT001 - a parameter
    slack = workspace()
    slack.faults.delay("chat.postMessage", 30, after=after)
    slack.faults.fail("chat.postMessage", "503", after=after)
    posting = asyncio.create_task(call(slack, "chat.postMessage", channel=SUPPORT, text="Sent."))
    if after:
        await slack.wait_until(lambda: texts(slack)[-1] == "Sent.", timeout_seconds=20)
    else:
        await asyncio.sleep(0.05)
        assert texts(slack)[-1] != "Sent."

    slack.faults.clear()

    assert (await asyncio.wait_for(posting, 20))["ok"]


async def test_a_handshake_cannot_be_affected_after_it_was_processed() -> None:
    faults = workspace().faults

    with pytest.raises(ValueError, match="handshake"):
        faults.fail("socket", "503", after=True)
    with pytest.raises(ValueError, match="handshake"):
        faults.delay("socket", 1, after=True)
