"""The types of the settings' values, which say what is wrong with one without repeating it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from csat.ambiguous_urls import is_ambiguous
from csat.surveys.questions import Metric, VariantId
from csat.surveys.recipients import MAX_HANDLE_LENGTH
from csat.surveys.survey import is_web_url
from csat.surveys.transports import TransportName

LOOPBACK_HOSTS: Final = ("127.0.0.1", "localhost")
"""Where a page can be tried without https."""

MIN_KEY_LENGTH: Final = 16

DATABASE_DRIVERS: Final = ("sqlite", "postgresql+psycopg")


def invalid(advice: str) -> PydanticCustomError:
    """Return the error of a value; `advice` goes on from the setting's name."""
    return PydanticCustomError("advice", "{advice}", {"advice": advice})


def _check_base_url(url: str) -> str:
    if not is_web_url(url) or "?" in url or "#" in url:
        raise invalid("must be a web address, like https://example.com")
    return url.rstrip("/")


def _check_public_url(url: str) -> str:
    if not url:
        return url
    parts = urlsplit(_check_base_url(url))
    if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
        raise invalid("must begin with https://, as customers open it")
    if parts.path.endswith("/r"):
        raise invalid("must not end in /r/: the app adds it to the links")
    return url.rstrip("/")


def _check_privacy_url(url: str) -> str:
    if url and not is_web_url(url):
        raise invalid("must be a whole web address, like https://example.com/privacy")
    return url


def _check_database_url(url: SecretStr) -> SecretStr:
    if is_ambiguous(url.get_secret_value()):
        raise invalid(
            "must have the special characters of user and password percent-encoded: %40 for @, %2F for /, "
            "%3A for :, %23 for #, %3F for ?, %25 for %"
        )
    try:
        parts = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):
        raise invalid("must be a database's address, like sqlite:///csat.db") from None
    if parts.drivername not in DATABASE_DRIVERS or not parts.database or parts.database == ":memory:":
        raise invalid("must be a file of SQLite, like sqlite:///csat.db, or postgresql+psycopg://...")
    return url


def _check_secret_key(key: SecretStr) -> SecretStr:
    if len(key.get_secret_value().strip()) < MIN_KEY_LENGTH:
        raise invalid(f"must be {MIN_KEY_LENGTH} characters or more, not counting white space around it")
    return key


def _check_person_id(text: str) -> str:
    if not re.fullmatch("[UW][A-Z0-9]{2,}", text):
        raise invalid("must list ids of people (U..., W...), with commas between them")
    return text


def _check_member_id(text: str) -> str:
    if not re.fullmatch("[UWS][A-Z0-9]{2,}", text):
        raise invalid("must list ids of people (U..., W...) or user groups (S...), with commas between them")
    return text


def _check_channel_id(text: str) -> str:
    if text and not re.fullmatch("[CG][A-Z0-9]{2,}", text):
        raise invalid("must be a channel's id (C... or G...), which Slack shows at the end of its details")
    return text


def _check_handle(text: str) -> str:
    if not re.fullmatch(rf"@?\w{{1,{MAX_HANDLE_LENGTH}}}", text, re.ASCII):
        raise invalid("must list handles on X, with commas between them")
    return text


def _split_words(text: object) -> object:
    return tuple(dict.fromkeys(text.replace(",", " ").split())) if isinstance(text, str) else text


def _split_list(text: object) -> object:
    return frozenset(text.replace(",", " ").split()) if isinstance(text, str) else text


def _parse_questions(text: object) -> object:
    """Parse `csat: 14, 0; nps: 2` into the variant ids of each metric."""
    if not isinstance(text, str):
        return text
    parts = [part.partition(":") for part in text.split(";") if part.strip()]
    selection = {
        metric.strip().lower(): tuple(dict.fromkeys(ids.replace(",", " ").split()))
        for metric, _, ids in parts
    }
    if len(selection) < len(parts):
        raise invalid("must name each type once")
    return selection


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def prefixed(pattern: str, description: str) -> AfterValidator:
    """Return the validator of a secret that begins with a pattern."""

    def check(secret: SecretStr) -> SecretStr:
        if re.fullmatch(pattern, secret.get_secret_value()):
            raise PydanticCustomError("missing", "is missing")
        if not re.match(pattern, secret.get_secret_value()):
            raise invalid(f"must begin with {description}")
        return secret

    return AfterValidator(check)


def limited(default: str, max_length: int) -> Any:  # noqa: ANN401 - the type of Field()
    """Return a text's field."""
    return Field(default, max_length=max_length, description=f"at most {max_length:,} characters long")


BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
PublicUrl = Annotated[str, AfterValidator(_check_public_url)]
PrivacyUrl = Annotated[str, AfterValidator(_check_privacy_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_check_database_url)]
SecretKey = Annotated[SecretStr, AfterValidator(_check_secret_key)]
ChannelId = Annotated[str, AfterValidator(_check_channel_id)]
Handle = Annotated[str, AfterValidator(_check_handle)]
Handles = Annotated[frozenset[Handle], NoDecode, BeforeValidator(_split_list)]
"""Handles on X, with or without the @, separated by commas or white space."""
PersonId = Annotated[str, AfterValidator(_check_person_id)]
PersonIds = Annotated[frozenset[PersonId], NoDecode, BeforeValidator(_split_list)]
MemberId = Annotated[str, AfterValidator(_check_member_id)]
MemberIds = Annotated[frozenset[MemberId], NoDecode, BeforeValidator(_split_list)]
"""Ids of people and user groups."""
Questions = Annotated[
    Mapping[Metric, Annotated[tuple[VariantId, ...], Field(min_length=1)]],
    NoDecode,
    BeforeValidator(_parse_questions),
]
"""The ids of the questions that the team uses, by metric."""
TransportNames = Annotated[tuple[TransportName, ...], NoDecode, BeforeValidator(_split_words)]
"""Transports, the usual one first."""
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
