"""X's direct messages (API v2), without I/O: responses as messages or errors."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import AwareDatetime

from csat.surveys.frozen_model import FrozenModel
from csat.x_api.errors import Unconfirmed, Unreadable
from csat.x_api.json_body import parse_json
from csat.x_api.wire import XId, error_from_response, excerpt

PAGE_SIZE = 10
"""Messages per page: each costs money to read."""
MAX_PAGES = 3
"""X answers 15 such requests in 15 minutes."""
LIST_PARAMS: Mapping[str, str] = {
    "dm_event.fields": "created_at,entities,sender_id",
    "event_types": "MessageCreate",
    "max_results": str(PAGE_SIZE),
}


class Message(FrozenModel):
    """A direct message that X has accepted; it may wait among the recipient's message requests."""

    id: XId
    created_at: AwareDatetime | None = None
    """None if X did not say."""


class _Link(FrozenModel):
    expanded_url: str = ""


class _Entities(FrozenModel):
    urls: tuple[_Link, ...] = ()


class _ListedMessage(Message):
    sender_id: XId
    entities: _Entities = _Entities()


class _Meta(FrozenModel):
    next_token: str = ""
    """Empty on the last page."""


class MessagesPage(FrozenModel):
    """Messages of a conversation, newest first."""

    data: tuple[_ListedMessage, ...] = ()
    meta: _Meta

    def find(self, recipient_id: str, url: str) -> Message | None:
        """Return the message that our account sent to the recipient with a link to `url`."""
        for message in self.data:
            if message.sender_id != recipient_id and _Link(expanded_url=url) in message.entities.urls:
                return Message(id=message.id, created_at=message.created_at)
        return None

    def reaches(self, since: datetime) -> bool:
        """Return True if a message was sent before a moment, as then all on the next pages were, too."""
        return any(message.created_at and message.created_at < since for message in self.data)


def decipher_sent(status: int, headers: Mapping[str, str], body: bytes) -> Message:
    """Return the message in a response to POST .../:id/messages; raises `TransportError`."""
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise error_from_response(status, headers, body)
    try:
        return Message(id=_SentResponse.model_validate(parse_json(body)).data.dm_event_id)
    except ValueError as error:
        raise Unconfirmed(f"X answered {status}, unreadable", raw=excerpt(body)) from error


def decipher_messages(status: int, headers: Mapping[str, str], body: bytes) -> MessagesPage:
    """Return the page in a response to GET dm_conversations/with/:id/dm_events; raises `TransportError`.

    An error holds nothing of a page that can't be read, as that is what people wrote to one another.
    """
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise error_from_response(status, headers, body)
    try:
        return MessagesPage.model_validate(parse_json(body))
    except ValueError as error:
        raise Unreadable(f"X answered {status}, unreadable") from error


class _Sent(FrozenModel):
    dm_event_id: XId


class _SentResponse(FrozenModel):
    data: _Sent
