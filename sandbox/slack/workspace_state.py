"""The state of one workspace."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.pubsub import PubSub
from sandbox.slack.calls_and_deliveries import ApiCall
from sandbox.slack.conversations import Conversations
from sandbox.slack.faults import Faults
from sandbox.slack.files import Files
from sandbox.slack.ids import IdGenerator
from sandbox.slack.json_types import Json
from sandbox.slack.manifest import Manifest
from sandbox.slack.response_urls import ResponseUrls
from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.trigger_ids import Triggers
from sandbox.slack.user_directory import Directory
from sandbox.slack.views import Views
from sandbox.traffic_log import TrafficLog


@dataclass
class WorkspaceState:
    """Everything that the parts of the fake Slack share."""

    manifest: Manifest
    clock: Callable[[], datetime]
    pubsub: PubSub
    traffic: TrafficLog
    ids: IdGenerator
    directory: Directory
    conversations: Conversations
    views: Views
    files: Files
    triggers: Triggers
    response_urls: ResponseUrls
    socket_mode: SocketMode
    faults: Faults
    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str
    api_calls: list[ApiCall] = field(default_factory=list)
    loaded_options: dict[str, list[Json]] = field(default_factory=dict)
    """The options that the app returned for external selects, by `action_id`."""
    base_url: str = ""

    @property
    def team_id(self) -> str:
        """The id of the team."""
        return self.directory.team.id

    @property
    def bot_id(self) -> str:
        """The id of the app's bot user."""
        return self.directory.bot.id

    def url(self, path: str) -> str:
        """Return the URL of a path of the fake Slack."""
        if not self.base_url:
            raise RuntimeError("Serve the workspace first, or set its base_url.")
        return self.base_url + path

    def record_exchange(
        self, sender: str, title: str, status: str, seconds: float, request: Json, response: Json
    ) -> None:
        """Add an exchange between Slack and the app to the traffic."""
        self.traffic.record(
            self.clock(),
            sender,
            "app" if sender == "slack" else "slack",
            title,
            status,
            seconds * 1000,
            json.dumps(request),
            json.dumps(response),
        )
