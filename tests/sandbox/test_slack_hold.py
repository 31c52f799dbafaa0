"""Holding the responses of the fake Slack."""

import asyncio

import pytest

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, SUPPORT
from tests.sandbox.slack_kit import (
    call,
    new_response_url,
    post_to_response_url,
    run_socket_mode_app,
    workspace,
)


def texts(slack: Workspace) -> list[str]:
    return [message.text for message in slack.messages(SUPPORT, ADA)]


async def test_a_response_is_held_until_it_is_released() -> None:
    slack = workspace()
    with slack.faults.hold("chat.postMessage") as hold:
        posting = asyncio.create_task(call(slack, "chat.postMessage", channel=SUPPORT, text="Sent."))
        await hold.arrived.wait()

        assert texts(slack)[-1] == "Sent."
        assert slack.api_calls[-1].method == "chat.postMessage"
        assert not posting.done()
        hold.release()
        assert (await posting)["ok"]


async def test_a_call_can_be_held_before_it_is_processed() -> None:
    slack = workspace()
    with slack.faults.hold("chat.postMessage", after=False) as hold:
        posting = asyncio.create_task(call(slack, "chat.postMessage", channel=SUPPORT, text="Sent."))
        await hold.arrived.wait()

        assert texts(slack)[-1] != "Sent."
        assert not slack.api_calls

    assert (await posting)["ok"]
    assert texts(slack)[-1] == "Sent."


async def test_leaving_the_block_releases_the_hold() -> None:
    slack = workspace()
    with slack.faults.hold("auth.test") as hold:
        request = asyncio.create_task(call(slack, "auth.test"))
        await hold.arrived.wait()

    assert (await request)["ok"]


async def test_a_released_hold_holds_no_further_responses() -> None:
    slack = workspace()
    slack.faults.hold("auth.test").release()

    assert (await call(slack, "auth.test"))["ok"]


async def test_only_the_next_responses_are_held_if_a_number_is_given() -> None:
    slack = workspace()
    with slack.faults.hold("auth.test", times=1) as hold:
        held = asyncio.create_task(call(slack, "auth.test"))
        await hold.arrived.wait()

        assert (await call(slack, "auth.test"))["ok"]
        assert not held.done()

    await held


async def test_other_methods_respond_while_one_is_held() -> None:
    slack = workspace()
    with slack.faults.hold("auth.test") as hold:
        held = asyncio.create_task(call(slack, "auth.test"))
        await hold.arrived.wait()

        assert (await call(slack, "users.info", user=ADA))["ok"]

    await held


async def test_an_error_response_is_held_too() -> None:
    slack = workspace()
    slack.faults.fail("auth.test", "internal_error")
    with slack.faults.hold("auth.test") as hold:
        request = asyncio.create_task(call(slack, "auth.test"))
        await hold.arrived.wait()

        assert not request.done()

    assert (await request)["error"] == "internal_error"


async def test_clearing_the_faults_releases_held_responses() -> None:
    slack = workspace()
    hold = slack.faults.hold("auth.test")
    request = asyncio.create_task(call(slack, "auth.test"))
    await hold.arrived.wait()

    slack.faults.clear()

    assert (await request)["ok"]
    assert (await call(slack, "auth.test"))["ok"]


async def test_the_end_of_serving_releases_held_responses() -> None:
    slack = workspace()
    async with slack.serve():
        hold = slack.faults.hold("auth.test")
        request = asyncio.create_task(call(slack, "auth.test"))
        await hold.arrived.wait()

    assert (await request)["ok"]


async def test_the_response_to_a_response_url_is_held() -> None:
    slack = workspace()
    url = await new_response_url(slack)
    with slack.faults.hold("response_url") as hold:
        posting = asyncio.create_task(post_to_response_url(slack, url, text="Only you"))
        await hold.arrived.wait()

        assert texts(slack)[-1] == "Only you"
        assert not posting.done()

    assert (await posting).status_code == 200


async def test_a_handshake_of_socket_mode_is_held_before_it_is_processed() -> None:
    slack = workspace()
    hold = slack.faults.hold("socket", after=False)

    async def release() -> None:
        await hold.arrived.wait()
        assert slack.connection_count == 0
        hold.release()

    releasing = asyncio.create_task(release())
    async with run_socket_mode_app(slack, lambda _: None):
        assert slack.connection_count == 1
    await releasing


async def test_the_response_to_a_handshake_cannot_be_held() -> None:
    with pytest.raises(ValueError, match="handshake"):
        workspace().faults.hold("socket")
