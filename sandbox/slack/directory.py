"""Who is in the workspace."""

from dataclasses import dataclass, field


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
    bot_id: str = ""


@dataclass
class Usergroup:
    """A group of people with one handle."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
