"""Who is in the workspace."""

from dataclasses import dataclass, field

from sandbox.slack.errors import Json, SlackError


@dataclass(frozen=True)
class Team:
    """A workspace of Slack's."""

    id: str
    name: str
    domain: str


@dataclass
class User:
    """A person or a bot."""

    id: str
    name: str
    """The handle, in small letters: `ada`."""
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
    """Somebody of another team, met in a shared channel."""
    deleted: bool = False
    bot_id: str = ""

    def as_json(self) -> Json:
        """Return the user as `users.info` tells it."""
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
    """A group of people with one handle."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    is_enabled: bool = True


@dataclass
class Directory:
    """The team, its people and their groups."""

    team: Team
    bot: User
    app_id: str
    users: dict[str, User]
    usergroups: dict[str, Usergroup]

    def user(self, user_id: str) -> User:
        """Return who has this id; `SlackError("user_not_found")`."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def usergroup(self, usergroup_id: str) -> Usergroup:
        """Return the group with this id; `SlackError("no_such_subteam")`."""
        if usergroup_id not in self.usergroups:
            raise SlackError("no_such_subteam")
        return self.usergroups[usergroup_id]
