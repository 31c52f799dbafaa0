"""The `chat.*` methods."""

from sandbox.slack.app_messages import MAX_UPDATE_TEXT_CHARACTERS, parse_content, replace_content
from sandbox.slack.app_messages import post_message as post
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json
from sandbox.slack.webapi.conversations import open_dm
from sandbox.slack.workspace_state import WorkspaceState

WRITE_PUBLIC = "chat:write.public"


def post_message(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postMessage."""
    channel = _find_channel(state, args["channel"])
    metadata = args.get("metadata")
    if metadata and not (isinstance(metadata, dict) and metadata.keys() >= {"event_type", "event_payload"}):
        raise SlackError("invalid_metadata_format")
    message = post(state, channel.id, parse_content(state, args), args)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json(state.team_id)}


def post_ephemeral(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postEphemeral."""
    channel = _find_channel(state, args["channel"])
    if args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    message = post(state, channel.id, parse_content(state, args), args, args["user"])
    return {"message_ts": message.ts}


def update(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.update; omitted blocks and attachments are kept."""
    message = _find_own_message(state, args, "cant_update_message")
    current = {"blocks": message.blocks, "attachments": message.attachments, "text": message.text}
    content = parse_content(state, {**current, **args}, MAX_UPDATE_TEXT_CHARACTERS)
    replace_content(state, message, content)
    message_json = message.as_json(state.team_id)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": message_json}


def delete(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.delete."""
    message = _find_own_message(state, args, "cant_delete_message")
    state.conversations.remove_message(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.getPermalink."""
    channel = state.conversations.get_visible_to_bot(args["channel"])
    message = state.conversations.get_message(channel.id, args["message_ts"])
    path = f"{channel.id}/p{message.ts.replace('.', '')}"
    link = f"https://{state.directory.team.domain}.slack.com/archives/{path}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _find_channel(state: WorkspaceState, channel: str) -> Channel:
    """Return the conversation named by an id, a channel's name or a user's id, if the bot may post there."""
    if channel in state.directory.users:
        return open_dm(state, channel)
    ids = {known.name: known.id for known in state.conversations.channels.values() if known.name}
    channel_id = ids.get(channel.removeprefix("#"), channel)
    can_write_public = WRITE_PUBLIC in state.manifest.scopes
    return state.conversations.get_writable_by_bot(channel_id, can_write_public=can_write_public)


def _find_own_message(state: WorkspaceState, args: Json, error: str) -> Message:
    """Return a message of the app's; raises `error` if somebody else posted it."""
    channel = state.conversations.get_visible_to_bot(args["channel"])
    if channel.is_archived:
        raise SlackError("is_archived")
    message = state.conversations.get_message(channel.id, args["ts"])
    if message.visible_to:
        raise SlackError("message_not_found")
    if message.user != state.bot_id:
        raise SlackError(error)
    return message
