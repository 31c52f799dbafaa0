"""X's wire format, without any I/O: a survey becomes form fields, an answer becomes a receipt or an error."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.recipients import Recipient
from csat.surveys.survey import Receipt, Survey
from csat.x_api.errors import (
    REFUSALS,
    InvalidCredentials,
    RecipientSuspended,
    RecipientUnknown,
    RefusedByX,
    RetryLater,
    Uncertain,
    XError,
)

WORDS_KEPT = 300
"""How many characters of X's own words are passed on."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    rf"\s*[A-Za-z]{{3}}\s*(?P<month>{'|'.join(_MONTHS)})\s*(?P<day>\d\d)\s*"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)\s*"
    r"(?P<sign>[+-])(?P<off_h>\d\d)(?P<off_m>\d\d)\s*(?P<year>2\d{3})\s*",
    re.ASCII,
)
_RESETS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BUSY = frozenset({420, 429, 503})
_UNAUTHORIZED = 401
_NOT_FOUND = 404


class Account(FrozenModel):
    """Somebody on X, as the user look-up describes them."""

    id: str
    handle: str
    receives_dm: bool | None = None
    """X's hint whether they can be messaged; `None` where it gave none."""

    @property
    def recipient(self) -> Recipient:
        """The account as the recipient of a survey."""
        return Recipient(handle=self.handle, id=self.id)


def encode(survey: Survey) -> dict[str, str]:
    """Return the form fields of POST feedback/create; empty optional ones are left out."""
    fields = {
        "type": survey.metric.value,
        "to_user_id": survey.recipient.id or "",
        "message": survey.message,
        "privacy_url": survey.privacy_url,
        "external_id": survey.external_id,
        "question_variant_id": str(survey.variant),
        "display_name": survey.display_name,
        "test": "true" if survey.test else "false",
    }
    return {name: value for name, value in fields.items() if value}


def decipher(status: int, headers: Mapping[str, str], body: bytes) -> Receipt:
    """Return the receipt in an answer to POST feedback/create; raises an `XError` for any other answer.

    The HTTP status decides first, then X's code, then its message.
    """
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise failure(status, headers, body)
    try:
        return Feedback.model_validate_json(body)
    except ValueError as error:
        raise Uncertain(f"X answered {status}, unreadable", raw=shortened(body)) from error


def decipher_account(status: int, headers: Mapping[str, str], body: bytes) -> Account:
    """Return the account in an answer of the v2 user look-up; raises an `XError` for any other answer."""
    if status == _NOT_FOUND:
        raise RecipientUnknown(f"X answered {status}", raw=shortened(body))
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise failure(status, headers, body)
    try:
        found = _LookUp.model_validate_json(body)
    except ValidationError as error:
        raise RetryLater(f"X answered {status}, unreadable", raw=shortened(body)) from error
    if found.data is None:
        if not found.errors:
            raise RetryLater(f"X answered {status}, with nobody and no reason", raw=shortened(body))
        words = " ".join(problem.detail for problem in found.errors)
        kind = RecipientSuspended if "suspended" in words.lower() else RecipientUnknown
        raise kind(f"X answered {status}, without an account", words=words)
    return Account(id=found.data.id, handle=found.data.username, receives_dm=found.data.receives_your_dm)


def failure(status: int, headers: Mapping[str, str], body: bytes) -> XError:
    """Return what an answer that is no success means; see the tree in `x.errors`."""
    code, words = _first_error(body)
    summary, raw = f"X answered {status}, code {code}", shortened(body)
    if status in _BUSY:
        return RetryLater(summary, words=words, raw=raw, until=_reset(headers))
    if not 400 <= status < 500:  # noqa: PLR2004 - HTTP's own classes
        return Uncertain(summary, words=words, raw=raw)
    for row in REFUSALS:
        if code in row.codes and (row.about is None or row.about.search(words)):
            return row(summary, words=words, raw=raw)
    if status == _UNAUTHORIZED and code is None:
        return InvalidCredentials(summary, words=words, raw=raw)
    return RefusedByX(summary, words=words, raw=raw)


def parse_date(text: object) -> datetime:
    """Read X's `Sat Dec 15 17:58:20 +0000 2015`, with or without its blanks; raises `ValueError`.

    The weekday is not checked: the one in X's own sample is wrong.
    """
    found = _DATE.fullmatch(str(text))
    if not found:
        raise ValueError("not one of X's dates")
    offset = timedelta(hours=int(found["off_h"]), minutes=int(found["off_m"]))
    zone = timezone(-offset if found["sign"] == "-" else offset)
    day, hour, minute, second, year = (
        int(found[part]) for part in ("day", "hour", "minute", "second", "year")
    )
    month = _MONTHS.index(found["month"]) + 1
    return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)


XId = Annotated[str, Field(pattern="^[0-9]{1,30}$")]
XDate = Annotated[datetime, BeforeValidator(parse_date)]


class Feedback(Receipt):
    """X's feedback object, as far as every answer has it."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: XId
    external_id: Annotated[str, BeforeValidator(lambda found: readable(found or ""))] = ""
    created_at: XDate
    updated_at: XDate


class _User(FrozenModel):
    id: XId
    username: str
    receives_your_dm: bool | None = None


class _Problem(FrozenModel):
    detail: str = ""


class _LookUp(FrozenModel):
    data: _User | None = None
    errors: tuple[_Problem, ...] = ()


def _first_error(body: bytes) -> tuple[int | None, str]:
    """Read code and words from `{"errors": [{"code": 1, "message": "..."}]}` or v2's `{"detail": "..."}`."""
    try:
        answer: Any = from_json(body)
    except ValueError:
        return None, ""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else answer
    if not isinstance(first, dict):
        return None, ""
    code = first.get("code")
    words = str(first.get("message") or first.get("detail") or "")
    return (code if isinstance(code, int) else None), words[:WORDS_KEPT]


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """Return when the latest of the exhausted windows opens again."""
    resets = (
        headers.get(f"{window}-reset", "")
        for window in _RESETS
        if headers.get(f"{window}-remaining", "").strip() == "0"
    )
    seconds = [int(reset) for reset in resets if re.fullmatch(r"[0-9]{1,11}", reset)]
    return datetime.fromtimestamp(max(seconds), UTC) if seconds else None


def readable(text: object) -> object:
    """Return a text without control characters, which not every database takes."""
    return _CONTROLS.sub("", text).strip() if isinstance(text, str) else text


def shortened(body: bytes) -> str:
    """Return the beginning of an answer, for the log."""
    return repr(body[:WORDS_KEPT])
