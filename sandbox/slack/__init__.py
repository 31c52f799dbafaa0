"""A pretend Slack: a workspace with people, channels and one app, which refuses what Slack refuses."""

from sandbox.slack.calls import ApiCall
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.deliveries import Delivery
from sandbox.slack.directory import Team, User, Usergroup
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Faults
from sandbox.slack.files import File
from sandbox.slack.results import ActionOutcome, ActionResult
from sandbox.slack.views import View
from sandbox.slack.workspace import Workspace

__all__ = [
    "ActionOutcome",
    "ActionResult",
    "ApiCall",
    "Channel",
    "Delivery",
    "Faults",
    "File",
    "Message",
    "SlackError",
    "Team",
    "User",
    "Usergroup",
    "View",
    "Workspace",
]
