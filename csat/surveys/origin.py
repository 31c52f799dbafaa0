"""Where a survey was requested: its confirmation goes there."""

from datetime import datetime, timedelta

from csat.surveys.frozen_model import FrozenModel

RESPONSE_URL_LIFETIME = timedelta(minutes=30)
"""How long a `response_url` works: https://docs.slack.dev/interactivity/handling-user-interaction"""


class Origin(FrozenModel):
    """Where in Slack a survey was requested, and by whom."""

    team: str
    enterprise: str = ""
    channel: str
    thread: str = ""
    """The `ts` of the message that a confirmation replies to; empty if it starts no thread."""
    in_thread: bool = False
    """Whether the requester had the thread open: Slack shows and keeps ephemeral messages nowhere else."""
    requester: str
    response_url: str = ""
    received_at: datetime
    """When Slack sent the `response_url`."""

    @property
    def active_thread(self) -> str:
        """The thread if the requester had it open, else ""."""
        return self.thread if self.in_thread else ""

    def is_from(self, team: str, user: str) -> bool:
        """Return True if this user requested the survey; Slack's user ids are unique only within a team."""
        return (self.team, self.requester) == (team, user)
