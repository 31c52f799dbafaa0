"""The `conversations.*` methods."""

from sandbox.slack.conversations import Channel
from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.json_types import Json
from sandbox.slack.workspace_state import WorkspaceState

READ_SCOPES = {"channels": "channels:read", "groups": "groups:read", "im": "im:read"}


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
    return {"channel": {"id": open_dm(state, users[0]).id}}


def open_dm(state: WorkspaceState, user_id: str) -> Channel:
    """Return the direct message between the app and a user."""
    user = state.directory.get_user(user_id)
    if user.is_bot:
        raise SlackError("cannot_dm_bot")
    if user.is_stranger:
        raise SlackError("channel_not_found")
    if not state.manifest.has_messages_tab:
        raise SlackError("messages_tab_disabled")
    return state.conversations.open_dm(user_id, state.ids.new_id("D"))


def _find_readable(state: WorkspaceState, channel_id: str) -> Channel:
    channel = state.conversations.get_visible_to_bot(channel_id)
    state.manifest.require_scope(READ_SCOPES[channel.api_type])
    return channel
