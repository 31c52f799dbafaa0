"""A draft is what was typed; a survey is valid and can be sent."""

import re
import string
from collections.abc import Mapping
from enum import StrEnum
from typing import NoReturn, Self

from pydantic import HttpUrl, TypeAdapter, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.networks import Network
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.recipients import InvalidRecipient, Recipient, parse_recipient
from csat.surveys.transports import FACTS, TransportName

MAX_DISPLAY_NAME_LENGTH = 20
MAX_EXTERNAL_ID_LENGTH = 256
MAX_PRIVACY_URL_LENGTH = 2_000

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_CHARACTERS_IN_MESSAGE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_OTHER_NETWORK = {
    Network.X: "This is an account on X. Choose a person in Slack.",
    Network.SLACK: "This is a person in Slack. Enter a customer on X, like @handle.",
}
_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)
_ABSOLUTE_URL = re.compile(r"https?://[^\s/<>\"|\\][^\s<>\"|\\]*", re.IGNORECASE)


def is_web_url(url: str) -> bool:
    """Return True if a text is an absolute URL that a browser can open."""
    try:
        return bool(_ABSOLUTE_URL.fullmatch(url) and _URL.validate_python(url).host)
    except ValidationError:
        return False


class Draft(FrozenModel):
    """The form as it was typed, valid or not: all text, so that nothing typed is lost."""

    transport: str = ""
    metric: str = Metric.CSAT
    variant: str = ""
    """Empty for the first question of the metric."""
    display_name: str = ""
    recipient: str = ""
    message: str = ""
    privacy_url: str = ""
    external_id: str = ""
    test: bool = False


class FormField(StrEnum):
    """The fields of a draft that can be invalid."""

    TRANSPORT = "transport"
    METRIC = "metric"
    VARIANT = "variant"
    DISPLAY_NAME = "display_name"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    PRIVACY_URL = "privacy_url"
    EXTERNAL_ID = "external_id"


Problems = Mapping[FormField, str]
"""A sentence that says what to do for each invalid field."""


