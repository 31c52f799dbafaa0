import json

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from sandbox.slack import Workspace
from sandbox.slack.fixtures import (
    ADA,
    ADA_AND_BEN,
    AGENTS,
    BEN,
    ESCALATIONS,
    GUS,
    HELPDESK,
    LEADS,
    LOUNGE,
    NOOR,
    OLD_SUPPORT,
    RUI,
    SAM,
    SUPPORT,
)
from tests.sandbox.slack_kit import Json, call, manifest, post, section, web_client, workspace


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-somebody-elses", "invalid_auth")],
)
async def test_a_call_requires_a_valid_token(token: str, error: str) -> None:
    response = await call(workspace(), "auth.test", token)

    assert response == {"ok": False, "error": error}


async def test_only_apps_connections_open_takes_the_app_token() -> None:
    slack = workspace()

    by_bot = await call(slack, "apps.connections.open")
    by_app = await call(slack, "apps.connections.open", slack.app_token)
    posting_by_app = await call(slack, "chat.postMessage", slack.app_token, channel=SUPPORT, text="Hi")

    assert by_bot["error"] == "not_allowed_token_type"
    assert by_app["url"].startswith("ws://slack.test/link/?ticket=")
    assert posting_by_app["error"] == "not_allowed_token_type"


async def test_auth_test_returns_the_bot_and_its_scopes() -> None:
    slack = workspace("commands", "chat:write")

    response = await post(slack, "/api/auth.test", {}, slack.bot_token)

    assert response.headers["x-oauth-scopes"] == "commands,chat:write"
    assert response.json()["user_id"] == slack.bot.id
    assert response.json()["team_id"] == slack.team.id


async def test_an_unknown_method_is_rejected() -> None:
    response = await call(workspace(), "chat.shout")

    assert response == {"ok": False, "error": "unknown_method", "req_method": "chat.shout"}


@pytest.mark.parametrize(
    ("method", "scope"),
    [
        ("chat.postMessage", "chat:write"),
        ("users.info", "users:read"),
        ("usergroups.users.list", "usergroups:read"),
        ("conversations.info", "channels:read"),
        ("conversations.open", "im:write"),
    ],
)
async def test_a_method_requires_its_scope(method: str, scope: str) -> None:
    response = await call(workspace("commands"), method, channel=SUPPORT)

    expected = {"ok": False, "error": "missing_scope", "needed": scope, "provided": "commands"}
    assert response == expected


async def test_a_missing_argument_is_rejected() -> None:
    response = await call(workspace(), "chat.postMessage", text="Hi")

    assert response["error"] == "invalid_arguments"
    assert response["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


async def test_a_reply_is_posted_in_its_thread() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[-1]

    response = await call(
        slack, "chat.postMessage", channel=SUPPORT, text="Sent.", thread_ts=parent.ts, blocks=[section()]
    )

    thread = slack.messages(SUPPORT, BEN, thread_ts=parent.ts)
    assert [message.ts for message in thread] == [parent.ts, response["ts"]]
    assert response["message"]["thread_ts"] == parent.ts
    assert thread[1] not in slack.messages(SUPPORT, BEN)


async def test_an_ephemeral_message_in_a_thread_without_replies_is_not_shown() -> None:
    slack = workspace()
    parent, recipient = slack.messages(SUPPORT, ADA)[-1], {"channel": SUPPORT, "user": ADA}

    hidden = await call(slack, "chat.postEphemeral", **recipient, text="Lost", thread_ts=parent.ts)
    reply = await slack.post_message(BEN, SUPPORT, "On it", thread_ts=parent.ts)
    shown = await call(slack, "chat.postEphemeral", **recipient, text="Seen", thread_ts=parent.ts)
    await call(slack, "chat.postEphemeral", **recipient, text="Seen too", thread_ts=reply.ts)

    thread = slack.messages(SUPPORT, ADA, thread_ts=parent.ts)
    assert [message.text for message in thread[1:]] == ["On it", "Seen", "Seen too"]
    assert "Lost" not in {message.text for message in slack.messages(SUPPORT, ADA)}
    assert hidden["ok"]
    assert hidden.keys() == shown.keys()
    assert [api_call.error for api_call in slack.api_calls] == ["", "", ""]


async def test_an_ephemeral_message_in_a_thread_with_deleted_replies_is_not_shown() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[-1]
    replied = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent.", thread_ts=parent.ts)
    await call(slack, "chat.delete", channel=SUPPORT, ts=replied["ts"])

    response = await call(
        slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Lost", thread_ts=parent.ts
    )

    assert response["ok"]
    assert slack.messages(SUPPORT, ADA, thread_ts=parent.ts) == [parent]


async def test_a_message_to_a_user_opens_a_direct_message() -> None:
    slack = workspace()

    first = await call(slack, "chat.postMessage", channel=ADA, text="Sent.")
    second = await call(slack, "chat.postMessage", channel=ADA, text="Answered.")

    assert first["channel"] == second["channel"]
    assert slack.channels[first["channel"]].members == {ADA, slack.bot.id}


@pytest.mark.parametrize("app_home", [{"messages_tab_enabled": False}, {"home_tab_enabled": True}, {}, None])
async def test_direct_messages_require_the_messages_tab(app_home: Json | None) -> None:
    app_manifest = manifest()
    del app_manifest["features"]["app_home"]
    if app_home is not None:
        app_manifest["features"]["app_home"] = app_home

    response = await call(Workspace(app_manifest), "chat.postMessage", channel=ADA, text="Sent.")

    assert response["error"] == "messages_tab_disabled"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        (LOUNGE, "not_in_channel"),
        (LEADS, "channel_not_found"),
        (ADA_AND_BEN, "channel_not_found"),
        ("C0NEVERWAS1", "channel_not_found"),
        (OLD_SUPPORT, "is_archived"),
        (HELPDESK, "cannot_dm_bot"),
        (RUI, "channel_not_found"),
        (NOOR, "channel_not_found"),
    ],
)
async def test_the_app_can_only_post_in_its_channels(channel: str, error: str) -> None:
    response = await call(workspace(), "chat.postMessage", channel=channel, text="Hi")

    assert response == {"ok": False, "error": error}


