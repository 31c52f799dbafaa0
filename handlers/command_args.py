"""The words of `/csat`: who is asked and with which metric, in any order."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from csat.slack_api.message_text import unescape
from csat.surveys.questions import Metric
from csat.surveys.recipients import (
    HOSTS,
    INVISIBLE_CHARACTERS,
    MAX_HANDLE_LENGTH,
    InvalidRecipient,
    Recipient,
    parse_recipient,
)

_MEMBER = re.compile(r"<@[UW][A-Z0-9]+(\|[^>]*)?>")
_LINK = re.compile(r"<(?P<url>https?://[^|>]+)(\|[^>]*)?>")
_CUSTOMER = re.compile(rf"@.+|[0-9]+|{HOSTS}/.+", re.IGNORECASE)
_HANDLE = re.compile(rf"\w{{1,{MAX_HANDLE_LENGTH}}}", re.ASCII)
_PUNCTUATION = ",;:.'\"`\u2018\u2019“”()[]"
"""What may stand around a word without meaning anything."""
_SHOWN = 40
"""How many characters of a word are repeated."""


class InvalidArguments(ValueError):
    """A word means nothing here; `str()` says which, and why."""


class CommandArgs(NamedTuple):
    """What a command says; what it leaves open is None."""

    metric: Metric | None = None
    recipient: Recipient | None = None


def parse_command_args(text: str, command: str = "/csat") -> CommandArgs:
    """Read what follows a command, as Slack sends it; raises `InvalidArguments`."""
    if _MEMBER.search(text):
        raise InvalidArguments(
            "That is a colleague in Slack. Type the customer's X handle, or paste the link to their profile."
        )
    typed = INVISIBLE_CHARACTERS.sub("", unescape(_LINK.sub(r"\g<url>", text))).split()
    words = CommandArgs()
    for word in typed:
        bare = word.strip(_PUNCTUATION)
        if bare.lower() in list(Metric):
            words = _with_metric(words, bare)
        elif _CUSTOMER.fullmatch(bare):
            words = _with_customer(words, bare)
        elif bare:
            raise InvalidArguments(_puzzled(word, typed, command))
    return words


def _with_metric(words: CommandArgs, word: str) -> CommandArgs:
    if words.metric:
        raise InvalidArguments("Name one type only: csat or nps.")
    return words._replace(metric=Metric(word.lower()))


def _with_customer(words: CommandArgs, word: str) -> CommandArgs:
    if words.recipient:
        raise InvalidArguments("Name one customer only: each one gets a survey of their own.")
    try:
        return words._replace(recipient=parse_recipient(word))
    except InvalidRecipient as error:
        raise InvalidArguments(str(error)) from error


def _puzzled(word: str, typed: Sequence[str], command: str) -> str:
    bare = word.strip(_PUNCTUATION)
    if _HANDLE.fullmatch(bare) and not any(_CUSTOMER.fullmatch(other) for other in typed):
        return f"Did you mean {command} @{bare}? X handles begin with @."
    shown = word if len(word) <= _SHOWN else f"{word[: _SHOWN - 1]}…"
    return f"I don't understand “{shown}”. Try {command} @handle, or /csat help."
