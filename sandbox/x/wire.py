"""The JSON of X: its feedback object, its events, its dates, and its two shapes of an error."""

from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from sandbox.x.feedback import Feedback, Given

Json = dict[str, Any]

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Style:
    """The two things that X prints in more than one way."""

    dates_without_spaces: bool = False
    variants_as_integers: bool = False


def date(at: datetime, style: Style) -> str:
    """Print a date as v1.1 does, `Sat Dec 15 17:58:20 +0000 2015`, whatever the locale."""
    at = at.astimezone(UTC)
    text = f"{WEEKDAYS[at.weekday()]} {MONTHS[at.month - 1]} {at:%d %H:%M:%S} +0000 {at:%Y}"
    return text.replace(" ", "") if style.dates_without_spaces else text


def feedback(it: Feedback, style: Style) -> Json:
    """Print a feedback as the documentation does; `external_id` and `response` only if there are any."""
    variant: str | int = int(it.question_variant_id) if style.variants_as_integers else it.question_variant_id
    body: Json = {
        "created_at": date(it.created_at, style),
        "updated_at": date(it.updated_at, style),
        "id": it.id,
        "type": it.type.value,
        "test": it.test,
        "dm_id": it.dm_id,
        "from_user_id": it.from_user_id,
        "to_user_id": it.to_user_id,
        "privacy_url": it.privacy_url,
        "external_id": it.external_id,
        "question_variant_id": variant,
        "display_name": it.display_name,
        "response": _response(it, style),
    }
    return {name: value for name, value in body.items() if value is not None}


def event(event_type: str, at: datetime, it: Feedback, style: Style) -> Json:
    """Print what happened to a feedback."""
    return {"event_type": event_type, "created_at": date(at, style), "feedback": feedback(it, style)}


def error(path: str, status: int, code: int | None, message: str) -> Json:
    """Print an error as v1.1 or v2 does, by the path that was called."""
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
    return {"title": title, "detail": message, "type": "about:blank", "status": status}


def _response(it: Feedback, style: Style) -> Json | None:
    given = {"score": it.score, "text": it.text}
    return {name: _given(part, style) for name, part in given.items() if part} or None


def _given(part: Given[int] | Given[str], style: Style) -> Json:
    return {"created_at": date(part.at, style), "value": part.value}
