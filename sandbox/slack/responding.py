"""What happens when the app posts to a `response_url`, or answers a command in its acknowledgement."""

from sandbox.slack.conversations import Message
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.posting import content_of, post
from sandbox.slack.response_urls import ResponseUrl
from sandbox.slack.workspace_state import State


def respond(state: State, path: str, args: Json) -> None:
    """Do what a post to a `response_url` asks for."""
    url = state.response_urls.use(path)
    original = _original(state, url)
    if args.get("delete_original"):
        _remove(state, original)
    elif original and args.get("replace_original", "response_type" not in args):
        content = content_of(state, args)
        original.replace_content(content.text, content.blocks, content.attachments, state.ids.ts())
        state.conversations.changed()
    else:
        answer(state, url.channel, url.user, args)


def answer(state: State, channel: str, user: str, args: Json) -> Message:
    """Post what the app says to somebody: `in_channel` for all, else for this person's eyes alone."""
    response_type = args.get("response_type", "ephemeral")
    if response_type not in {"ephemeral", "in_channel"}:
        raise SlackError("invalid_payload")
    visible_to = user if response_type == "ephemeral" else ""
    return post(state, channel, content_of(state, args), args, visible_to)


def _original(state: State, url: ResponseUrl) -> Message | None:
    ours = url.message and url.message.app_id == state.directory.app_id
    there = url.message in state.conversations.channel(url.channel).messages
    return url.message if ours and there else None


def _remove(state: State, original: Message | None) -> None:
    if original is None:
        raise SlackError("message_not_found")
    state.conversations.remove(original)
