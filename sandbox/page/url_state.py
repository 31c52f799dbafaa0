"""State of the page that is kept in its URL."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode


@dataclass(frozen=True)
class UrlState:
    """Query parameters of the page; an empty one means its default."""

    person: str = ""
    """Id of the person whose Slack is shown."""
    channel: str = ""
    tab: str = ""
    """`home` shows the app's Home tab instead of the messages with the app."""
    thread: str = ""
    """`ts` of the message whose thread is open."""
    customer: str = ""
    """Handle of the customer whose phone is shown; by default, the recipient of the latest survey."""
    traffic: str = ""
    """`slack` or `x` lists only the requests of that service."""
    order: str = ""
    """`oldest` lists the oldest requests first."""

    @classmethod
    def parse(cls, params: Mapping[str, str]) -> "UrlState":
        """Return the state in query parameters; others are ignored."""
        return cls(**{field.name: params.get(field.name, "") for field in fields(cls)})

    def query(self, **changes: str) -> str:
        """Return the query string, without the `?`, after changing some parameters."""
        state = replace(self, **changes)
        params = {field.name: getattr(state, field.name) for field in fields(state)}
        return urlencode({name: value for name, value in params.items() if value})
