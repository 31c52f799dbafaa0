"""How Slack refuses."""

from typing import Any

Json = dict[str, Any]
"""An object of JSON, as it goes over the wire."""


class SlackError(Exception):
    """Slack itself refuses: `error` is its name for that, `sentence` what a person reads, if anything.

    `details` go into a Web API answer beside the error.
    """

    def __init__(self, error: str, message: str = "", **details: object) -> None:
        super().__init__(f"{error}: {message}" if message else error)
        self.error = error
        self.message = message
        self.details = details

    def as_json(self) -> Json:
        """Return what the Web API answers."""
        return {"ok": False, "error": self.error, **self.details}


def invalid_arguments(*problems: str) -> SlackError:
    """Return the refusal of arguments that Slack's schema does not allow, with where and why."""
    return SlackError(
        "invalid_arguments",
        response_metadata={"messages": [f"[ERROR] {problem}" for problem in problems]},
    )