async def test_the_public_scope_allows_posting_in_public_channels_only() -> None:
    slack = workspace("chat:write", "chat:write.public")

    assert (await call(slack, "chat.postMessage", channel=LOUNGE, text="Hi"))["ok"]
    assert (await call(slack, "chat.postMessage", channel=LEADS, text="Hi"))["error"] == "channel_not_found"


async def test_a_removed_bot_cannot_post_until_it_is_invited() -> None:
    slack = workspace()
    slack.remove_bot(SUPPORT)
    failed = await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi")
    slack.invite_bot(SUPPORT)
    accepted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi")
    slack.archive_channel(SUPPORT)
    archived = await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi")

    assert (failed["error"], accepted["ok"], archived["error"]) == ("not_in_channel", True, "is_archived")


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "Hi", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"text": "Hi", "blocks": "not json"}, "invalid_blocks_format"),
        ({"text": "Hi", "blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long"),
        ({"text": "Hi", "attachments": "not json"}, "invalid_attachments"),
        ({"text": "Hi", "metadata": {"event_type": "sent"}}, "invalid_metadata_format"),
    ],
)
async def test_invalid_messages_are_rejected(args: dict[str, object], error: str) -> None:
    response = await call(workspace(), "chat.postMessage", channel=SUPPORT, **args)

    assert response == {"ok": False, "error": error}


async def test_an_ephemeral_message_is_shown_to_one_user() -> None:
    slack = workspace()

    response = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Only you")

    assert slack.messages(SUPPORT, ADA)[-1].ts == response["message_ts"]
    assert slack.messages(SUPPORT, BEN)[-1].ts != response["message_ts"]


async def test_an_ephemeral_message_requires_its_user_in_the_channel() -> None:
    response = await call(workspace(), "chat.postEphemeral", channel=ESCALATIONS, user=BEN, text="Only you")

    assert response["error"] == "user_not_in_channel"


async def test_a_message_can_be_updated_and_deleted() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sending", blocks=[section()])
    location = {"channel": SUPPORT, "ts": posted["ts"]}

    await call(slack, "chat.update", **location, text="Sent")
    updated = slack.get_message(SUPPORT, posted["ts"])
    await call(slack, "chat.delete", **location)
    failed = await call(slack, "chat.update", **location, text="Sent again")

    assert updated.text == "Sent"
    assert updated.is_edited
    assert updated.blocks
    assert failed["error"] == "message_not_found"


@pytest.mark.parametrize(
    ("method", "error"), [("chat.update", "cant_update_message"), ("chat.delete", "cant_delete_message")]
)
async def test_the_app_can_only_change_its_own_messages(method: str, error: str) -> None:
    slack = workspace()
    other_ts = slack.messages(SUPPORT, ADA)[0].ts

    response = await call(slack, method, channel=SUPPORT, ts=other_ts, text="Hi")

    assert response["error"] == error


async def test_ephemeral_messages_cannot_be_updated() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Only you")

    response = await call(slack, "chat.update", channel=SUPPORT, ts=posted["message_ts"], text="Changed")

    assert response["error"] == "message_not_found"


