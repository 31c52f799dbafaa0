"""What the app asks of Slack."""

from dataclasses import dataclass

from sandbox.slack.errors import Json


@dataclass(frozen=True)
class ApiCall:
    """One call of the app's."""

    method: str
    """`chat.postMessage`, ..., or `response_url`."""
    args: Json
    """What was sent, JSON inside it decoded, without the token."""
    response: Json
    status: int = 200

    @property
    def error(self) -> str:
        """Slack's name of the error, or nothing."""
        return str(self.response.get("error", ""))
