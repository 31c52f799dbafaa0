"""A pretend Slack: a workspace with people, channels and one app, which refuses what Slack refuses."""

from sandbox.slack.calls import Call
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.deliveries import Delivery
from sandbox.slack.directory import Team, User, Usergroup
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Troubles
from sandbox.slack.files import File
from sandbox.slack.results import ActionOutcome, ActionResult
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace

__all__ = [
    "ActionOutcome",
    "ActionResult",
    "Call",
    "Channel",
    "Delivery",
    "File",
    "Message",
    "SlackError",
    "Team",
    "Troubles",
    "User",
    "Usergroup",
    "View",
    "Workspace",
]
