"""The Web API's methods, with the scopes and arguments that each needs."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.slack.errors import SlackError, invalid_arguments
from sandbox.slack.json_types import Json
from sandbox.slack.webapi import chat, conversations, files, users_and_auth, views
from sandbox.slack.workspace_state import WorkspaceState

READ_SCOPES = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY_SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history")


@dataclass(frozen=True)
class Method:
    """A method: its handler, the scopes of which it needs one, and its required arguments."""

    handle: Callable[[WorkspaceState, Json], Json]
    scopes: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    needs_app_token: bool = False


METHODS = {
    "apps.connections.open": Method(users_and_auth.open_connection, needs_app_token=True),
    "auth.test": Method(users_and_auth.auth_test),
    "chat.delete": Method(chat.delete, ("chat:write",), ("channel", "ts")),
    "chat.getPermalink": Method(chat.get_permalink, (), ("channel", "message_ts")),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",), ("channel", "user")),
    "chat.postMessage": Method(chat.post_message, ("chat:write",), ("channel",)),
    "chat.update": Method(chat.update, ("chat:write",), ("channel", "ts")),
    "conversations.history": Method(conversations.history, HISTORY_SCOPES, ("channel",)),
    "conversations.info": Method(conversations.info, READ_SCOPES, ("channel",)),
    "conversations.members": Method(conversations.members, READ_SCOPES, ("channel",)),
    "conversations.open": Method(conversations.open_conversation, ("im:write",)),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",), ("files",)),
    "files.getUploadURLExternal": Method(files.get_upload_url, ("files:write",), ("filename", "length")),
    "usergroups.users.list": Method(users_and_auth.usergroup_users, ("usergroups:read",), ("usergroup",)),
    "users.info": Method(users_and_auth.users_info, ("users:read",), ("user",)),
    "views.open": Method(views.open_view, (), ("view",)),
    "views.publish": Method(views.publish, (), ("user_id", "view")),
    "views.push": Method(views.push, (), ("view",)),
    "views.update": Method(views.update, (), ("view",)),
}


def call_method(state: WorkspaceState, name: str, token: str, args: Json) -> Json:
    """Call a method; as in Slack, the token is checked first, then the scope, then the arguments."""
    if name not in METHODS:
        raise SlackError("unknown_method", req_method=name)
    method = METHODS[name]
    _check_token(state, method, token)
    state.manifest.require_scope(*method.scopes)
    missing = [argument for argument in method.required if not args.get(argument)]
    if missing:
        raise invalid_arguments(*(f"missing required field: {argument}" for argument in missing))
    return {"ok": True, **method.handle(state, args)}


def scope_headers(state: WorkspaceState, name: str) -> dict[str, str]:
    """Return the response headers with the granted scopes, and those that the method accepts."""
    return {
        "x-oauth-scopes": ",".join(state.manifest.scopes),
        "x-accepted-oauth-scopes": ",".join(METHODS[name].scopes),
    }


def _check_token(state: WorkspaceState, method: Method, token: str) -> None:
    if not token:
        raise SlackError("not_authed")
    if token not in {state.bot_token, state.app_token}:
        raise SlackError("invalid_auth")
    if method.needs_app_token != (token == state.app_token):
        raise SlackError("not_allowed_token_type")
