"""Everything that one workspace holds."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.pubsub import PubSub
from sandbox.slack.calls import ApiCall
from sandbox.slack.conversations import Conversations
from sandbox.slack.directory import Directory
from sandbox.slack.errors import Json
from sandbox.slack.faults import Faults
from sandbox.slack.files import Files
from sandbox.slack.ids import Identifiers
from sandbox.slack.manifest import Manifest
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.socket_mode import Sockets
from sandbox.slack.triggers import Triggers
from sandbox.slack.views import Views
from sandbox.traffic import TrafficLog


@dataclass
class State:
    """The parts of the workspace, for all who read or change them."""

    manifest: Manifest
    clock: Callable[[], datetime]
    pubsub: PubSub
    traffic: TrafficLog
    ids: Identifiers
    directory: Directory
    conversations: Conversations
    views: Views
    files: Files
    triggers: Triggers
    response_urls: ResponseUrls
    sockets: Sockets
    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str
    faults: Faults
    calls: list[ApiCall] = field(default_factory=list)
    base_url: str = ""

    @property
    def team_id(self) -> str:
        """The workspace's own id."""
        return self.directory.team.id

    @property
    def bot_id(self) -> str:
        """The id of the app's bot user."""
        return self.directory.bot.id

    def url(self, path: str) -> str:
        """Return where the app finds a path of the pretend Slack."""
        if not self.base_url:
            raise RuntimeError("Serve the workspace before anybody uses it, and set its base_url.")
        return self.base_url + path

    def record(self, sender: str, title: str, status: str, seconds: float, told: Json, answer: Json) -> None:
        """Show one exchange between Slack and the app to whoever looks at the traffic."""
        receiver = "app" if sender == "slack" else "slack"
        self.traffic.record(
            self.clock(),
            sender,
            receiver,
            title,
            status,
            seconds * 1000,
            json.dumps(told, indent=2),
            json.dumps(answer, indent=2),
        )
