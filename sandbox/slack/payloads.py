"""Payloads that Slack sends to the app: https://docs.slack.dev/reference/interaction-payloads."""

from sandbox.slack.conversations import Channel, Message
from sandbox.slack.json_types import Json
from sandbox.slack.user_directory import User
from sandbox.slack.views import View
from sandbox.slack.workspace_state import WorkspaceState


def slash_command(state: WorkspaceState, user: User, channel: Channel, command: str, text: str) -> Json:
    """Return the payload of a slash command."""
    team = state.directory.team
    return {
        "token": state.verification_token,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": state.directory.app_id,
        "is_enterprise_install": "false",
        "response_url": state.url(state.response_urls.issue("commands", user.id, channel.id)),
        "trigger_id": state.triggers.issue(user.id, channel.id),
    }


def global_shortcut(state: WorkspaceState, user: User, callback_id: str) -> Json:
    """Return the payload of a global shortcut."""
    return {
        **_interaction(state, "shortcut", user),
        "callback_id": callback_id,
        "trigger_id": state.triggers.issue(user.id),
        "action_ts": state.ids.new_ts(),
    }


def message_shortcut(state: WorkspaceState, user: User, message: Message, callback_id: str) -> Json:
    """Return the payload of a message shortcut, `message_action`."""
    channel = state.conversations.get_channel(message.channel)
    return {
        **_interaction(state, "message_action", user),
        "callback_id": callback_id,
        "trigger_id": state.triggers.issue(user.id, channel.id),
        "response_url": state.url(state.response_urls.issue("app", user.id, channel.id)),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.payload_name},
        "message": {**message_as_json(state, message), **_thread_root(state, message)},
        "action_ts": state.ids.new_ts(),
    }


def _thread_root(state: WorkspaceState, message: Message) -> Json:
    """Return the start of the thread, which Slack sends only with replies that the channel sees too.

    https://docs.slack.dev/reference/events/message/thread_broadcast
    """
    if not message.broadcast:
        return {}
    root = state.conversations.get_message(message.channel, message.thread_ts)
    return {"subtype": "thread_broadcast", "root": message_as_json(state, root)}


def view_action(state: WorkspaceState, view: View, action: Json) -> Json:
    """Return the payload of `block_actions` in a view."""
    user = state.directory.get_user(view.user)
    view_json = view_as_json(state, view)
    return {
        **_view_interaction(state, "block_actions", user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": state.triggers.issue(user.id, view.conversation, view.id),
        "view": view_json,
        "state": view_json["state"],
        "actions": [{**action, "action_ts": state.ids.new_ts()}],
    }


def message_action(state: WorkspaceState, user: User, message: Message, action: Json) -> Json:
    """Return the payload of `block_actions` in a message; that of an ephemeral one has no `message`."""
    channel = state.conversations.get_channel(message.channel)
    url = state.response_urls.issue("actions", user.id, channel.id, message)
    return {
        **_interaction(state, "block_actions", user),
        "container": _message_container(message),
        "trigger_id": state.triggers.issue(user.id, channel.id),
        "channel": {"id": channel.id, "name": channel.payload_name},
        "response_url": state.url(url),
        "state": {"values": message.values},
        "actions": [{**action, "action_ts": state.ids.new_ts()}],
        **({} if message.visible_to else {"message": message.as_json(state.team_id)}),
    }


def view_submission(state: WorkspaceState, view: View) -> Json:
    """Return the payload of `view_submission`."""
    user = state.directory.get_user(view.user)
    return {
        **_view_interaction(state, "view_submission", user),
        "trigger_id": state.triggers.issue(user.id, view.conversation, view.id),
        "view": view_as_json(state, view),
        "response_urls": _response_urls(state, view),
    }


def view_closed(state: WorkspaceState, view: View, *, is_cleared: bool) -> Json:
    """Return the payload of `view_closed`."""
    user = state.directory.get_user(view.user)
    return {
        **_view_interaction(state, "view_closed", user),
        "view": view_as_json(state, view),
        "is_cleared": is_cleared,
    }


def block_suggestion(
    state: WorkspaceState, user: User, container: View | Message, block_id: str, action_id: str, query: str
) -> Json:
    """Return the payload of `block_suggestion`, which requests the options of an external select."""
    if isinstance(container, View):
        place = {
            "container": {"type": "view", "view_id": container.id},
            "view": view_as_json(state, container),
        }
    else:
        place = {"container": _message_container(container), "message": container.as_json(state.team_id)}
    request = {"block_id": block_id, "action_id": action_id, "value": query}
    return {**_interaction(state, "block_suggestion", user), **place, **request}


def event_callback(state: WorkspaceState, event: Json) -> Json:
    """Return the payload of an event: https://docs.slack.dev/apis/events-api."""
    return {
        "token": state.verification_token,
        "team_id": state.team_id,
        "api_app_id": state.directory.app_id,
        "type": "event_callback",
        "event": {"event_ts": state.ids.new_ts(), **event},
        "event_id": state.ids.new_id("Ev"),
        "event_time": int(state.clock().timestamp()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team_id,
                "user_id": state.bot_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def message_as_json(state: WorkspaceState, message: Message) -> Json:
    """Return a message as in Slack's API, with the team of its author."""
    author = state.directory.users.get(message.user)
    return message.as_json(author.team_id if author else state.team_id)


def view_as_json(state: WorkspaceState, view: View) -> Json:
    """Return a view as in Slack's API."""
    directory = state.directory
    team_id = directory.get_user(view.user).team_id
    return view.as_json(team_id, directory.team.id, directory.app_id, directory.bot.bot_id)


def _interaction(state: WorkspaceState, type_: str, user: User) -> Json:
    team = state.directory.team
    return {
        "type": type_,
        "token": state.verification_token,
        "api_app_id": state.directory.app_id,
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _view_interaction(state: WorkspaceState, type_: str, user: User) -> Json:
    """Return the fields of an interaction in a view, whose team is that of the user.

    https://github.com/slackapi/bolt-js/issues/1614; in messages, it is the team that the app is installed in.
    """
    team = state.directory.get_team(user)
    return {**_interaction(state, type_, user), "team": {"id": team.id, "domain": team.domain}}


def _message_container(message: Message) -> Json:
    return {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.visible_to),
        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
    }


def _response_urls(state: WorkspaceState, view: View) -> list[Json]:
    """Issue a response URL for each selected conversation whose element has `response_url_enabled`."""
    urls = []
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("response_url_enabled"):
            value = view.values[block["block_id"]][element["action_id"]]
            channel_id = value.get("selected_conversation") or value.get("selected_channel")
            if channel_id:
                path = state.response_urls.issue("app", view.user, channel_id)
                ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
                urls.append({**ids, "channel_id": channel_id, "response_url": state.url(path)})
    return urls
