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
    OLD_SUPPORT,
    SAM,
    SUPPORT,
)
from tests.sandbox.test_slack_kit import Json, call, client_of, manifest, post, section, workspace


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-somebody-elses", "invalid_auth")],
)
async def test_a_call_needs_the_right_token(token: str, error: str) -> None:
    answer = await call(workspace(), "auth.test", token)

    assert answer == {"ok": False, "error": error}


async def test_connections_take_the_app_token_and_nothing_else_does() -> None:
    slack = workspace()

    by_bot = await call(slack, "apps.connections.open")
    by_app = await call(slack, "apps.connections.open", slack.app_token)
    posting_by_app = await call(slack, "chat.postMessage", slack.app_token, channel=SUPPORT, text="Hi")

    assert by_bot["error"] == "not_allowed_token_type"
    assert by_app["url"].startswith("ws://slack.test/link/?ticket=")
    assert posting_by_app["error"] == "not_allowed_token_type"


async def test_auth_test_tells_who_the_app_is_and_its_scopes() -> None:
    slack = workspace("commands", "chat:write")

    response = await post(slack, "/api/auth.test", {}, slack.bot_token)

    assert response.headers["x-oauth-scopes"] == "commands,chat:write"
    assert response.json()["user_id"] == slack.bot.id
    assert response.json()["team_id"] == slack.team.id


async def test_an_unknown_method_is_refused() -> None:
    answer = await call(workspace(), "chat.shout")

    assert answer == {"ok": False, "error": "unknown_method", "req_method": "chat.shout"}


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
async def test_a_method_needs_its_scope(method: str, scope: str) -> None:
    answer = await call(workspace("commands"), method, channel=SUPPORT)

    expected = {"ok": False, "error": "missing_scope", "needed": scope, "provided": "commands"}
    assert answer == expected


async def test_a_missing_argument_is_named() -> None:
    answer = await call(workspace(), "chat.postMessage", text="Hi")

    assert answer["error"] == "invalid_arguments"
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


async def test_a_message_appears_in_its_thread() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[-1]

    answer = await call(
        slack, "chat.postMessage", channel=SUPPORT, text="Sent.", thread_ts=parent.ts, blocks=[section()]
    )

    thread = slack.messages(SUPPORT, BEN, thread_ts=parent.ts)
    assert [message.ts for message in thread] == [parent.ts, answer["ts"]]
    assert answer["message"]["thread_ts"] == parent.ts
    assert thread[1] not in slack.messages(SUPPORT, BEN)


async def test_an_ephemeral_message_is_seen_in_an_active_thread_only() -> None:
    slack = workspace()
    quiet, aside = slack.messages(SUPPORT, ADA)[-1], {"channel": SUPPORT, "user": ADA}

    lost = await call(slack, "chat.postEphemeral", **aside, text="Lost", thread_ts=quiet.ts)
    reply = await slack.post_message(BEN, SUPPORT, "On it", thread_ts=quiet.ts)
    seen = await call(slack, "chat.postEphemeral", **aside, text="ActionResult", thread_ts=quiet.ts)
    await call(slack, "chat.postEphemeral", **aside, text="ActionResult too", thread_ts=reply.ts)

    thread = slack.messages(SUPPORT, ADA, thread_ts=quiet.ts)
    assert [message.text for message in thread[1:]] == ["On it", "ActionResult", "ActionResult too"]
    assert "Lost" not in {message.text for message in slack.messages(SUPPORT, ADA)}
    assert lost["ok"]
    assert lost.keys() == seen.keys()
    assert [made.error for made in slack.api_calls] == ["", "", ""]


async def test_a_thread_whose_replies_are_gone_is_active_no_more() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[-1]
    replied = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent.", thread_ts=parent.ts)
    await call(slack, "chat.delete", channel=SUPPORT, ts=replied["ts"])

    answer = await call(
        slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Lost", thread_ts=parent.ts
    )

    assert answer["ok"]
    assert slack.messages(SUPPORT, ADA, thread_ts=parent.ts) == [parent]


async def test_a_message_to_a_person_opens_a_direct_message() -> None:
    slack = workspace()

    first = await call(slack, "chat.postMessage", channel=ADA, text="Sent.")
    second = await call(slack, "chat.postMessage", channel=ADA, text="Answered.")

    assert first["channel"] == second["channel"]
    assert slack.channels[first["channel"]].members == {ADA, slack.bot.id}


