"""X's wire format, without I/O: surveys as form fields, and responses as values or errors."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from csat.english_dates import MONTHS
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient, XAccount
from csat.surveys.survey import Survey
from csat.surveys.transport_errors import TransportError
from csat.surveys.transports import TransportName
from csat.x_api.errors import DailyLimitReached, RateLimited, Unanswered, Unconfirmed, Unreadable, XBusy
from csat.x_api.json_body import parse_json
from csat.x_api.refusals import (
    InvalidCredentials,
    OutOfCredit,
    RecipientSuspended,
    RecipientUnknown,
    RefusedByX,
    find_refusal,
)

MAX_MESSAGE_LENGTH = 300
"""Characters of X's error message, or of an unreadable response, that are kept."""

_DATE = re.compile(
    rf"\s*[A-Za-z]{{3}}\s*({'|'.join(MONTHS)})\s*(\d\d)\s*(\d\d:\d\d:\d\d)\s*([+-]\d{{4}})\s*(2\d{{3}})\s*",
    re.ASCII,
)
_PROBLEM_FIELDS = ("type", "title", "reason", "detail")
_WINDOW = "x-rate-limit"
_DAILY_WINDOWS = ("x-app-limit-24hour", "x-user-limit-24hour")
_RATE_LIMITED = frozenset({420, 429})
_BUSY = _RATE_LIMITED | {503}
_UNAUTHORIZED = 401
_PAYMENT_REQUIRED = 402
_NOT_FOUND = 404
_GATEWAY_TIMEOUT = 504


class Account(FrozenModel):
    """A user object of X's API v2."""

    id: str
    handle: str
    receives_dm: bool | None = None
    """Whether X says that the account can be messaged: a hint; None if X did not say."""

    @property
    def recipient(self) -> Recipient:
        """The account as the recipient of a survey."""
        return XAccount(handle=self.handle, id=self.id)


def encode(survey: Survey) -> dict[str, str]:
    """Return the form fields of POST feedback/create, without empty ones."""
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
    """Return the receipt in a response to POST feedback/create; raises `TransportError`."""
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise error_from_response(status, headers, body)
    try:
        return Feedback.model_validate(parse_json(body))
    except ValueError as error:
        raise Unconfirmed(f"X answered {status}, unreadable", raw=excerpt(body)) from error


def decipher_user(status: int, headers: Mapping[str, str], body: bytes) -> Account:
    """Return the account in a response to a v2 user look-up; raises `TransportError`."""
    if status == _NOT_FOUND:
        raise RecipientUnknown(f"X answered {status}", raw=excerpt(body))
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own classes
        raise error_from_response(status, headers, body)
    try:
        response = _UserResponse.model_validate(parse_json(body))
    except ValueError as error:
        raise Unreadable(f"X answered {status}, unreadable", raw=excerpt(body)) from error
    user = response.data
    if user is None:
        if not response.errors:
            raise XBusy(f"X answered {status}, without data or errors", raw=excerpt(body))
        message = " ".join(problem.detail for problem in response.errors)
        kind = RecipientSuspended if "suspended" in message.lower() else RecipientUnknown
        raise kind(f"X answered {status}, without an account", api_message=message)
    return Account(id=user.id, handle=user.username, receives_dm=user.receives_your_dm)


