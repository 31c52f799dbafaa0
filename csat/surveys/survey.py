"""A draft is what somebody typed; a survey is what may be sent."""

import re
import string
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, Self

from pydantic import (
    HttpUrl,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.recipients import InvalidRecipient, Recipient, parse_recipient

MAX_DISPLAY_NAME_LENGTH = 20
MAX_EXTERNAL_ID_LENGTH = 256
MAX_MESSAGE_LENGTH = 10_000
MAX_PRIVACY_URL_LENGTH = 2_000

_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_INVISIBLE_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_WHOLE_URL = re.compile(r"https?://[^\s/<>\"|\\][^\s<>\"|\\]*", re.IGNORECASE)


def is_web_address(url: str) -> bool:
    """Tell whether a text is a whole address that a browser can open."""
    try:
        return bool(_WHOLE_URL.fullmatch(url) and _URL.validate_python(url).host)
    except ValidationError:
        return False


class Draft(FrozenModel):
    """What somebody typed, right or wrong: all of it text, so that nothing typed is ever lost."""

    metric: str = Metric.CSAT
    variant: str = "0"
    display_name: str = ""
    recipient: str = ""
    message: str = ""
    privacy_url: str = ""
    external_id: str = ""
    test: bool = False


class FormField(StrEnum):
    """The fields of a draft that can be wrong."""

    METRIC = "metric"
    VARIANT = "variant"
    DISPLAY_NAME = "display_name"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    PRIVACY_URL = "privacy_url"
    EXTERNAL_ID = "external_id"


Problems = Mapping[FormField, str]
"""For each wrong field, a sentence that says what to do."""


class InvalidDraft(Exception):
    """A draft can't be sent as it is."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


class Survey(FrozenModel):
    """One question put to one customer on X: every limit of POST feedback/create holds.

    `recipient.id` may be missing while X has not been asked for it yet. An empty `display_name` leaves the
    name to X, an empty `external_id` is not sent.
    """

    metric: Metric
    variant: int
    display_name: str
    recipient: Recipient
    message: str
    privacy_url: str
    external_id: str
    test: bool

    @classmethod
    def from_draft(cls, draft: Draft, catalogue: Catalogue) -> Self:
        """Return the survey a draft describes; raises `InvalidDraft` with all of its problems at once."""
        try:
            return cls.model_validate(draft.model_dump(), context=catalogue)
        except ValidationError as error:
            raise InvalidDraft({FormField(str(e["loc"][0])): e["msg"] for e in error.errors()}) from None

    def draft(self) -> Draft:
        """Return what somebody would type to get this survey."""
        typed = self.model_dump(exclude={"recipient", "variant"})
        return Draft(**typed, recipient=self.recipient.label, variant=str(self.variant))

    def with_recipient(self, recipient: Recipient) -> Self:
        """Return the same survey for a recipient that X has told more of."""
        return self.model_copy(update={"recipient": recipient})

    @field_validator("metric", mode="before")
    @classmethod
    def _known_metric(cls, typed: object) -> object:
        return typed if typed in list(Metric) else _wrong("Choose CSAT or NPS.")

    @field_validator("variant", mode="before")
    @classmethod
    def _known_variant(cls, typed: object, info: ValidationInfo) -> object:
        metric = info.data.get("metric")
        if metric is None:
            return 0  # the metric's own problem is told first
        if not isinstance(info.context, Catalogue):
            return typed  # a survey read back was checked before
        known = {str(variant) for variant in info.context.variants(metric)}
        return typed if str(typed) in known else _wrong(f"Choose one of the questions for {metric.upper()}.")

    @field_validator("display_name")
    @classmethod
    def _short_name(cls, typed: str) -> str:
        name = typed.strip()
        if len(name) > MAX_DISPLAY_NAME_LENGTH:
            _wrong(f"Shorten the name to {MAX_DISPLAY_NAME_LENGTH} characters; it has {len(name)}.")
        return _visible(name)

    @field_validator("recipient", mode="before")
    @classmethod
    def _somebody(cls, typed: object) -> object:
        try:
            return parse_recipient(typed) if isinstance(typed, str) else typed
        except InvalidRecipient as error:
            return _wrong(str(error))

    @field_validator("message")
    @classmethod
    def _some_message(cls, typed: str) -> str:
        message = typed.replace("\r\n", "\n").strip()
        if not message.strip(_ZERO_WIDTH + string.whitespace):
            _wrong("Write the message that the customer gets with the survey.")
        if len(message) > MAX_MESSAGE_LENGTH:
            _wrong(f"Shorten the message to {MAX_MESSAGE_LENGTH:,} characters; it has {len(message):,}.")
        if _INVISIBLE_IN_TEXT.search(message):
            _wrong("The message contains invisible control characters: type it again without pasting.")
        return message

    @field_validator("privacy_url")
    @classmethod
    def _web_address(cls, typed: str) -> str:
        url = typed.strip()
        if not url:
            _wrong("Enter the address of your privacy policy, like https://example.com/privacy.")
        if len(url) > MAX_PRIVACY_URL_LENGTH:
            _wrong(f"Shorten the address to {MAX_PRIVACY_URL_LENGTH:,} characters; it has {len(url):,}.")
        if not is_web_address(_visible(url)):
            _wrong("Enter a whole web address without spaces, like https://example.com/privacy.")
        return url

    @field_validator("external_id")
    @classmethod
    def _short_id(cls, typed: str) -> str:
        external_id = typed.strip()
        if len(external_id) > MAX_EXTERNAL_ID_LENGTH:
            _wrong(f"Shorten the id to {MAX_EXTERNAL_ID_LENGTH} characters; it has {len(external_id)}.")
        return _visible(external_id)


class Origin(FrozenModel):
    """Where in Slack a survey was asked for, and by whom."""

    team: str
    enterprise: str = ""
    channel: str
    thread: str = ""
    """The `ts` of the message that a confirmation answers; empty where it begins no thread."""
    in_thread: bool = False
    """Whether it has answers already: Slack shows ephemeral messages in no thread without any."""
    requester: str
    response_url: str = ""
    received_at: datetime
    """When Slack gave the `response_url`: it works for 30 minutes."""

    @property
    def active_thread(self) -> str:
        """The thread, if there is one that people look at."""
        return self.thread if self.in_thread else ""


class Receipt(FrozenModel):
    """What X answered to a survey that it took."""

    id: str
    dm_id: str
    to_user_id: str
    external_id: str = ""
    question_variant_id: int
    created_at: datetime
    updated_at: datetime


def _visible(text: str) -> str:
    if _INVISIBLE.search(text):
        _wrong("This contains invisible control characters: type it again without pasting.")
    return text


def _wrong(advice: str) -> NoReturn:
    raise PydanticCustomError("advice", "{advice}", {"advice": advice})
