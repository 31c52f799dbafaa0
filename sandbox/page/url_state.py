"""Where somebody looks: what the address of the page says."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode


@dataclass(frozen=True)
class UrlState:
    """Who looks, and at what; every field is a parameter of the address, and empty means the usual."""

    person: str = ""
    """Whose Slack is shown."""
    channel: str = ""
    tab: str = ""
    """`home`: the app's Home, where the conversation with the app is looked at."""
    thread: str = ""
    """The `ts` of the message whose thread stands open."""
    customer: str = ""
    """The handle of the customer whose phone is shown; empty follows the newest message."""
    traffic: str = ""
    """`slack` or `x`: whose requests the drawer lists; empty lists all."""
    order: str = ""
    """`oldest`: the drawer begins with the oldest request; empty with the newest."""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> "UrlState":
        """Take a look from the address."""
        return cls(**{field.name: params.get(field.name, "") for field in fields(cls)})

    def query(self, **changes: str) -> str:
        """Write the address of this look, or of one that differs, after its `?`."""
        look = replace(self, **changes)
        told = {field.name: getattr(look, field.name) for field in fields(look)}
        return urlencode({name: value for name, value in told.items() if value})