def error_from_response(status: int, headers: Mapping[str, str], body: bytes) -> TransportError:
    """Return the error that a response other than 2xx means.

    The HTTP status decides first, then X's error code, then its words.
    """
    code, message, problem = _parse_error(body)
    summary, raw = f"X answered {status}{'' if code is None else f', code {code}'}", excerpt(body)
    is_client_error = 400 <= status < 500  # noqa: PLR2004 - HTTP's own classes
    refusal = find_refusal(code, message, problem) if is_client_error else None
    if status == _PAYMENT_REQUIRED or refusal is OutOfCredit:
        return OutOfCredit(f"X answered {status}")
    if status in _BUSY:
        exhausted = _find_exhausted_windows(headers)
        limited = RateLimited if exhausted in ([], [_WINDOW]) else DailyLimitReached
        retry = limited if status in _RATE_LIMITED else XBusy
        return retry(summary, api_message=message, raw=raw, until=_last_reset(headers, exhausted))
    if not is_client_error:
        uncertain = Unanswered if status == _GATEWAY_TIMEOUT else Unconfirmed
        return uncertain(summary, api_message=message, raw=raw)
    if refusal is None:
        refusal = InvalidCredentials if status == _UNAUTHORIZED and code is None else RefusedByX
    return refusal(summary, api_message=message, raw=raw)


def parse_date(text: object) -> datetime:
    """Parse X's `Sat Dec 15 17:58:20 +0000 2015`, with or without spaces; raises `ValueError`.

    The weekday is ignored: it is wrong in X's own sample.
    """
    match = _DATE.fullmatch(str(text))
    if not match:
        raise ValueError("not one of X's dates")
    month, day, time, offset, year = match.groups()
    number = MONTHS.index(month) + 1
    return datetime.strptime(f"{year} {number} {day} {time} {offset}", "%Y %m %d %H:%M:%S %z").astimezone(UTC)


def excerpt(body: bytes) -> str:
    """Return the beginning of a response, for the log."""
    return repr(body[:MAX_MESSAGE_LENGTH])


XId = Annotated[str, Field(pattern="^[0-9]{1,30}$")]
Stripped = Annotated[str, StringConstraints(strip_whitespace=True)]
XDate = Annotated[datetime, BeforeValidator(parse_date)]


class Feedback(Receipt):
    """X's feedback object: the fields that are in every response."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    transport: TransportName = TransportName.X_CARD
    id: XId
    external_id: Annotated[Stripped, BeforeValidator(lambda value: value or "")] = ""
    created_at: XDate
    updated_at: XDate

    @field_validator("transport", mode="before")
    @classmethod
    def _ignore_x(cls, _: object) -> TransportName:
        return TransportName.X_CARD


class _User(FrozenModel):
    id: XId
    username: str
    receives_your_dm: bool | None = None


class _Problem(FrozenModel):
    detail: str = ""


class _UserResponse(FrozenModel):
    data: _User | None = None
    errors: tuple[_Problem, ...] = ()


def _parse_error(body: bytes) -> tuple[int | None, str, str]:
    """Return the code, the message, and all that v2 names the problem by.

    Parses `{"errors": [{"code": 1, "message": "..."}]}`, and v2's `{"type": "...", "detail": "..."}` alone or
    among `errors`.
    """
    try:
        response: Any = parse_json(body)
    except ValueError:
        return None, "", ""
    errors = response.get("errors") if isinstance(response, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else response
    if not isinstance(first, dict):
        return None, "", ""
    code = first.get("code")
    message = str(first.get("message") or first.get("detail") or "")
    names = (part.get(field) for part in (response, first) for field in _PROBLEM_FIELDS)
    problem = "\n".join(name for name in names if isinstance(name, str))
    return (code if isinstance(code, int) else None), message[:MAX_MESSAGE_LENGTH], problem


def _find_exhausted_windows(headers: Mapping[str, str]) -> list[str]:
    """Return the rate limit windows in which X allows no more requests."""
    windows = (_WINDOW, *_DAILY_WINDOWS)
    return [window for window in windows if headers.get(f"{window}-remaining", "").strip() == "0"]


def _last_reset(headers: Mapping[str, str], windows: Iterable[str]) -> datetime | None:
    """Return when the last of these rate limit windows resets, if X said so."""
    resets = (headers.get(f"{window}-reset", "") for window in windows)
    timestamps = [int(reset) for reset in resets if re.fullmatch(r"[0-9]{1,11}", reset)]
    return datetime.fromtimestamp(max(timestamps), UTC) if timestamps else None
