"""Errors that Slack returns."""

from collections.abc import Iterable

from sandbox.slack.json_types import Json


class SlackError(Exception):
    """Slack rejects a call, or something that a user tries.

    Args:
        error: Slack's name of the error.
        message: The text that Slack shows the user, if any.
        details: Further fields of the Web API's response.
    """

    def __init__(self, error: str, message: str = "", **details: object) -> None:
        super().__init__(f"{error}: {message}" if message else error)
        self.error = error
        self.message = message
        self.details = details

    def as_json(self) -> Json:
        """Return the Web API's response."""
        return {"ok": False, "error": self.error, **self.details}


def invalid_arguments(*problems: str) -> SlackError:
    """Return the error for arguments that violate Slack's schema, with its messages."""
    return SlackError("invalid_arguments", response_metadata=error_messages(problems))


def error_messages(problems: Iterable[str]) -> Json:
    """Return `response_metadata` with a message for each problem."""
    return {"messages": [f"[ERROR] {problem}" for problem in problems]}
