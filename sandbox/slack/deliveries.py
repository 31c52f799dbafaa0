"""What the app is told."""

from dataclasses import dataclass

from sandbox.slack.errors import Json


@dataclass(eq=False)
class Delivery:
    """One request to the app."""

    type: str
    """As Socket Mode calls it: `slash_commands`, `interactive`, `events_api`."""
    payload: Json
    envelope_id: str
    retry_number: int = 0
    """Which repeat it is; 0 for the first time."""
    response: Json | None = None
    """What the app acknowledged with; None while or when it did not."""
    error: str = ""
    """`operation_timeout`, `dispatch_failed`, ... when it did not."""

    @property
    def title(self) -> str:
        """What a reader scans: `slash command /csat`, `view_submission survey`, ..."""
        payload = self.payload
        if self.type == "slash_commands":
            return f"slash command {payload['command']}"
        if self.type == "events_api":
            return f"event {payload['event']['type']}"
        actions = [action["action_id"] for action in payload.get("actions", [])]
        view = payload.get("view") or {}
        name = actions or [payload.get("callback_id") or payload.get("action_id") or view.get("callback_id")]
        return f"{payload['type']} {name[0]}".strip()
