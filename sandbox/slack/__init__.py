"""A fake Slack: a workspace with one installed app, which returns the errors that Slack returns."""

from sandbox.slack.action_results import ActionOutcome, ActionResult
from sandbox.slack.calls_and_deliveries import ApiCall, Delivery
from sandbox.slack.conversations import Channel, Message
from sandbox.slack.errors import SlackError
from sandbox.slack.faults import Faults
from sandbox.slack.files import File
from sandbox.slack.user_directory import Team, User, Usergroup
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
