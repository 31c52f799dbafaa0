"""Files: announced, uploaded, shared, as Slack's own library does it."""

import httpx
import pytest
from slack_sdk.errors import SlackApiError, SlackRequestError

from sandbox.slack import Workspace
from sandbox.slack.fixtures import ADA, CLEO, LEADS, LOUNGE, OLD_SUPPORT, SUPPORT
from tests.sandbox.slack_kit import SCOPES, Json, call, web_client, workspace

CSV = b"survey,rating\n1,5\n"


def upload_workspace() -> Workspace:
    return workspace(*SCOPES, "files:write")


async def request_upload(slack: Workspace, size: int = len(CSV)) -> Json:
    return await call(slack, "files.getUploadURLExternal", filename="answers.csv", length=size)


async def send(slack: Workspace, url: str, **body: object) -> httpx.Response:
    transport = httpx.ASGITransport(slack.app)
    async with httpx.AsyncClient(transport=transport, verify=False) as client:  # noqa: S501 - nothing leaves the process
        return await client.post(url, **body)  # type: ignore[arg-type]


async def test_the_slack_sdk_uploads_a_file_to_a_direct_message() -> None:
    slack = upload_workspace()
    async with slack.serve() as base, web_client(slack, base) as client:
        channel = (await client.conversations_open(users=CLEO))["channel"]["id"]
        response = await client.files_upload_v2(
            channel=channel,
            filename="answers.csv",
            content=CSV,
            title="Answers",
            initial_comment="Here they are",
        )

    (message,) = slack.messages(channel, CLEO)
    (file,) = message.files
    assert message.text == "Here they are"
    assert (file["name"], file["title"], file["mimetype"], file["size"]) == (
        "answers.csv",
        "Answers",
        "text/csv",
        len(CSV),
    )
    assert response["file"]["id"] == file["id"]
    assert slack.files[file["id"]].content == CSV
    assert message.as_json(slack.team.id)["files"] == [file]
    assert [api_call.method for api_call in slack.api_calls[-3:]] == [
        "files.getUploadURLExternal",
        "upload",
        "files.completeUploadExternal",
    ]


async def test_a_file_can_be_shared_in_a_thread() -> None:
    slack = upload_workspace()
    parent = slack.messages(SUPPORT, ADA)[0]
    async with slack.serve() as base, web_client(slack, base) as client:
        await client.files_upload_v2(channel=SUPPORT, filename="a.csv", content=CSV, thread_ts=parent.ts)

    assert slack.messages(SUPPORT, ADA, thread_ts=parent.ts)[-1].files[0]["name"] == "a.csv"


async def test_a_file_can_be_uploaded_in_a_form() -> None:
    slack = upload_workspace()
    upload = await request_upload(slack)

    response = await send(slack, upload["upload_url"], files={"filename": ("answers.csv", CSV)})

    assert (response.status_code, response.text) == (200, f"OK - {len(CSV)}")
    assert slack.files[upload["file_id"]].content == CSV


async def test_a_file_that_is_completed_without_a_channel_is_not_shared() -> None:
    slack = upload_workspace()
    upload = await request_upload(slack)
    await send(slack, upload["upload_url"], content=CSV)

    completed = await call(slack, "files.completeUploadExternal", files=[{"id": upload["file_id"]}])

    assert completed["files"][0]["title"] == "answers.csv"
    assert all(not message.files for message in slack.messages(SUPPORT, ADA))


async def test_a_file_is_shared_with_a_user_through_channels_only() -> None:
    slack = upload_workspace()
    upload = await request_upload(slack)
    await send(slack, upload["upload_url"], content=CSV)
    files = [{"id": upload["file_id"]}]

    failed = await call(slack, "files.completeUploadExternal", files=files, channel_id=ADA)
    completed = await call(slack, "files.completeUploadExternal", files=files, channels=ADA)

    assert (failed["error"], completed["ok"]) == ("channel_not_found", True)


@pytest.mark.parametrize(
    ("channel", "error"),
    [(LOUNGE, "not_in_channel"), (LEADS, "channel_not_found"), (OLD_SUPPORT, "is_archived")],
)
async def test_a_file_can_be_shared_elsewhere_after_an_error(channel: str, error: str) -> None:
    slack = upload_workspace()
    upload = await request_upload(slack)
    await send(slack, upload["upload_url"], content=CSV)
    files = [{"id": upload["file_id"]}]

    failed = await call(slack, "files.completeUploadExternal", files=files, channel_id=channel)
    completed = await call(slack, "files.completeUploadExternal", files=files, channel_id=SUPPORT)
    again = await call(slack, "files.completeUploadExternal", files=files, channel_id=SUPPORT)

    assert (failed["error"], completed["ok"], again["error"]) == (error, True, "file_not_found")


async def test_a_file_that_was_not_uploaded_cannot_be_completed() -> None:
    slack = upload_workspace()
    upload = await request_upload(slack)
    unknown = await send(slack, slack.base_url + "/upload/v1/nothing", content=CSV)
    short = await send(slack, upload["upload_url"], content=CSV[1:])
    empty = await send(slack, upload["upload_url"], files={"a": ("a", CSV), "b": ("b", CSV)})

    completed = await call(slack, "files.completeUploadExternal", files=[{"id": upload["file_id"]}])

    assert {response.status_code for response in (unknown, short, empty)} == {400}
    assert (short.text, completed["error"]) == ("file_size_mismatch", "file_not_found")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"filename": "a.csv", "length": "0"}, "missing_argument"),
        ({"filename": "a.csv", "length": "many"}, "invalid_arguments"),
        ({"filename": "a.csv"}, "invalid_arguments"),
        ({"length": 3}, "invalid_arguments"),
    ],
)
async def test_an_upload_url_requires_a_name_and_a_length(args: Json, error: str) -> None:
    assert (await call(upload_workspace(), "files.getUploadURLExternal", **args))["error"] == error


async def test_uploads_require_a_scope_and_valid_arguments() -> None:
    response = await request_upload(workspace())

    assert (response["error"], response["needed"]) == ("missing_scope", "files:write")
    assert (await call(upload_workspace(), "files.completeUploadExternal", files="F1"))[
        "error"
    ] == "invalid_arguments"


async def test_an_upload_can_fail_before_and_after_it_was_processed() -> None:
    slack = upload_workspace()
    slack.faults.fail("upload", "500")
    async with slack.serve() as base, web_client(slack, base) as client:
        with pytest.raises(SlackRequestError):
            await client.files_upload_v2(channel=SUPPORT, filename="a.csv", content=CSV)
        slack.faults.fail("files.completeUploadExternal", "internal_error", after=True)
        with pytest.raises(SlackApiError):
            await client.files_upload_v2(channel=SUPPORT, filename="a.csv", content=CSV)

    assert len(slack.messages(SUPPORT, ADA)[-1].files) == 1
