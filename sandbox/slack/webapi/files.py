"""The `files.*` methods for uploads."""

from sandbox.slack.app_messages import Content, post_message
from sandbox.slack.conversations import Channel
from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.files import UPLOAD_PATH
from sandbox.slack.json_types import Json
from sandbox.slack.webapi.conversations import open_dm
from sandbox.slack.workspace_state import WorkspaceState


def get_upload_url(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/files.getUploadURLExternal."""
    length = str(args["length"])
    if not length.isdecimal():
        raise invalid_arguments("must provide an integer [json-pointer:/length]")
    if int(length) == 0:
        raise SlackError("missing_argument")
    now = int(state.clock().timestamp())
    file = state.files.announce(str(args["filename"]), int(length), state.bot_id, now)
    return {"upload_url": state.url(UPLOAD_PATH + file.ticket), "file_id": file.id}


def complete_upload(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/files.completeUploadExternal; private without channels."""
    items = args["files"]
    if not isinstance(items, list) or not all(isinstance(item, dict) and "id" in item for item in items):
        raise invalid_arguments("must provide an array of files [json-pointer:/files]")
    files = [state.files.get_uploaded(str(item["id"])) for item in items]
    channels = _find_channels(state, args)
    for file, item in zip(files, items, strict=True):
        file.title, file.is_complete = str(item.get("title") or file.name), True
    for channel in channels:
        content = Content(str(args.get("initial_comment") or ""), [], [], [file.as_json() for file in files])
        post_message(state, channel.id, content, args)
    return {"files": [file.as_json() for file in files]}


def _find_channels(state: WorkspaceState, args: Json) -> list[Channel]:
    """Return the conversations in which to share: `channel_id`, and `channels`, which may include users."""
    names = [name.strip() for name in str(args.get("channels") or "").split(",") if name.strip()]
    channel_ids = [str(args["channel_id"])] if args.get("channel_id") else []
    if args.get("thread_ts") and len(names) + len(channel_ids) > 1:
        raise SlackError("invalid_arguments")
    dms = [open_dm(state, name) for name in names if name in state.directory.users]
    channel_ids += [name for name in names if name not in state.directory.users]
    find = state.conversations.get_writable_by_bot
    return [*(find(channel_id, can_write_public=False) for channel_id in channel_ids), *dms]
