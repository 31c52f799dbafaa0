import aiohttp
import pytest

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, ADA_AND_BEN, BEN, LEADS, SUPPORT
from tests.sandbox.slack_kit import (
    Clock,
    button,
    call,
    new_response_url,
    post,
    post_to_response_url,
    section,
    workspace,
)


async def click_undo(slack: Workspace) -> tuple[str, str]:
    """Let the app post a message with a button, let Ada press it; return its `ts` and the `response_url`."""
    blocks = [section("Sent", accessory=button("undo"))]
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent", blocks=blocks)
    await slack.click(ADA, "undo", channel=SUPPORT, ts=posted["ts"])
    return posted["ts"], slack.deliveries[-1].payload["response_url"]


async def test_a_response_is_ephemeral_by_default() -> None:
    slack = workspace()

    response = await post_to_response_url(slack, await new_response_url(slack), text="Only you")

    assert response.json() == {"ok": True}
    assert slack.messages(SUPPORT, ADA)[-1].text == "Only you"
    assert slack.messages(SUPPORT, BEN)[-1].text != "Only you"


@pytest.mark.parametrize("channel", [LEADS, ADA_AND_BEN])
async def test_a_response_url_works_in_channels_without_the_bot(channel: str) -> None:
    slack = workspace()
    parent = slack.messages(channel, ADA)[-1]

    await post_to_response_url(
        slack,
        await new_response_url(slack, channel=channel),
        text="Sent",
        response_type="in_channel",
        thread_ts=parent.ts,
        replace_original=False,
    )

    assert slack.messages(channel, ADA, thread_ts=parent.ts)[-1].text == "Sent"


async def test_an_ephemeral_response_in_a_thread_without_replies_is_not_shown() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[-1]
    url = await new_response_url(slack)

    hidden = await post_to_response_url(slack, url, text="Lost", thread_ts=parent.ts)
    await post_to_response_url(slack, url, text="For all", thread_ts=parent.ts, response_type="in_channel")
    await post_to_response_url(slack, url, text="Seen", thread_ts=parent.ts)

    thread = slack.messages(SUPPORT, ADA, thread_ts=parent.ts)
    assert hidden.json() == {"ok": True}
    assert [message.text for message in thread[1:]] == ["For all", "Seen"]
    assert len([api_call for api_call in slack.api_calls if api_call.method == "response_url"]) == 3


async def test_a_response_url_can_be_used_five_times() -> None:
    slack = workspace()
    url = await new_response_url(slack)

    responses = [await post_to_response_url(slack, url, text="Again") for _ in range(6)]

    assert [response.status_code for response in responses] == [200] * 5 + [404]
    assert responses[-1].json() == {"ok": False, "error": "used_url"}
    assert slack.api_calls[-1].method == "response_url"
    assert slack.api_calls[-1].error == "used_url"


async def test_a_response_url_expires_after_thirty_minutes() -> None:
    clock = Clock()
    slack = workspace(clock=clock)
    url = await new_response_url(slack)
    clock.advance(minutes=30, seconds=1)

    response = await post_to_response_url(slack, url, text="Too late")

    assert (response.status_code, response.json()["error"]) == (404, "expired_url")


async def test_an_unknown_response_url_is_rejected() -> None:
    response = await post_to_response_url(workspace(), "/commands/T1/2/abc", text="Hi")

    assert (response.status_code, response.json()["error"]) == (404, "no_service")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no_text"),
        ({"text": "Hi", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "Hi", "response_type": "everywhere"}, "invalid_payload"),
        ({"text": "Hi", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"delete_original": True}, "message_not_found"),
        (["a", "list"], "invalid_payload"),
    ],
)
async def test_invalid_responses_are_rejected(body: object, error: str) -> None:
    slack = workspace()
    url = await new_response_url(slack)

    response = await post(slack, url.removeprefix(slack.base_url), body)

    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_the_original_message_can_be_replaced() -> None:
    slack = workspace()
    ts, url = await click_undo(slack)

    await post_to_response_url(slack, url, text="Undone", replace_original=True)

    assert slack.get_message(SUPPORT, ts).text == "Undone"
    assert slack.get_message(SUPPORT, ts).blocks == []


async def test_the_original_message_can_be_kept() -> None:
    slack = workspace()
    ts, url = await click_undo(slack)

    await post_to_response_url(slack, url, text="Noted", replace_original=False)

    assert slack.get_message(SUPPORT, ts).text == "Sent"
    assert slack.messages(SUPPORT, ADA)[-1].text == "Noted"


async def test_the_original_message_can_be_deleted() -> None:
    slack = workspace()
    ts, url = await click_undo(slack)

    await post_to_response_url(slack, url, delete_original=True)

    assert ts not in {message.ts for message in slack.messages(SUPPORT, ADA)}


async def test_posts_to_a_response_url_can_fail() -> None:
    slack = workspace()
    url = await new_response_url(slack)
    slack.faults.fail("response_url", "500")

    failed = await post_to_response_url(slack, url, text="Hi")
    again = await post_to_response_url(slack, url, text="Hi")

    assert (failed.status_code, again.status_code) == (500, 200)


async def test_invalid_json_is_rejected() -> None:
    slack = workspace()
    url = await new_response_url(slack)
    async with slack.serve() as base, aiohttp.ClientSession() as session:
        response = await session.post(url.replace("http://slack.test", base), data="{")

        assert (response.status, await response.json()) == (400, {"ok": False, "error": "invalid_payload"})
