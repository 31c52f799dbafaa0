"""The `conversations.*` methods."""

from sandbox.slack.conversations import Channel
from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.json_types import Json
from sandbox.slack.payloads import message_as_json
from sandbox.slack.workspace_state import WorkspaceState

READ_SCOPES = {"channels": "channels:read", "groups": "groups:read", "im": "im:read"}
DEFAULT_PAGE_SIZE = 100
"""How many messages `conversations.history` returns."""


def info(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.info."""
    channel = _find_readable(state, args["channel"])
    count = {"num_members": len(channel.members)} if args.get("include_num_members") else {}
    return {"channel": {**channel.as_json(state.bot_id), **count}}


def members(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.members; always a single page."""
    channel = _find_readable(state, args["channel"])
    return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}


def open_conversation(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.open, for one user."""
    users = [user for user in str(args.get("users", "")).split(",") if user]
    if len(users) != 1:
        raise invalid_arguments("must name one user [json-pointer:/users]")
    user = state.directory.get_user(users[0])
    if user.is_stranger:
        raise SlackError("invalid_user_combination")
    if not user.accepts_dms:
        raise SlackError("user_not_visible")
    if user.deleted:
        raise SlackError("user_disabled")
    return {"channel": {"id": open_dm(state, user.id).id}}


def history(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.history: newest first, a single page."""
    channel = state.conversations.get_visible_to_bot(args["channel"])
    state.manifest.require_scope(f"{channel.api_type}:history")
    if state.bot_id not in channel.members:
        raise SlackError("not_in_channel")
    oldest = float(args.get("oldest") or 0)
    found = [
        message_as_json(state, message)
        for message in state.conversations.visible_messages(channel.id, viewer="")
        if float(message.ts) > oldest
    ]
    limit = int(args.get("limit") or DEFAULT_PAGE_SIZE)
    return {"messages": found[: -limit - 1 : -1], "has_more": len(found) > limit}


def open_dm(state: WorkspaceState, user_id: str) -> Channel:
    """Return the direct message between the app and a user; that of a deactivated user still exists.

    https://github.com/slackapi/python-slack-sdk/issues/1156
    """
    user = state.directory.get_user(user_id)
    if user.is_bot:
        raise SlackError("cannot_dm_bot")
    if user.is_stranger or not user.accepts_dms:
        raise SlackError("channel_not_found")
    if not state.manifest.has_messages_tab:
        raise SlackError("messages_tab_disabled")
    return state.conversations.open_dm(user_id, state.ids.new_id("D"))


def _find_readable(state: WorkspaceState, channel_id: str) -> Channel:
    channel = state.conversations.get_visible_to_bot(channel_id)
    state.manifest.require_scope(READ_SCOPES[channel.api_type])
    return channel
