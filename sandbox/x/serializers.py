"""X's JSON, in ASCII: feedback objects, events, dates, and errors in the shapes of v1.1 and v2."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from sandbox.x.feedback_card import Feedback, ResponsePart

Json = dict[str, Any]

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class AsciiJSONResponse(JSONResponse):
    """A JSON response in ASCII, which can also escape what is not Unicode: half a surrogate pair."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - any JSON
        """Return the body."""
        return json.dumps(content).encode()


@dataclass(frozen=True)
class JsonStyle:
    """Formats that X documents in more than one way."""

    dates_without_spaces: bool = False
    variants_as_integers: bool = False


def format_date(at: datetime, style: JsonStyle) -> str:
    """Format a date as v1.1 does in any locale: `Sat Dec 15 17:58:20 +0000 2015`."""
    at = at.astimezone(UTC)
    text = f"{WEEKDAYS[at.weekday()]} {MONTHS[at.month - 1]} {at:%d %H:%M:%S} +0000 {at:%Y}"
    return text.replace(" ", "") if style.dates_without_spaces else text


def serialize_feedback(feedback: Feedback, style: JsonStyle) -> Json:
    """Return X's feedback object; `external_id` and `response` are omitted if empty."""
    variant_id = feedback.question_variant_id
    body: Json = {
        "created_at": format_date(feedback.created_at, style),
        "updated_at": format_date(feedback.updated_at, style),
        "id": feedback.id,
        "type": feedback.type.value,
        "test": feedback.test,
        "dm_id": feedback.dm_id,
        "from_user_id": feedback.from_user_id,
        "to_user_id": feedback.to_user_id,
        "privacy_url": feedback.privacy_url,
        "external_id": feedback.external_id,
        "question_variant_id": int(variant_id) if style.variants_as_integers else variant_id,
        "display_name": feedback.display_name,
        "response": _serialize_response(feedback, style),
    }
    return {name: value for name, value in body.items() if value is not None}


def serialize_event(event_type: str, at: datetime, feedback: Feedback, style: JsonStyle) -> Json:
    """Return X's event object."""
    return {
        "event_type": event_type,
        "created_at": format_date(at, style),
        "feedback": serialize_feedback(feedback, style),
    }


def serialize_error(
    path: str, status: int, code: int | None, message: str, problem: Mapping[str, Any] | None = None
) -> Json:
    """Return an error in the shape of v1.1 or v2, depending on the path; `problem` is what only v2 says."""
    if not path.startswith("/2/"):
        return {"errors": [{"code": code, "message": message}]}
    if status == HTTPStatus.BAD_REQUEST:
        return {
            "errors": [{"message": message}],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.twitter.com/2/problems/invalid-request",
        }
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else message
    return {"title": title, "detail": message, "type": "about:blank", "status": status, **(problem or {})}


def _serialize_response(feedback: Feedback, style: JsonStyle) -> Json | None:
    parts = {"score": feedback.score, "text": feedback.text}
    return {name: _serialize_part(part, style) for name, part in parts.items() if part} or None


def _serialize_part(part: ResponsePart[int] | ResponsePart[str], style: JsonStyle) -> Json:
    return {"created_at": format_date(part.at, style), "value": part.value}
