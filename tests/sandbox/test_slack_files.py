"""Files: announced, uploaded, shared, as Slack's own library does it."""

import httpx
import pytest
from slack_sdk.errors import SlackApiError, SlackRequestError

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, CLEO, LEADS, LOUNGE, OLD_SUPPORT, SUPPORT
from tests.sandbox.test_slack_kit import SCOPES, Json, call, client_of, workspace

CSV = b"survey,rating\n1,5\n"


def uploading() -> Workspace:
    return workspace(*SCOPES, "files:write")


async def announced(slack: Workspace, size: int = len(CSV)) -> Json:
    return await call(slack, "files.getUploadURLExternal", filename="answers.csv", length=size)


async def send(slack: Workspace, url: str, **sent: object) -> httpx.Response:
    transport = httpx.ASGITransport(slack.app)
    async with httpx.AsyncClient(transport=transport, verify=False) as client:  # noqa: S501 - nothing leaves the process
        return await client.post(url, **sent)  # type: ignore[arg-type]


async def test_slack_s_own_library_shares_a_file_in_a_direct_message() -> None:
    slack = uploading()
    async with slack.serve() as base, client_of(slack, base) as client:
        channel = (await client.conversations_open(users=CLEO))["channel"]["id"]
        answer = await client.files_upload_v2(
            channel=channel,
            filename="answers.csv",
            content=CSV,
            title="Answers",
            initial_comment="Here they are",
        )

    (message,) = slack.messages(channel, CLEO)
    (told,) = message.files
    assert message.text == "Here they are"
    assert (told["name"], told["title"], told["mimetype"], told["size"]) == (
        "answers.csv",
        "Answers",
        "text/csv",
        len(CSV),
    )
    assert answer["file"]["id"] == told["id"]
    assert slack.files[told["id"]].content == CSV
    assert message.as_json(slack.team.id)["files"] == [told]
    assert [made.method for made in slack.api_calls[-3:]] == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]


async def test_a_file_can_be_a_reply() -> None:
    slack = uploading()
    parent = slack.messages(SUPPORT, ADA)[0]
    async with slack.serve() as base, client_of(slack, base) as client:
        await client.files_upload_v2(channel=SUPPORT, filename="a.csv", content=CSV, thread_ts=parent.ts)

    assert slack.messages(SUPPORT, ADA, thread_ts=parent.ts)[-1].files[0]["name"] == "a.csv"


async def test_bytes_may_come_in_a_form() -> None:
    slack = uploading()
    told = await announced(slack)

    sent = await send(slack, told["upload_url"], files={"filename": ("answers.csv", CSV)})

    assert (sent.status_code, sent.text) == (200, f"OK - {len(CSV)}")
    assert slack.files[told["file_id"]].content == CSV


async def test_without_a_channel_nobody_sees_the_file() -> None:
    slack = uploading()
    told = await announced(slack)
    await send(slack, told["upload_url"], content=CSV)

    done = await call(slack, "files.completeUploadExternal", files=[{"id": told["file_id"]}])

    assert done["files"][0]["title"] == "answers.csv"
    assert all(not message.files for message in slack.messages(SUPPORT, ADA))


async def test_people_are_named_in_channels_alone() -> None:
    slack = uploading()
    told = await announced(slack)
    await send(slack, told["upload_url"], content=CSV)
    files = [{"id": told["file_id"]}]

    refused = await call(slack, "files.completeUploadExternal", files=files, channel_id=ADA)
    done = await call(slack, "files.completeUploadExternal", files=files, channels=ADA)

    assert (refused["error"], done["ok"]) == ("channel_not_found", True)


@pytest.mark.parametrize(
    ("channel", "error"),
    [(LOUNGE, "not_in_channel"), (LEADS, "channel_not_found"), (OLD_SUPPORT, "is_archived")],
)
async def test_a_file_that_can_t_be_shared_can_be_shared_elsewhere(channel: str, error: str) -> None:
    slack = uploading()
    told = await announced(slack)
    await send(slack, told["upload_url"], content=CSV)
    files = [{"id": told["file_id"]}]

    refused = await call(slack, "files.completeUploadExternal", files=files, channel_id=channel)
    done = await call(slack, "files.completeUploadExternal", files=files, channel_id=SUPPORT)
    again = await call(slack, "files.completeUploadExternal", files=files, channel_id=SUPPORT)

    assert (refused["error"], done["ok"], again["error"]) == (error, True, "file_not_found")


async def test_what_was_not_uploaded_can_t_be_shared() -> None:
    slack = uploading()
    told = await announced(slack)
    unknown = await send(slack, slack.base_url + "/upload/v1/nothing", content=CSV)
    short = await send(slack, told["upload_url"], content=CSV[1:])
    empty = await send(slack, told["upload_url"], files={"a": ("a", CSV), "b": ("b", CSV)})

    done = await call(slack, "files.completeUploadExternal", files=[{"id": told["file_id"]}])

    assert {answer.status_code for answer in (unknown, short, empty)} == {400}
    assert (short.text, done["error"]) == ("file_size_mismatch", "file_not_found")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"filename": "a.csv", "length": "0"}, "missing_argument"),
        ({"filename": "a.csv", "length": "many"}, "invalid_arguments"),
        ({"filename": "a.csv"}, "invalid_arguments"),
        ({"length": 3}, "invalid_arguments"),
    ],
)
async def test_a_file_is_announced_with_its_name_and_length(args: Json, error: str) -> None:
    assert (await call(uploading(), "files.getUploadURLExternal", **args))["error"] == error


async def test_files_need_a_scope() -> None:
    answer = await announced(workspace())

    assert (answer["error"], answer["needed"]) == ("missing_scope", "files:write")
    assert (await call(uploading(), "files.completeUploadExternal", files="F1"))[
        "error"
    ] == "invalid_arguments"


async def test_an_upload_can_fail_before_its_effect_and_after() -> None:
    slack = uploading()
    slack.faults.fail("upload", "500")
    async with slack.serve() as base, client_of(slack, base) as client:
        with pytest.raises(SlackRequestError):
            await client.files_upload_v2(channel=SUPPORT, filename="a.csv", content=CSV)
        slack.faults.fail("files.completeUploadExternal", "internal_error", after=True)
        with pytest.raises(SlackApiError):
            await client.files_upload_v2(channel=SUPPORT, filename="a.csv", content=CSV)

    assert len(slack.messages(SUPPORT, ADA)[-1].files) == 1