@pytest.mark.parametrize("app_home", [{"messages_tab_enabled": False}, {"home_tab_enabled": True}, {}, None])
async def test_a_messages_tab_that_is_not_asked_for_refuses_direct_messages(app_home: Json | None) -> None:
    described = manifest()
    del described["features"]["app_home"]
    if app_home is not None:
        described["features"]["app_home"] = app_home

    answer = await call(Workspace(described), "chat.postMessage", channel=ADA, text="Sent.")

    assert answer["error"] == "messages_tab_disabled"


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        (LOUNGE, "not_in_channel"),
        (LEADS, "channel_not_found"),
        (ADA_AND_BEN, "channel_not_found"),
        ("C0NEVERWAS1", "channel_not_found"),
        (OLD_SUPPORT, "is_archived"),
        (HELPDESK, "cannot_dm_bot"),
    ],
)
async def test_the_app_can_not_post_everywhere(channel: str, error: str) -> None:
    answer = await call(workspace(), "chat.postMessage", channel=channel, text="Hi")

    assert answer == {"ok": False, "error": error}


async def test_the_public_scope_opens_public_channels_alone() -> None:
    slack = workspace("chat:write", "chat:write.public")

    assert (await call(slack, "chat.postMessage", channel=LOUNGE, text="Hi"))["ok"]
    assert (await call(slack, "chat.postMessage", channel=LEADS, text="Hi"))["error"] == "channel_not_found"


async def test_a_bot_that_leaves_can_not_post_until_it_is_invited() -> None:
    slack = workspace()
    slack.remove_bot(SUPPORT)
    refused = await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi")
    slack.invite_bot(SUPPORT)
    accepted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi")
    slack.archive_channel(SUPPORT)
    archived = await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi")

    assert (refused["error"], accepted["ok"], archived["error"]) == ("not_in_channel", True, "is_archived")


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
async def test_a_message_must_make_sense(args: dict[str, object], error: str) -> None:
    answer = await call(workspace(), "chat.postMessage", channel=SUPPORT, **args)

    assert answer == {"ok": False, "error": error}


async def test_an_ephemeral_message_is_seen_by_one_person() -> None:
    slack = workspace()

    answer = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Only you")

    assert slack.messages(SUPPORT, ADA)[-1].ts == answer["message_ts"]
    assert slack.messages(SUPPORT, BEN)[-1].ts != answer["message_ts"]


async def test_an_ephemeral_message_needs_its_reader_in_the_channel() -> None:
    answer = await call(workspace(), "chat.postEphemeral", channel=ESCALATIONS, user=BEN, text="Only you")

    assert answer["error"] == "user_not_in_channel"


async def test_a_message_changes_and_goes() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sending", blocks=[section()])
    where = {"channel": SUPPORT, "ts": posted["ts"]}

    await call(slack, "chat.update", **where, text="Sent")
    changed = slack.get_message(SUPPORT, posted["ts"])
    await call(slack, "chat.delete", **where)
    gone = await call(slack, "chat.update", **where, text="Sent again")

    assert changed.text == "Sent"
    assert changed.is_edited
    assert changed.blocks
    assert gone["error"] == "message_not_found"


@pytest.mark.parametrize(
    ("method", "error"), [("chat.update", "cant_update_message"), ("chat.delete", "cant_delete_message")]
)
async def test_the_app_changes_its_own_messages_alone(method: str, error: str) -> None:
    slack = workspace()
    somebody_elses = slack.messages(SUPPORT, ADA)[0].ts

    answer = await call(slack, method, channel=SUPPORT, ts=somebody_elses, text="Hi")

    assert answer["error"] == error


async def test_ephemeral_messages_can_not_be_updated() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postEphemeral", channel=SUPPORT, user=ADA, text="Only you")

    answer = await call(slack, "chat.update", channel=SUPPORT, ts=posted["message_ts"], text="Changed")

    assert answer["error"] == "message_not_found"


async def test_a_permalink_leads_to_a_reply_in_its_thread() -> None:
    slack = workspace()
    reply = next(message for message in slack.channels[SUPPORT].messages if message.is_reply)

    answer = await call(slack, "chat.getPermalink", channel=SUPPORT, message_ts=reply.ts)

    place = f"{SUPPORT}/p{reply.ts.replace('.', '')}?thread_ts={reply.thread_ts}&cid={SUPPORT}"
    assert answer["permalink"] == f"https://northwindair.slack.com/archives/{place}"


async def test_slacks_own_client_reads_who_and_what_there_is() -> None:
    slack = workspace("users:read", "usergroups:read", "channels:read", "groups:read", "im:write")
    async with slack.serve() as base, client_of(slack, base) as client:
        guest = await client.users_info(user=GUS)
        stranger = await client.users_info(user=SAM)
        agents = await client.usergroups_users_list(usergroup=AGENTS)
        support = await client.conversations_info(channel=SUPPORT, include_num_members=True)
        lounge = await client.conversations_info(channel=LOUNGE)
        members = await client.conversations_members(channel=ESCALATIONS)
        direct = await client.conversations_open(users=ADA)
        with pytest.raises(SlackApiError, match="channel_not_found"):
            await client.conversations_info(channel=LEADS)
        with pytest.raises(SlackApiError, match="user_not_found"):
            await client.users_info(user="U0NEVERWAS1")
        with pytest.raises(SlackApiError, match="no_such_subteam"):
            await client.usergroups_users_list(usergroup="S0NEVERWAS1")

    assert guest["user"]["is_restricted"]
    assert stranger["user"]["is_stranger"]
    assert stranger["user"]["team_id"] != slack.team.id
    assert ADA in agents["users"]
    assert support["channel"]["is_member"]
    assert support["channel"]["num_members"] == 6
    assert not lounge["channel"]["is_member"]
    assert slack.bot.id in members["members"]
    assert direct["channel"]["id"].startswith("D")


