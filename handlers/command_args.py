"""Parse the arguments of `/csat`: a customer and a metric, in any order."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from csat.slack_api.text_extraction import unescape
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
_MAX_QUOTED_LENGTH = 40


class InvalidArguments(ValueError):
    """The arguments can't be understood; `str()` is the advice for the person."""


class CommandArgs(NamedTuple):
    """The arguments of `/csat`."""

    metric: Metric | None = None
    recipient: Recipient | None = None


def parse_command_args(text: str, command: str = "/csat") -> CommandArgs:
    """Parse the text of a command as Slack sends it; raises `InvalidArguments`."""
    if _MEMBER.search(text):
        raise InvalidArguments(
            "That's a colleague in Slack. Type the customer's X handle, or paste a link to their profile."
        )
    words = INVISIBLE_CHARACTERS.sub("", unescape(_LINK.sub(r"\g<url>", text))).split()
    args = CommandArgs()
    for word in words:
        bare = word.strip(_PUNCTUATION)
        if bare.lower() in list(Metric):
            args = _with_metric(args, bare)
        elif _CUSTOMER.fullmatch(bare):
            args = _with_recipient(args, bare)
        elif bare:
            raise InvalidArguments(_unknown_word(word, words, command))
    return args


def _with_metric(args: CommandArgs, word: str) -> CommandArgs:
    if args.metric:
        raise InvalidArguments("Choose one type: csat or nps.")
    return args._replace(metric=Metric(word.lower()))


def _with_recipient(args: CommandArgs, word: str) -> CommandArgs:
    if args.recipient:
        raise InvalidArguments("Name one customer at a time: each gets their own survey.")
    try:
        return args._replace(recipient=parse_recipient(word))
    except InvalidRecipient as error:
        raise InvalidArguments(str(error)) from error


def _unknown_word(word: str, words: Sequence[str], command: str) -> str:
    bare = word.strip(_PUNCTUATION)
    if _HANDLE.fullmatch(bare) and not any(_CUSTOMER.fullmatch(other) for other in words):
        return f"Did you mean {command} @{bare}? X handles start with @."
    quoted = word if len(word) <= _MAX_QUOTED_LENGTH else f"{word[: _MAX_QUOTED_LENGTH - 1]}…"
    return f"I don't understand “{quoted}”. Try {command} @handle, or /csat help."
