"""The methods that upload files, and the address that takes their bytes."""

from sandbox.slack.conversations import Channel
from sandbox.slack.errors import Json, SlackError, invalid_arguments
from sandbox.slack.files import PATH, File
from sandbox.slack.posting import Content, post
from sandbox.slack.webapi.chat import direct
from sandbox.slack.workspace_state import State


def get_upload_url(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/files.getUploadURLExternal."""
    length = str(args["length"])
    if not length.isdecimal():
        raise invalid_arguments("must provide an integer [json-pointer:/length]")
    if int(length) == 0:
        raise SlackError("missing_argument")
    now = int(state.clock().timestamp())
    file = state.files.announce(str(args["filename"]), int(length), state.bot_id, now)
    return {"upload_url": state.url(PATH + file.ticket), "file_id": file.id}


def complete_upload(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/files.completeUploadExternal; no channel keeps it private."""
    wanted = args["files"]
    if not isinstance(wanted, list) or not all(isinstance(item, dict) and "id" in item for item in wanted):
        raise invalid_arguments("must provide an array of files [json-pointer:/files]")
    files = [state.files.uploaded(str(item["id"])) for item in wanted]
    channels = list(_channels(state, args))
    for file, item in zip(files, wanted, strict=True):
        file.title, file.is_complete = str(item.get("title") or file.name), True
    for channel in channels:
        _share(state, channel, files, args)
    return {"files": [file.as_json() for file in files]}


def _channels(state: State, args: Json) -> list[Channel]:
    """Return where to share: `channel_id` is a conversation; `channels` may name people, too."""
    named = [name.strip() for name in str(args.get("channels") or "").split(",") if name.strip()]
    told = [str(args["channel_id"])] if args.get("channel_id") else []
    if args.get("thread_ts") and len(named) + len(told) > 1:
        raise SlackError("invalid_arguments")
    people = [direct(state, name) for name in named if name in state.directory.users]
    places = [*told, *(name for name in named if name not in state.directory.users)]
    return [*(state.conversations.open_to_bot(place, public=False) for place in places), *people]


def _share(state: State, channel: Channel, files: list[File], args: Json) -> None:
    comment = str(args.get("initial_comment") or "")
    post(state, channel.id, Content(comment, [], [], [file.as_json() for file in files]), args)