class InvalidDraft(Exception):
    """A draft can't be sent as it is."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


class Survey(FrozenModel):
    """One question to one customer, within all limits of its transport.

    `recipient.id` may be missing until X was asked for it. X fills in an empty `display_name`; an empty
    `external_id` is not sent.
    """

    transport: TransportName
    metric: Metric
    variant: int
    display_name: str
    recipient: Recipient
    message: str
    privacy_url: str
    external_id: str
    test: bool

    @classmethod
    def from_draft(cls, draft: Draft, catalogue: Catalogue, recipient: Recipient | None = None) -> Self:
        """Return the survey that a draft describes, with the draft's recipient if it was parsed before.

        Raises `InvalidDraft` with all problems at once.
        """
        values = draft.model_dump() | ({"recipient": recipient} if recipient else {})
        try:
            return cls.model_validate(values, context=catalogue)
        except ValidationError as error:
            raise InvalidDraft({FormField(str(e["loc"][0])): e["msg"] for e in error.errors()}) from None

    def to_draft(self) -> Draft:
        """Return the draft from which this survey can be built again."""
        values = self.model_dump(exclude={"recipient", "variant"})
        return Draft(**values, recipient=self.recipient.label, variant=str(self.variant))

    def with_recipient(self, recipient: Recipient) -> Self:
        """Return the same survey with another recipient, such as the same one with its id."""
        return self.model_copy(update={"recipient": recipient})

    def is_same_as(self, other: Self) -> bool:
        """Return True if both are equal, except that only one of them may have its recipient's id."""
        is_same_recipient = self.recipient.label == other.recipient.label
        return is_same_recipient and self.with_recipient(other.recipient) == other

    @field_validator("transport", mode="before")
    @classmethod
    def _check_transport(cls, transport: object) -> object:
        return transport if transport in list(TransportName) else _fail("Choose how to send the survey.")

    @field_validator("metric", mode="before")
    @classmethod
    def _check_metric(cls, metric: object) -> object:
        return metric if metric in list(Metric) else _fail("Choose CSAT or NPS.")

    @field_validator("variant", mode="before")
    @classmethod
    def _check_variant(cls, variant: object, info: ValidationInfo) -> object:
        metric = info.data.get("metric")
        if metric is None:
            return 0  # report the metric alone
        if not isinstance(info.context, Catalogue):
            return variant  # a stored survey stays valid when its variant leaves the catalogue
        transport = info.data.get("transport", TransportName.X_CARD)
        known = {str(variant) for variant in info.context.variants_for(transport, metric)}
        if str(variant) not in known:
            _fail(f"Choose one of the questions for {metric.upper()}.")
        return variant

    @field_validator("display_name")
    @classmethod
    def _check_display_name(cls, text: str, info: ValidationInfo) -> str:
        name, transport = text.strip(), info.data.get("transport", TransportName.X_CARD)
        if not name and not FACTS[transport].fills_in_display_name:
            _fail("Enter your brand's name, as customers know it.")
        if len(name) > MAX_DISPLAY_NAME_LENGTH:
            _fail(f"Shorten the name to {MAX_DISPLAY_NAME_LENGTH} characters; it has {len(name)}.")
        return _check_characters(name)

    @field_validator("recipient", mode="before")
    @classmethod
    def _check_recipient(cls, recipient: object) -> object:
        try:
            return parse_recipient(recipient) if isinstance(recipient, str) else recipient
        except InvalidRecipient as error:
            return _fail(str(error))

    @field_validator("recipient")
    @classmethod
    def _check_network(cls, recipient: Recipient, info: ValidationInfo) -> Recipient:
        transport = info.data.get("transport")
        if transport and FACTS[transport].network is not recipient.network:
            _fail(_OTHER_NETWORK[recipient.network])
        return recipient

    @field_validator("message")
    @classmethod
    def _check_message(cls, text: str, info: ValidationInfo) -> str:
        max_length = FACTS[info.data.get("transport", TransportName.X_CARD)].max_message_length
        message = text.replace("\r\n", "\n").strip()
        if not message.strip(_ZERO_WIDTH + string.whitespace):
            _fail("Write the message that the customer gets with the survey.")
        if len(message) > max_length:
            _fail(f"Shorten the message to {max_length:,} characters; it has {len(message):,}.")
        if _CONTROL_CHARACTERS_IN_MESSAGE.search(message):
            _fail("The message contains invisible characters. Type it again instead of pasting it.")
        return message

    @field_validator("privacy_url")
    @classmethod
    def _check_privacy_url(cls, text: str, info: ValidationInfo) -> str:
        url, transport = text.strip(), info.data.get("transport", TransportName.X_CARD)
        if not url and not FACTS[transport].requires_privacy_url:
            return url
        if not url:
            _fail("Enter the address of your privacy policy, like https://example.com/privacy.")
        if len(url) > MAX_PRIVACY_URL_LENGTH:
            _fail(f"Shorten the address to {MAX_PRIVACY_URL_LENGTH:,} characters; it has {len(url):,}.")
        if not is_web_url(_check_characters(url)):
            _fail("Enter a complete web address without spaces, like https://example.com/privacy.")
        return url

    @field_validator("external_id")
    @classmethod
    def _check_external_id(cls, text: str) -> str:
        external_id = text.strip()
        if len(external_id) > MAX_EXTERNAL_ID_LENGTH:
            _fail(
                f"Shorten the case number to {MAX_EXTERNAL_ID_LENGTH} characters; it has {len(external_id)}."
            )
        return _check_characters(external_id)


def _check_characters(text: str) -> str:
    if _CONTROL_CHARACTERS.search(text):
        _fail("This contains invisible characters. Type it again instead of pasting it.")
    return text


def _fail(advice: str) -> NoReturn:
    raise PydanticCustomError("advice", "{advice}", {"advice": advice})
