"""Records of the app's calls, and of the deliveries to it."""

from dataclasses import dataclass

from sandbox.slack.json_types import Json


@dataclass(frozen=True)
class ApiCall:
    """A call by the app: to a Web API method, to a `response_url`, or an upload."""

    method: str
    """The Web API's method, `response_url` or `upload`."""
    args: Json
    """The arguments, with nested JSON decoded and without the token."""
    response: Json
    status: int = 200

    @property
    def error(self) -> str:
        """Slack's name of the error, or an empty string."""
        return str(self.response.get("error", ""))


@dataclass(eq=False)
class Delivery:
    """A payload delivered to the app."""

    type: str
    """The envelope's type in Socket Mode: `slash_commands`, `interactive` or `events_api`."""
    payload: Json
    envelope_id: str
    retry_number: int = 0
    """0 for the first attempt."""
    response: Json | None = None
    """The payload of the acknowledgement; None until the app has acknowledged the delivery."""
    error: str = ""
    """The reason why the delivery failed, such as `operation_timeout` or `dispatch_failed`."""

    @property
    def title(self) -> str:
        """A short description, such as `slash command /csat` or `view_submission survey`."""
        payload = self.payload
        if self.type == "slash_commands":
            return f"slash command {payload['command']}"
        if self.type == "events_api":
            return f"event {payload['event']['type']}"
        actions = [action["action_id"] for action in payload.get("actions", [])]
        view = payload.get("view") or {}
        name = actions or [payload.get("callback_id") or payload.get("action_id") or view.get("callback_id")]
        return f"{payload['type']} {name[0]}".strip()
