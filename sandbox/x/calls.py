"""The requests that reached the pretend X."""

from dataclasses import dataclass
from datetime import datetime

from sandbox.x.signature import Pairs

FORM = "application/x-www-form-urlencoded"


@dataclass
class Call:
    """One request, whatever became of it."""

    method: str
    path: str
    url: str
    """What is signed: the address without its query."""
    query: Pairs
    form: Pairs
    content_type: str
    authorization: str | None
    at: datetime
    status: int | None = None
    """The HTTP status of the answer; None: no answer."""

    @property
    def params(self) -> dict[str, str]:
        """Query and form fields by name."""
        return dict([*self.query, *self.form])
