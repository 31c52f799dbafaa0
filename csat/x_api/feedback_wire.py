"""Parse X's feedback objects: one from GET feedback/show, a page of GET feedback/events, a webhook event."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.responses import Comment, Rating, Response, Update
from csat.x_api.errors import InvalidFeedback, Unreadable
from csat.x_api.json_body import parse_json
from csat.x_api.wire import Feedback, Stripped, XDate, error_from_response, excerpt


class EventsPage(NamedTuple):
    """A page of GET feedback/events."""

    updates: list[Update]
    invalid: list[InvalidFeedback]
    """The events that were left out of `updates`."""
    next_cursor: str
    """The cursor of the next page; empty on the last one."""


def decipher_feedback(status: int, headers: Mapping[str, str], body: bytes) -> Update:
    """Return the update in a response to GET feedback/show; raises `TransportError`."""
    return _parse_feedback(_json_of_success(status, headers, body))


def decipher_events(status: int, headers: Mapping[str, str], body: bytes) -> EventsPage:
    """Return the page in a response to GET feedback/events; raises `TransportError`."""
    try:
        page = _Events.model_validate(_json_of_success(status, headers, body))
    except ValidationError as error:
        raise Unreadable(f"X answered {status}, unreadable", raw=excerpt(body)) from error
    updates, invalid = [], []
    for event in page.events:
        try:
            updates.append(_parse_event(event))
        except InvalidFeedback as error:
            invalid.append(error)
    return EventsPage(updates, invalid, page.next_cursor)


def parse_event(body: bytes) -> Update:
    """Return the update in a webhook request; raises `InvalidFeedback`."""
    try:
        event = parse_json(body)
    except ValueError as error:
        raise InvalidFeedback("an event that is not JSON") from error
    return _parse_event(event)


def _json_of_success(status: int, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 - any JSON
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise error_from_response(status, headers, body)
    try:
        return parse_json(body)
    except ValueError as error:
        raise Unreadable(f"X answered {status}, unreadable", raw=excerpt(body)) from error


def _parse_event(event: object) -> Update:
    return _parse_feedback(event.get("feedback") if isinstance(event, dict) else None)


def _parse_feedback(feedback: object) -> Update:
    try:
        details = _FeedbackDetails.model_validate(feedback)
        return Update(
            receipt=Feedback.model_validate(feedback),
            account=details.from_user_id,
            metric=details.type,
            response=details.response.to_response(),
        )
    except ValidationError as error:
        raise InvalidFeedback(f"feedback {_id_for_log(feedback)}: {_describe(error)}") from error


def _id_for_log(feedback: object) -> str:
    feedback_id = str(feedback.get("id")) if isinstance(feedback, dict) else ""
    return feedback_id if re.fullmatch("[0-9]{1,30}", feedback_id) else "without an id"


def _describe(error: ValidationError) -> str:
    """Describe the first problem without repeating the customer's rating or comment."""
    first = error.errors(include_input=False, include_url=False)[0]
    location = ".".join(str(part) for part in first["loc"])
    return ": ".join(part for part in (location, first["msg"]) if part)


def _parse_rating(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch("[0-9]{1,2}", value):
        return int(value)
    raise PydanticCustomError("rating", "a rating is a whole number")


class _Score(FrozenModel):
    created_at: XDate
    value: Annotated[int, BeforeValidator(_parse_rating)]


class _Text(FrozenModel):
    created_at: XDate
    value: Stripped


class _FeedbackResponse(FrozenModel):
    score: _Score | None = None
    text: _Text | None = None

    def to_response(self) -> Response:
        score, text = self.score, self.text
        return Response(
            rating=Rating(value=score.value, given_at=score.created_at) if score else None,
            comment=Comment(text=text.value, given_at=text.created_at) if text and text.value else None,
        )


class _FeedbackDetails(FrozenModel):
    """The fields of a feedback object that are not in `Receipt`."""

    type: Metric
    from_user_id: Annotated[str, BeforeValidator(str), Field(pattern="^[0-9]+$")]
    response: Annotated[_FeedbackResponse, BeforeValidator(lambda value: value or {})] = _FeedbackResponse()


class _Events(FrozenModel):
    events: tuple[Any, ...]
    next_cursor: Annotated[str, BeforeValidator(lambda value: value or "")] = ""
