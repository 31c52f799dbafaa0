"""The workspace's users and user groups."""

from dataclasses import dataclass, field

from sandbox.slack.errors import SlackError
from sandbox.slack.json_types import Json


@dataclass(frozen=True)
class Team:
    """A Slack workspace, called team in its API."""

    id: str
    name: str
    domain: str


@dataclass
class User:
    """A person or a bot user."""

    id: str
    name: str
    """The handle, in lower case."""
    real_name: str
    team_id: str
    title: str = ""
    tz: str = "Europe/Amsterdam"
    tz_label: str = "Central European Time"
    tz_offset: int = 3600
    is_bot: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    """A guest."""
    is_stranger: bool = False
    """A user of another workspace who shares no channel with the app."""
    accepts_dms: bool = True
    """False if Slack does not let the app message this user directly."""
    deleted: bool = False
    bot_id: str = ""

    def as_json(self) -> Json:
        """Return the user as in `users.info`."""
        first, _, last = self.real_name.partition(" ")
        profile = {
            "title": self.title,
            "real_name": self.real_name,
            "display_name": self.name,
            "first_name": first,
            "last_name": last,
            "team": self.team_id,
        }
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "tz": self.tz,
            "tz_label": self.tz_label,
            "tz_offset": self.tz_offset,
            "profile": {**profile, **({"bot_id": self.bot_id} if self.bot_id else {})},
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_stranger": self.is_stranger,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": 1_760_000_000,
        }


@dataclass
class Usergroup:
    """A user group."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    is_enabled: bool = True


@dataclass
class Directory:
    """The team, its users and user groups, the app, and the teams that share channels with it."""

    team: Team
    other_teams: tuple[Team, ...]
    bot: User
    app_id: str
    users: dict[str, User]
    usergroups: dict[str, Usergroup]

    def get_user(self, user_id: str) -> User:
        """Return a user; raises `SlackError("user_not_found")`."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def get_team(self, user: User) -> Team:
        """Return a user's workspace."""
        return next(team for team in (self.team, *self.other_teams) if team.id == user.team_id)

    def is_external(self, user: User) -> bool:
        """Return True if a user is of another workspace."""
        return user.team_id != self.team.id

    def get_usergroup(self, usergroup_id: str) -> Usergroup:
        """Return a user group; raises `SlackError("no_such_subteam")`."""
        if usergroup_id not in self.usergroups:
            raise SlackError("no_such_subteam")
        return self.usergroups[usergroup_id]