async def test_a_direct_message_opens_for_one_person_at_a_time() -> None:
    answer = await call(workspace(), "conversations.open", users=f"{ADA},{BEN}")

    assert answer["error"] == "invalid_arguments"


async def test_a_private_channel_needs_its_own_scope() -> None:
    answer = await call(workspace("channels:read"), "conversations.info", channel=ESCALATIONS)

    assert (answer["error"], answer["needed"]) == ("missing_scope", "groups:read")


async def test_a_forced_limit_ends_after_its_calls() -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", "ratelimited", times=2, retry_after=30)

    message = {"channel": SUPPORT, "text": "Hi"}
    limited = [await post(slack, "/api/chat.postMessage", message, slack.bot_token) for _ in range(3)]

    assert [response.status_code for response in limited] == [429, 429, 200]
    assert limited[0].headers["retry-after"] == "30"
    assert limited[0].json() == {"ok": False, "error": "ratelimited"}


@pytest.mark.parametrize(("error", "status"), [("503", 503), ("is_archived", 200)])
async def test_any_failure_can_be_forced(error: str, status: int) -> None:
    slack = workspace()
    slack.faults.fail("chat.postMessage", error)

    response = await post(slack, "/api/chat.postMessage", {"channel": SUPPORT, "text": "Hi"}, slack.bot_token)

    assert response.status_code == status
    assert slack.api_calls[-1].error == error
    assert slack.messages(SUPPORT, ADA)[-1].text != "Hi"


async def test_troubles_end_when_they_are_cleared() -> None:
    slack = workspace()
    slack.faults.fail("auth.test", "internal_error", times=9)
    slack.faults.delay("auth.test", 0.001)
    slack.faults.duplicate_deliveries = 1

    refused = await call(slack, "auth.test")
    slack.faults.clear()

    assert refused["error"] == "internal_error"
    assert (await call(slack, "auth.test"))["ok"]
    assert not slack.faults.duplicate_deliveries


async def test_calls_are_kept_without_their_token() -> None:
    slack = workspace()

    await call(slack, "chat.postMessage", channel=SUPPORT, text="Hi", token=slack.bot_token)

    kept = slack.api_calls[-1]
    assert kept.args == {"channel": SUPPORT, "text": "Hi"}
    assert kept.response["ok"]


async def test_broken_json_is_refused() -> None:
    slack = workspace()
    answer = await post(slack, "/api/auth.test", ["a", "list"], slack.bot_token)

    assert answer.json()["error"] == "json_not_object"


async def test_a_form_body_carries_json_and_flags() -> None:
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
        answers = [await response.json() for response in (sent, broken, empty)]

    message = slack.get_message(SUPPORT, answers[0]["ts"])
    assert message.blocks[0]["text"]["text"] == "Hi"
    assert not message.unfurl_links
    assert [answer.get("error") for answer in answers] == [None, "invalid_blocks_format", "invalid_json"]


async def test_a_direct_message_is_told_with_its_person() -> None:
    slack = workspace("im:write", "im:read")
    opened = await call(slack, "conversations.open", users=ADA)

    answer = await call(slack, "conversations.info", channel=opened["channel"]["id"])

    assert (answer["channel"]["is_im"], answer["channel"]["user"]) == (True, ADA)


async def test_nothing_changes_in_an_archived_channel() -> None:
    slack = workspace()
    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent")
    slack.archive_channel(SUPPORT)

    answer = await call(slack, "chat.update", channel=SUPPORT, ts=posted["ts"], text="Answered")

    assert answer["error"] == "is_archived"


async def test_a_message_has_a_hundred_attachments_at_most() -> None:
    answer = await call(workspace(), "chat.postMessage", channel=SUPPORT, attachments=[{"text": "x"}] * 101)

    assert answer["error"] == "too_many_attachments"


async def test_a_reply_can_be_sent_to_the_channel_too() -> None:
    slack = workspace()
    parent = slack.messages(SUPPORT, ADA)[0]
    reply = {"thread_ts": parent.ts, "reply_broadcast": True}

    posted = await call(slack, "chat.postMessage", channel=SUPPORT, text="Sent", **reply)

    assert slack.messages(SUPPORT, ADA)[-1].ts == posted["ts"]
    assert slack.messages(SUPPORT, ADA, thread_ts=parent.ts)[-1].ts == posted["ts"]
