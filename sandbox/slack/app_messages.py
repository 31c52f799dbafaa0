"""Validate and post the app's messages, from the Web API, a `response_url` or an acknowledgement."""

from dataclasses import dataclass, field

from sandbox.slack.blockkit import find_unsupported_blocks, validate_blocks
from sandbox.slack.conversations import Message
from sandbox.slack.errors import SlackError, error_messages
from sandbox.slack.interactive_elements import add_missing_ids
from sandbox.slack.json_types import Json
from sandbox.slack.response_urls import ResponseUrl
from sandbox.slack.workspace_state import WorkspaceState

MAX_TEXT_CHARACTERS = 40_000
MAX_UPDATE_TEXT_CHARACTERS = 4_000
MAX_BLOCKS_CHARACTERS = 13_200
"""The limit for the texts of all blocks together: undocumented, as observed by apps."""
MAX_ATTACHMENTS = 100


@dataclass(frozen=True)
class Content:
    """Valid content of a message."""

    text: str
    blocks: list[Json]
    attachments: list[Json]
    files: list[Json] = field(default_factory=list)


def parse_content(state: WorkspaceState, args: Json, max_characters: int = MAX_TEXT_CHARACTERS) -> Content:
    """Return the content of a message; raises `SlackError` if Slack would reject it."""
    text, blocks, attachments = (args.get(name) for name in ("text", "blocks", "attachments"))
    if not (text or blocks or attachments):
        raise SlackError("no_text")
    if text and len(str(text)) > max_characters:
        raise SlackError("msg_too_long")
    return Content(
        str(text or ""),
        _parse_blocks(state, blocks or [], "/blocks"),
        _parse_attachments(state, attachments or []),
    )


def post_message(
    state: WorkspaceState, channel: str, content: Content, args: Json, visible_to: str = ""
) -> Message:
    """Post a message of the app's; `args` has the thread and other options.

    As in Slack, an ephemeral reply to a message without replies is accepted but not shown:
    https://docs.slack.dev/reference/methods/chat.postEphemeral.
    """
    message = _build_message(state, channel, content, args, visible_to)
    in_new_thread = message.thread_ts and not state.conversations.has_replies(channel, message.thread_ts)
    return message if visible_to and in_new_thread else state.conversations.add_message(message)


def post_response(state: WorkspaceState, channel: str, user: str, args: Json) -> Message:
    """Post a response to an interaction: `in_channel`, or else ephemeral for this user."""
    response_type = args.get("response_type", "ephemeral")
    if response_type not in {"ephemeral", "in_channel"}:
        raise SlackError("invalid_payload")
    visible_to = user if response_type == "ephemeral" else ""
    return post_message(state, channel, parse_content(state, args), args, visible_to)


def handle_response_url(state: WorkspaceState, path: str, args: Json) -> None:
    """Post a response, or replace or delete the original message, as requested through a `response_url`."""
    url = state.response_urls.use(path)
    original = _find_original(state, url)
    if args.get("delete_original"):
        if original is None:
            raise SlackError("message_not_found")
        state.conversations.remove_message(original)
    elif original and args.get("replace_original", "response_type" not in args):
        replace_content(state, original, parse_content(state, args))
    else:
        post_response(state, url.channel, url.user, args)


def replace_content(state: WorkspaceState, message: Message, content: Content) -> None:
    """Replace the content of a message."""
    message.replace_content(content.text, content.blocks, content.attachments, state.ids.new_ts())
    state.conversations.publish_change()


def _parse_blocks(state: WorkspaceState, blocks: object, pointer: str) -> list[Json]:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    problems = validate_blocks(blocks, "message", pointer)
    problems = problems or find_unsupported_blocks(blocks, state.faults.unsupported_blocks, pointer)
    if problems:
        raise SlackError("invalid_blocks", errors=problems, response_metadata=error_messages(problems))
    if _count_characters(blocks) > MAX_BLOCKS_CHARACTERS:
        raise SlackError("msg_blocks_too_long")
    return add_missing_ids(blocks, state.ids.new_block_id)


def _parse_attachments(state: WorkspaceState, attachments: object) -> list[Json]:
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    return [
        {**item, "blocks": _parse_blocks(state, item["blocks"], f"/attachments/{index}/blocks")}
        if item.get("blocks")
        else item
        for index, item in enumerate(attachments)
    ]


def _count_characters(part: object) -> int:
    if isinstance(part, list):
        return sum(map(_count_characters, part))
    if not isinstance(part, dict):
        return 0
    text = part.get("text")
    return (len(text) if isinstance(text, str) else 0) + sum(map(_count_characters, part.values()))


def _build_message(
    state: WorkspaceState, channel: str, content: Content, args: Json, visible_to: str
) -> Message:
    thread_ts = args.get("thread_ts") or ""
    return Message(
        state.ids.new_ts(),
        channel,
        state.bot_id,
        content.text,
        content.blocks,
        content.attachments,
        thread_ts=_find_thread(state, channel, thread_ts) if thread_ts else "",
        bot_id=state.directory.bot.bot_id,
        app_id=state.directory.app_id,
        visible_to=visible_to,
        metadata=args.get("metadata") or {},
        unfurl_links=args.get("unfurl_links") is not False,
        unfurl_media=args.get("unfurl_media") is not False,
        broadcast=args.get("reply_broadcast") is True,
        files=content.files,
    )


def _find_thread(state: WorkspaceState, channel: str, thread_ts: str) -> str:
    try:
        parent = state.conversations.get_message(channel, thread_ts)
    except SlackError:
        raise SlackError("thread_not_found") from None
    return parent.thread_ts or parent.ts


def _find_original(state: WorkspaceState, url: ResponseUrl) -> Message | None:
    message = url.message
    if message is None or message.app_id != state.directory.app_id:
        return None
    return message if message in state.conversations.get_channel(url.channel).messages else None
