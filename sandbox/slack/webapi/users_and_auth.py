"""The methods `auth.test`, `apps.connections.open`, `users.info` and `usergroups.users.list`."""

from urllib.parse import urlencode

from sandbox.slack.json_types import Json
from sandbox.slack.workspace_state import WorkspaceState


def auth_test(state: WorkspaceState, args: Json) -> Json:  # noqa: ARG001 - all methods have the same signature
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


def open_connection(state: WorkspaceState, args: Json) -> Json:  # noqa: ARG001 - all methods have the same signature
    """https://docs.slack.dev/reference/methods/apps.connections.open."""
    query = urlencode({"ticket": state.socket_mode.issue_ticket(), "app_id": state.directory.app_id})
    return {"url": state.url("/link/").replace("http", "ws", 1) + f"?{query}"}


def users_info(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/users.info."""
    return {"user": state.directory.get_user(args["user"]).as_json()}


def usergroup_users(state: WorkspaceState, args: Json) -> Json:
    """https://docs.slack.dev/reference/methods/usergroups.users.list."""
    return {"users": list(state.directory.get_usergroup(args["usergroup"]).users)}
