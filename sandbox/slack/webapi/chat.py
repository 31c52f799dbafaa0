"""The methods that post, change and delete messages."""

from sandbox.slack.conversations import Channel, Message
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.posting import LONGEST_UPDATE, content_of, post
from sandbox.slack.workspace_state import State

PUBLIC = "chat:write.public"


def post_message(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postMessage."""
    channel = _target(state, args["channel"])
    metadata = args.get("metadata")
    if metadata and not (isinstance(metadata, dict) and metadata.keys() >= {"event_type", "event_payload"}):
        raise SlackError("invalid_metadata_format")
    message = post(state, channel.id, content_of(state, args), args)
    return {"channel": channel.id, "ts": message.ts, "message": message.as_json(state.team_id)}


def post_ephemeral(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.postEphemeral."""
    channel = _target(state, args["channel"])
    if args["user"] not in channel.members:
        raise SlackError("user_not_in_channel")
    message = post(state, channel.id, content_of(state, args), args, args["user"])
    return {"message_ts": message.ts}


def update(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.update; blocks and attachments not sent are kept."""
    message = _own(state, args, "cant_update_message")
    kept = {"blocks": message.blocks, "attachments": message.attachments, "text": message.text}
    content = content_of(state, {**kept, **args}, LONGEST_UPDATE)
    message.replace_content(content.text, content.blocks, content.attachments, state.ids.ts())
    state.conversations.changed()
    told = message.as_json(state.team_id)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": told}


def delete(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.delete."""
    message = _own(state, args, "cant_delete_message")
    state.conversations.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/chat.getPermalink."""
    channel = state.conversations.known_to_bot(args["channel"])
    message = state.conversations.message(channel.id, args["message_ts"])
    place = f"{channel.id}/p{message.ts.replace('.', '')}"
    link = f"https://{state.directory.team.domain}.slack.com/archives/{place}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _target(state: State, channel: str) -> Channel:
    named = {known.name: known.id for known in state.conversations.channels.values() if known.name}
    if channel in state.directory.users:
        return direct(state, channel)
    channel_id = named.get(channel.removeprefix("#"), channel)
    return state.conversations.open_to_bot(channel_id, public=PUBLIC in state.manifest.scopes)


def direct(state: State, user_id: str) -> Channel:
    """Return the app's direct message with somebody."""
    if state.directory.user(user_id).is_bot:
        raise SlackError("cannot_dm_bot")
    if not state.manifest.has_messages_tab:
        raise SlackError("messages_tab_disabled")
    return state.conversations.direct(state.ids.make("D"), user_id)


def _own(state: State, args: Json, error: str) -> Message:
    channel = state.conversations.known_to_bot(args["channel"])
    if channel.is_archived:
        raise SlackError("is_archived")
    message = state.conversations.message(channel.id, args["ts"])
    if message.visible_to:
        raise SlackError("message_not_found")
    if message.user != state.bot_id:
        raise SlackError(error)
    return message
