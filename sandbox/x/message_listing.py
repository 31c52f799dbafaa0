"""X's list of the messages in a conversation (API v2), and the parameters of both message endpoints."""

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.x.direct_messages import Message
from sandbox.x.errors import ApiError
from sandbox.x.serializers import Json

MAX_TEXT_LENGTH = 10_000
"""As in API v1.1; v2 documents none."""
MAX_PAGE_SIZE = 100
LISTED_FOR = timedelta(days=30)

MESSAGE_CREATE = "MessageCreate"
EVENT_TYPES = frozenset({MESSAGE_CREATE, "ParticipantsJoin", "ParticipantsLeave"})
DM_EVENT_FIELDS = frozenset(
    {
        "attachments",
        "created_at",
        "dm_conversation_id",
        "entities",
        "event_type",
        "id",
        "participant_ids",
        "referenced_tweets",
        "sender_id",
        "text",
    }
)
DEFAULT_FIELDS = frozenset({"event_type", "id", "text"})
_PARAMETERS = ("dm_event.fields", "event_types", "max_results", "pagination_token")

_ID = re.compile(r"[0-9]{1,19}")


def parse_participant_id(participant_id: str) -> str:
    """Return a user id in a path; raise ApiError if it is none."""
    if not _ID.fullmatch(participant_id):
        raise _invalid(f"The `participant_id` value [{participant_id}] does not match ^[0-9]{{1,19}}$")
    return participant_id


def parse_message(body: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the text in the body of a message; raise ApiError if it is invalid, or has attachments."""
    if not isinstance(body, dict) or body.keys() - {"text"}:
        raise _invalid("The body must be a JSON object with `text`, and with nothing else in this sandbox.")
    text = body.get("text")
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_TEXT_LENGTH:
        raise _invalid(f"`text` must have 1 to {MAX_TEXT_LENGTH} characters.")
    return text


def list_messages(messages: Iterable[Message], params: Mapping[str, str], now: datetime) -> Json:
    """Return the requested page of a conversation, newest first; raise ApiError for an invalid parameter."""
    for name in params.keys() - set(_PARAMETERS):
        raise _invalid(f"The query parameter [{name}] is not one of {list(_PARAMETERS)}")
    fields = DEFAULT_FIELDS | _parse_names(params, "dm_event.fields", DM_EVENT_FIELDS)
    types = _parse_names(params, "event_types", EVENT_TYPES) or EVENT_TYPES
    size, before = _parse_size(params), _parse_token(params)
    recent = sorted(
        (message for message in messages if now - message.at <= LISTED_FOR and MESSAGE_CREATE in types),
        key=lambda message: int(message.id),
        reverse=True,
    )
    rest = [message for message in recent if before is None or int(message.id) < before]
    page: Json = {"meta": {"result_count": len(rest[:size])}}
    if rest:
        page["data"] = [_serialize(message, fields) for message in rest[:size]]
    if len(rest) > size:
        page["meta"]["next_token"] = _encode_token(rest[size - 1])
    return page


def _serialize(message: Message, fields: frozenset[str]) -> Json:
    text, urls = _shorten_links(message)
    at = message.at.astimezone(UTC)
    event: Json = {
        "id": message.id,
        "event_type": MESSAGE_CREATE,
        "text": text,
        "sender_id": message.sender_id,
        "created_at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
        "dm_conversation_id": message.conversation_id,
        "entities": {"urls": urls} if urls else None,
    }
    return {name: value for name, value in event.items() if name in fields and value is not None}


def _shorten_links(message: Message) -> tuple[str, list[Json]]:
    """Return the text with X's own links, and where they lead."""
    text, urls = "", list[Json]()
    for part in message.parts:
        shown = message.shorten(part.url) if part.url else part.text
        if part.url:
            place = {"start": len(text), "end": len(text) + len(shown)}
            names = {"url": shown, "expanded_url": part.url, "display_url": part.url.partition("://")[2]}
            urls.append(place | names)
        text += shown
    return text, urls


def _parse_names(params: Mapping[str, str], parameter: str, known: frozenset[str]) -> frozenset[str]:
    names = frozenset(params[parameter].split(",")) if parameter in params else frozenset[str]()
    for name in sorted(names - known):
        raise _invalid(f"The `{parameter}` query parameter value [{name}] is not one of {sorted(known)}")
    return names


def _parse_size(params: Mapping[str, str]) -> int:
    text = params.get("max_results", str(MAX_PAGE_SIZE))
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_PAGE_SIZE:
        raise _invalid(
            f"The `max_results` query parameter value [{text}] is not between 1 and {MAX_PAGE_SIZE}"
        )
    return int(text)


def _encode_token(message: Message) -> str:
    return base64.b32encode(message.id.encode()).decode().rstrip("=")


def _parse_token(params: Mapping[str, str]) -> int | None:
    """Return the id of the last message on the page before, or None for the first page."""
    if "pagination_token" not in params:
        return None
    token = params["pagination_token"]
    try:
        return int(base64.b32decode(token + "=" * (-len(token) % 8)).decode())
    except ValueError:
        raise _invalid(f"The `pagination_token` query parameter value [{token}] is not valid") from None


def _invalid(message: str) -> ApiError:
    return ApiError(400, 0, message)
