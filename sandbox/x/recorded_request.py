"""HTTP requests received by the fake X."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.x.oauth_verification import Pairs

FORM_CONTENT_TYPE = "application/x-www-form-urlencoded"
JSON_CONTENT_TYPE = "application/json"


@dataclass
class RecordedRequest:
    """A received request with its response status, whether it succeeded or not."""

    method: str
    path: str
    url: str
    """The URL that is signed: without its query."""
    query: Pairs
    form: Pairs
    content_type: str
    authorization: str | None
    at: datetime
    json: Any = None
    """The value of a JSON body; None if the body is no JSON."""
    status: int | None = None
    """HTTP status of the response; None if there was no response."""

    @property
    def params(self) -> dict[str, str]:
        """Query and form parameters by name."""
        return dict([*self.query, *self.form])
