"""What a message of the app's may hold, and how it appears."""

from dataclasses import dataclass, field

from sandbox.slack.blockkit import find_unsupported_blocks, validate_blocks
from sandbox.slack.conversations import Message
from sandbox.slack.elements import add_missing_ids
from sandbox.slack.errors import Json, SlackError
from sandbox.slack.workspace_state import State

LONGEST_TEXT = 40_000
LONGEST_UPDATE = 4_000
LONGEST_BLOCKS = 13_200
"""How many characters the texts of all blocks hold together, as apps have found out."""

MOST_ATTACHMENTS = 100


@dataclass(frozen=True)
class Content:
    """Text, blocks and attachments that Slack accepts, and files that were uploaded."""

    text: str
    blocks: list[Json]
    attachments: list[Json]
    files: list[Json] = field(default_factory=list)


def content_of(state: State, args: Json, longest: int = LONGEST_TEXT) -> Content:
    """Check what the app sent and return it; `SlackError` names what Slack does not accept."""
    text, blocks, attachments = (args.get(name) for name in ("text", "blocks", "attachments"))
    if not (text or blocks or attachments):
        raise SlackError("no_text")
    if text and len(str(text)) > longest:
        raise SlackError("msg_too_long")
    return Content(
        str(text or ""), _blocks(state, blocks or [], "/blocks"), _attachments(state, attachments or [])
    )


def _blocks(state: State, blocks: object, at: str) -> list[Json]:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    unknown = state.faults.unsupported_blocks
    problems = validate_blocks(blocks, "message", at) or find_unsupported_blocks(blocks, unknown, at)
    if problems:
        told = {"messages": [f"[ERROR] {problem}" for problem in problems]}
        raise SlackError("invalid_blocks", errors=problems, response_metadata=told)
    if _characters(blocks) > LONGEST_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    return add_missing_ids(blocks, state.ids.block)


def _attachments(state: State, attachments: object) -> list[Json]:
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    return [
        {**item, "blocks": _blocks(state, item["blocks"], f"/attachments/{index}/blocks")}
        if item.get("blocks")
        else item
        for index, item in enumerate(attachments)
    ]


def _characters(part: object) -> int:
    if isinstance(part, list):
        return sum(map(_characters, part))
    if not isinstance(part, dict):
        return 0
    own = part.get("text")
    return (len(own) if isinstance(own, str) else 0) + sum(map(_characters, part.values()))


def post(state: State, channel: str, content: Content, args: Json, visible_to: str = "") -> Message:
    """Let a message of the app's appear in a channel, in the thread and the way that `args` say.

    An ephemeral one in a thread that has no replies yet is accepted, and nobody sees it:
    https://docs.slack.dev/reference/methods/chat.postEphemeral.
    """
    message = _message(state, channel, content, args, visible_to)
    inactive = message.thread_ts and not state.conversations.has_replies(channel, message.thread_ts)
    return message if visible_to and inactive else state.conversations.add(message)


def _message(state: State, channel: str, content: Content, args: Json, visible_to: str) -> Message:
    thread_ts = args.get("thread_ts") or ""
    return Message(
        state.ids.ts(),
        channel,
        state.bot_id,
        content.text,
        content.blocks,
        content.attachments,
        thread_ts=_parent(state, channel, thread_ts) if thread_ts else "",
        bot_id=state.directory.bot.bot_id,
        app_id=state.directory.app_id,
        visible_to=visible_to,
        metadata=args.get("metadata") or {},
        unfurl_links=args.get("unfurl_links") is not False,
        unfurl_media=args.get("unfurl_media") is not False,
        broadcast=args.get("reply_broadcast") is True,
        files=content.files,
    )


def _parent(state: State, channel: str, thread_ts: str) -> str:
    try:
        parent = state.conversations.message(channel, thread_ts)
    except SlackError:
        raise SlackError("thread_not_found") from None
    return parent.thread_ts or parent.ts
