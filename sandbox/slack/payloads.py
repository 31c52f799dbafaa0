"""What Slack tells the app: https://docs.slack.dev/reference/interaction-payloads."""

from sandbox.slack.conversations import Channel, Message
from sandbox.slack.directory import User
from sandbox.slack.errors import Json
from sandbox.slack.views import View
from sandbox.slack.workspace_state import State


def command(state: State, user: User, channel: Channel, name: str, text: str) -> Json:
    """Return the form of a slash command."""
    team = state.directory.team
    return {
        "token": state.verification_token,
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": channel.payload_name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": state.directory.app_id,
        "is_enterprise_install": "false",
        "response_url": state.url(state.response_urls.issue("commands", user.id, channel.id)),
        "trigger_id": state.triggers.issue(user.id, channel.id),
    }


def global_shortcut(state: State, user: User, callback_id: str) -> Json:
    """Return a global shortcut, which knows no channel."""
    return {
        **_interaction(state, "shortcut", user),
        "callback_id": callback_id,
        "trigger_id": state.triggers.issue(user.id),
        "action_ts": state.ids.ts(),
    }


def message_action(state: State, user: User, message: Message, callback_id: str) -> Json:
    """Return a message shortcut, with the whole message."""
    channel = state.conversations.channel(message.channel)
    return {
        **_interaction(state, "message_action", user),
        "callback_id": callback_id,
        "trigger_id": state.triggers.issue(user.id, channel.id),
        "response_url": state.url(state.response_urls.issue("app", user.id, channel.id)),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel.payload_name},
        "message": message.as_json(state.team_id),
        "action_ts": state.ids.ts(),
    }


def view_actions(state: State, view: View, action: Json) -> Json:
    """Return the press of a button, or a choice, in a form or a Home."""
    user = state.directory.user(view.user)
    told = view_json(state, view)
    return {
        **_interaction(state, "block_actions", user),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": state.triggers.issue(user.id, view.conversation, view.id),
        "view": told,
        "state": told["state"],
        "actions": [{**action, "action_ts": state.ids.ts()}],
    }


def message_actions(state: State, user: User, message: Message, action: Json) -> Json:
    """Return the press of a button, or a choice, in a message; an ephemeral one is not told again."""
    channel = state.conversations.channel(message.channel)
    url = state.response_urls.issue("actions", user.id, channel.id, message)
    told = {} if message.visible_to else {"message": message.as_json(state.team_id)}
    return {
        **_interaction(state, "block_actions", user),
        "container": _container(message),
        "trigger_id": state.triggers.issue(user.id, channel.id),
        "channel": {"id": channel.id, "name": channel.payload_name},
        "response_url": state.url(url),
        "state": {"values": message.values},
        "actions": [{**action, "action_ts": state.ids.ts()}],
        **told,
    }


def view_submission(state: State, view: View) -> Json:
    """Return a submitted form."""
    user = state.directory.user(view.user)
    return {
        **_interaction(state, "view_submission", user),
        "trigger_id": state.triggers.issue(user.id, view.conversation, view.id),
        "view": view_json(state, view),
        "response_urls": _response_urls(state, view),
    }


def view_closed(state: State, view: View, *, is_cleared: bool) -> Json:
    """Return a form that was cancelled."""
    user = state.directory.user(view.user)
    return {
        **_interaction(state, "view_closed", user),
        "view": view_json(state, view),
        "is_cleared": is_cleared,
    }


def suggestion(
    state: State, user: User, place: View | Message, block_id: str, action_id: str, query: str
) -> Json:
    """Return the question for an external select's options."""
    if isinstance(place, View):
        where = {"container": {"type": "view", "view_id": place.id}, "view": view_json(state, place)}
    else:
        where = {"container": _container(place), "message": place.as_json(state.team_id)}
    asked = {"block_id": block_id, "action_id": action_id, "value": query}
    return {**_interaction(state, "block_suggestion", user), **where, **asked}


def event(state: State, told: Json) -> Json:
    """Return an event of the Events API."""
    return {
        "token": state.verification_token,
        "team_id": state.team_id,
        "api_app_id": state.directory.app_id,
        "type": "event_callback",
        "event": {"event_ts": state.ids.ts(), **told},
        "event_id": state.ids.make("Ev"),
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


def _interaction(state: State, kind: str, user: User) -> Json:
    team = state.directory.team
    return {
        "type": kind,
        "token": state.verification_token,
        "api_app_id": state.directory.app_id,
        "team": {"id": team.id, "domain": team.domain},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def view_json(state: State, view: View) -> Json:
    """Return a view as Slack tells it."""
    directory = state.directory
    return view.as_json(directory.team.id, directory.app_id, directory.bot.bot_id)


def _container(message: Message) -> Json:
    return {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.visible_to),
        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
    }


def _response_urls(state: State, view: View) -> list[Json]:
    issued = []
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("response_url_enabled"):
            kept = view.values[block["block_id"]][element["action_id"]]
            channel_id = kept.get("selected_conversation") or kept.get("selected_channel")
            if channel_id:
                path = state.response_urls.issue("app", view.user, channel_id)
                ids = {"block_id": block["block_id"], "action_id": element["action_id"]}
                issued.append({**ids, "channel_id": channel_id, "response_url": state.url(path)})
    return issued
