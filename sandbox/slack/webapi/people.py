"""The methods that tell who and what there is."""

from urllib.parse import urlencode

from sandbox.slack.conversations import Channel
from sandbox.slack.errors import Json, invalid_arguments
from sandbox.slack.webapi.chat import direct
from sandbox.slack.workspace_state import State

READ = {"channels": "channels:read", "groups": "groups:read", "im": "im:read"}


def auth_test(state: State, args: Json) -> Json:  # noqa: ARG001 - all methods are called alike
    """https://docs.slack.dev/reference/methods/auth.test."""
    team, bot = state.directory.team, state.directory.bot
    return {
        "url": f"https://{team.domain}.slack.com/",
        "team": team.name,
        "team_id": team.id,
        "user": bot.name,
        "user_id": bot.id,
        "bot_id": bot.bot_id,
        "is_enterprise_install": False,
    }


def open_connection(state: State, args: Json) -> Json:  # noqa: ARG001 - all methods are called alike
    """https://docs.slack.dev/reference/methods/apps.connections.open."""
    query = urlencode({"ticket": state.sockets.ticket(), "app_id": state.directory.app_id})
    return {"url": state.url("/link/").replace("http", "ws", 1) + f"?{query}"}


def users_info(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/users.info."""
    return {"user": state.directory.user(args["user"]).as_json()}


def usergroup_members(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/usergroups.users.list."""
    return {"users": list(state.directory.usergroup(args["usergroup"]).users)}


def channel_info(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.info."""
    channel = _readable(state, args["channel"])
    counted = {"num_members": len(channel.members)} if args.get("include_num_members") else {}
    return {"channel": {**channel.as_json(state.bot_id), **counted}}


def channel_members(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.members; all on one page."""
    channel = _readable(state, args["channel"])
    return {"members": sorted(channel.members), "response_metadata": {"next_cursor": ""}}


def open_direct(state: State, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/conversations.open, for one person."""
    users = [user for user in str(args.get("users", "")).split(",") if user]
    if len(users) != 1:
        raise invalid_arguments("must name one user [json-pointer:/users]")
    return {"channel": {"id": direct(state, users[0]).id}}


def _readable(state: State, channel_id: str) -> Channel:
    channel = state.conversations.known_to_bot(channel_id)
    state.manifest.require(READ[channel.api_type])
    return channel