async def test_the_permalink_of_a_reply_names_its_thread() -> None:
    slack = workspace()
    reply = next(message for message in slack.channels[SUPPORT].messages if message.is_reply)

    response = await call(slack, "chat.getPermalink", channel=SUPPORT, message_ts=reply.ts)

    path = f"{SUPPORT}/p{reply.ts.replace('.', '')}?thread_ts={reply.thread_ts}&cid={SUPPORT}"
    assert response["permalink"] == f"https://northwindair.slack.com/archives/{path}"


async def test_the_slack_sdk_reads_users_groups_and_conversations() -> None:
    slack = workspace("users:read", "usergroups:read", "channels:read", "groups:read", "im:write")
    async with slack.serve() as base, web_client(slack, base) as client:
        guest = await client.users_info(user=GUS)
        external_user = await client.users_info(user=SAM)
        stranger = await client.users_info(user=RUI)
        agents = await client.usergroups_users_list(usergroup=AGENTS)
        support = await client.conversations_info(channel=SUPPORT, include_num_members=True)
        lounge = await client.conversations_info(channel=LOUNGE)
        members = await client.conversations_members(channel=ESCALATIONS)
        dm = await client.conversations_open(users=ADA)
        with pytest.raises(SlackApiError, match="channel_not_found"):
            await client.conversations_info(channel=LEADS)
        with pytest.raises(SlackApiError, match="user_not_found"):
            await client.users_info(user="U0NEVERWAS1")
        with pytest.raises(SlackApiError, match="no_such_subteam"):
            await client.usergroups_users_list(usergroup="S0NEVERWAS1")

    assert guest["user"]["is_restricted"]
    assert (external_user["user"]["is_stranger"], stranger["user"]["is_stranger"]) == (False, True)
    assert external_user["user"]["team_id"] != slack.team.id
    assert ADA in agents["users"]
    assert support["channel"]["is_member"]
    assert support["channel"]["num_members"] == 6
    assert not lounge["channel"]["is_member"]
    assert slack.bot.id in members["members"]
    assert dm["channel"]["id"].startswith("D")


async def test_a_direct_message_is_opened_with_one_user() -> None:
    response = await call(workspace(), "conversations.open", users=f"{ADA},{BEN}")

    assert response["error"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("user", "error"),
    [
        ("U0NEVERWAS1", "user_not_found"),
        (HELPDESK, "cannot_dm_bot"),
        (RUI, "invalid_user_combination"),
        (NOOR, "user_not_visible"),
    ],
)
async def test_a_direct_message_with_some_users_is_refused(user: str, error: str) -> None:
    response = await call(workspace(), "conversations.open", users=user)

    assert response == {"ok": False, "error": error}


async def test_a_deactivated_user_still_has_their_direct_message() -> None:
    slack = workspace()
    slack.users[BEN].deleted = True

    assert (await call(slack, "conversations.open", users=BEN))["error"] == "user_disabled"
    assert (await call(slack, "chat.postMessage", channel=BEN, text="Hi"))["ok"]


@pytest.mark.parametrize("user", [GUS, SAM])
async def test_a_guest_and_a_member_of_a_shared_channel_get_direct_messages(user: str) -> None:
    slack = workspace()
    opened = await call(slack, "conversations.open", users=user)
    posted = await call(slack, "chat.postMessage", channel=user, text="Hi")

    assert posted["channel"] == opened["channel"]["id"]
    assert [message.text for message in slack.messages(posted["channel"], user)] == ["Hi"]


async def test_the_app_reads_its_direct_messages_newest_first() -> None:
    slack = workspace("chat:write", "im:history")
    posted = [await call(slack, "chat.postMessage", channel=SAM, text=text) for text in ("1", "2", "3")]
    dm = posted[0]["channel"]
    await slack.post_message(SAM, dm, "4")

    everything = await call(slack, "conversations.history", channel=dm)
    later = await call(slack, "conversations.history", channel=dm, oldest=posted[0]["ts"], limit="2")

    assert [message["text"] for message in everything["messages"]] == ["4", "3", "2", "1"]
    assert (everything["has_more"], later["has_more"]) == (False, True)
    assert [message["text"] for message in later["messages"]] == ["4", "3"]
    assert everything["messages"][0]["team"] == slack.users[SAM].team_id != slack.team.id


