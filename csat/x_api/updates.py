"""What X tells of surveys that it delivered: of one, in a listing of events, or by itself (webhook)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError, from_json

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.responses import Comment, Rating, Response, Update
from csat.x_api.errors import InvalidFeedback, RetryLater
from csat.x_api.wire import Feedback, XDate, failure, readable, shortened


class Page(NamedTuple):
    """A page of GET feedback/events."""

    updates: list[Update]
    refused: list[InvalidFeedback]
    """The events that can't be; the others of their page count all the same."""
    next_cursor: str
    """Where the next page begins; only an empty one ends the listing."""


def decipher_shown(status: int, headers: Mapping[str, str], body: bytes) -> Update:
    """Return what an answer to GET feedback/show tells; raises an `XError`."""
    return _update(_success(status, headers, body))


def decipher_events(status: int, headers: Mapping[str, str], body: bytes) -> Page:
    """Return what a page of GET feedback/events tells; raises an `XError` for any other answer."""
    try:
        page = _Events.model_validate(_success(status, headers, body))
    except ValidationError as error:
        raise RetryLater(f"X answered {status}, unreadable", raw=shortened(body)) from error
    updates, refused = [], []
    for event in page.events:
        try:
            updates.append(_update_of(event))
        except InvalidFeedback as problem:
            refused.append(problem)
    return Page(updates, refused, page.next_cursor)


def parse_event(body: bytes) -> Update:
    """Return what one event that X posted tells; raises `InvalidFeedback`."""
    try:
        event = from_json(body)
    except ValueError as error:
        raise InvalidFeedback("an event that is no JSON") from error
    return _update_of(event)


def _success(status: int, headers: Mapping[str, str], body: bytes) -> Any:  # noqa: ANN401 - whatever X sent
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise failure(status, headers, body)
    try:
        return from_json(body)
    except ValueError as error:
        raise RetryLater(f"X answered {status}, unreadable", raw=shortened(body)) from error


def _update_of(event: object) -> Update:
    return _update(event.get("feedback") if isinstance(event, dict) else None)


def _update(told: object) -> Update:
    try:
        reported = _Reported.model_validate(told)
        return Update(
            receipt=Feedback.model_validate(told),
            account=reported.from_user_id,
            metric=reported.type,
            response=reported.response.read(),
        )
    except ValidationError as error:
        raise InvalidFeedback(f"feedback {_name(told)}: {_problem(error)}") from error


def _name(told: object) -> str:
    name = str(told.get("id")) if isinstance(told, dict) else ""
    return name if re.fullmatch("[0-9]{1,30}", name) else "without an id"


def _problem(error: ValidationError) -> str:
    """Say what is wrong without repeating what the customer answered."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return ": ".join(part for part in (where, first["msg"]) if part)


def _whole(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch("[0-9]{1,2}", value):
        return int(value)
    raise PydanticCustomError("rating", "a rating is a whole number")


class _Score(FrozenModel):
    created_at: XDate
    value: Annotated[int, BeforeValidator(_whole)]


class _Words(FrozenModel):
    created_at: XDate
    value: Annotated[str, BeforeValidator(readable)]


class _Answer(FrozenModel):
    score: _Score | None = None
    text: _Words | None = None

    def read(self) -> Response:
        score, text = self.score, self.text
        return Response(
            rating=Rating(value=score.value, given_at=score.created_at) if score else None,
            comment=Comment(text=text.value, given_at=text.created_at) if text and text.value else None,
        )


class _Reported(FrozenModel):
    """What a feedback object has beside the receipt."""

    type: Metric
    from_user_id: Annotated[str, BeforeValidator(str), Field(pattern="^[0-9]+$")]
    response: Annotated[_Answer, BeforeValidator(lambda found: found or {})] = _Answer()


class _Events(FrozenModel):
    events: tuple[Any, ...]
    next_cursor: Annotated[str, BeforeValidator(lambda found: found or "")] = ""
