"""The methods of the Web API that the pretend Slack knows, with what each needs."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.slack.errors import Json, SlackError, invalid_arguments
from sandbox.slack.webapi import chat, files, people, views
from sandbox.slack.workspace_state import State

READS = ("channels:read", "groups:read", "im:read", "mpim:read")


@dataclass(frozen=True)
class Method:
    """One method: what it does, one of which scopes it needs, and which arguments."""

    run: Callable[[State, Json], Json]
    scopes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    takes_app_token: bool = False


METHODS = {
    "apps.connections.open": Method(people.open_connection, takes_app_token=True),
    "auth.test": Method(people.auth_test),
    "chat.delete": Method(chat.delete, ("chat:write",), ("channel", "ts")),
    "chat.getPermalink": Method(chat.get_permalink, (), ("channel", "message_ts")),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",), ("channel", "user")),
    "chat.postMessage": Method(chat.post_message, ("chat:write",), ("channel",)),
    "chat.update": Method(chat.update, ("chat:write",), ("channel", "ts")),
    "conversations.info": Method(people.channel_info, READS, ("channel",)),
    "conversations.members": Method(people.channel_members, READS, ("channel",)),
    "conversations.open": Method(people.open_direct, ("im:write",)),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",), ("files",)),
    "files.getUploadURLExternal": Method(files.get_upload_url, ("files:write",), ("filename", "length")),
    "usergroups.users.list": Method(people.usergroup_members, ("usergroups:read",), ("usergroup",)),
    "users.info": Method(people.users_info, ("users:read",), ("user",)),
    "views.open": Method(views.open_view, (), ("view",)),
    "views.publish": Method(views.publish, (), ("user_id", "view")),
    "views.push": Method(views.push, (), ("view",)),
    "views.update": Method(views.update, (), ("view",)),
}


def run(state: State, name: str, token: str, args: Json) -> Json:
    """Call a method as Slack does: the token, then the scope, then the arguments decide."""
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    method = METHODS[name]
    _admit(state, method, token)
    state.manifest.require(*method.scopes)
    missing = [argument for argument in method.required if not args.get(argument)]
    if missing:
        raise invalid_arguments(*(f"missing required field: {argument}" for argument in missing))
    return {"ok": True, **method.run(state, args)}


def _admit(state: State, method: Method, token: str) -> None:
    if not token:
        raise SlackError("not_authed")
    if token not in {state.bot_token, state.app_token}:
        raise SlackError("invalid_auth")
    if method.takes_app_token != (token == state.app_token):
        raise SlackError("not_allowed_token_type")