@pytest.mark.parametrize(
    ("channel", "scope", "error"),
    [
        (SUPPORT, "im:history", "missing_scope"),
        (LOUNGE, "channels:history", "not_in_channel"),
        (ADA_AND_BEN, "im:history", "channel_not_found"),
    ],
)
async def test_the_app_reads_no_other_conversations(channel: str, scope: str, error: str) -> None:
    response = await call(workspace(scope), "conversations.history", channel=channel)

    assert response["error"] == error


async def test_reading_a_private_channel_requires_its_own_scope() -> None:
    response = await call(workspace("channels:read"), "conversations.info", channel=ESCALATIONS)

    assert (response["error"], response["needed"]) == ("missing_scope", "groups:read")


async def test_an_injected_rate_limit_ends_after_its_calls() -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", "ratelimited", times=2, retry_after=30)

    message = {"channel": SUPPORT, "text": "Hi"}
    limited = [await post(slack, "/api/chat.postMessage", message, slack.bot_token) for _ in range(3)]

    assert [response.status_code for response in limited] == [429, 429, 200]
    assert limited[0].headers["retry-after"] == "30"
    assert limited[0].json() == {"ok": False, "error": "ratelimited"}


@pytest.mark.parametrize(("error", "status"), [("503", 503), ("is_archived", 200)])
async def test_any_error_can_be_injected(error: str, status: int) -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", error)

    response = await post(slack, "/api/chat.postMessage", {"channel": SUPPORT, "text": "Hi"}, slack.bot_token)

    assert response.status_code == status
    assert slack.api_calls[-1].error == error
    assert slack.messages(SUPPORT, ADA)[-1].text != "Hi"


async def test_faults_end_when_they_are_cleared() -> None:
    slack = workspace()
    slack.faults.fail("auth.test", "internal_error", times=9)
    slack.faults.delay("auth.test", 0.001)
    slack.faults.duplicate_deliveries = 1

    failed = await call(slack, "auth.test")
    slack.faults.clear()

    assert failed["error"] == "internal_error"
    assert (await call(slack, "auth.test"))["ok"]
    assert not slack.faults.duplicate_deliveries


async def test_calls_are_recorded_without_the_token() -> None:
    slack = workspace()

    await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi", token=slack.bot_token)

    api_call = slack.api_calls[-1]
    assert api_call.args == {"channel": SUPPORT, "text": "Hi"}
    assert api_call.response["ok"]


async def test_a_json_list_is_rejected() -> None:
    slack = workspace()
    response = await post(slack, "/api/auth.test", ["a", "list"], slack.bot_token)

    assert response.json()["error"] == "json_not_object"


async def test_a_form_can_contain_json_and_booleans() -> None:
    slack = workspace()
    form = {
        "token": slack.bot_token,
        "channel": "#support",
        "blocks": json.dumps([section("Hi")]),
        "unfurl_links": "false",
    }
    async with slack.serve() as base, aiohttp.ClientSession() as session:
        sent = await session.post(f"{base}/api/chat.postMessage", data=form)
        broken = await session.post(f"{base}/api/chat.postMessage", data={**form, "blocks": "["})
        empty = await session.post(
            f"{base}/api/auth.test", data="{", headers={"content-type": "application/json"}
        )
        responses = [await response.json() for response in (sent, broken, empty)]

    message = slack.get_message(SUPPORT, responses[0]["ts"])
    assert message.blocks[0]["text"]["text"] == "Hi"
    assert not message.unfurl_links
    assert [response.get("error") for response in responses] == [
        None,
        "invalid_blocks_format",
        "invalid_json",
    ]


async def test_a_direct_message_is_returned_with_its_user() -> None:
    slack = workspace("im:write", "im:read")
    opened = await call(slack, "conversations.open", users=ADA)

    response = await call(slack, "conversations.info", channel=opened["channel"]["id"])

    assert (response["channel"]["is_im"], response["channel"]["user"]) == (True, ADA)


async def test_messages_in_an_archived_channel_cannot_be_updated() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent")
    slack.archive_channel(SUPPORT)

    response = await call(slack, "chat.update", channel=SUPPORT, ts=posted["ts"], text="Answered")

    assert response["error"] == "is_archived"


async def test_a_message_has_at_most_a_hundred_attachments() -> None:
    response = await call(workspace(), "chat.postMessage", channel=SUPPORT, attachments=[{"text": "x"}] * 101)

    assert response["error"] == "too_many_attachments"


async def test_a_reply_can_be_broadcast_to_the_channel() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[0]
    reply = {"thread_ts": parent.ts, "reply_broadcast": True}

    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent", **reply)

    assert slack.messages(SUPPORT, ADA)[-1].ts == posted["ts"]
    assert slack.messages(SUPPORT, ADA, thread_ts=parent.ts)[-1].ts == posted["ts"]
