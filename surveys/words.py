"""The words of `/csat`: who is asked and with which metric, in any order."""

import html
import re
from typing import NamedTuple

from surveys.customers import NotACustomer, Recipient, read_recipient
from surveys.questions import Metric

_MEMBER = re.compile(r"<@[UW][A-Z0-9]+(\|[^>]*)?>")
_LINK = re.compile(r"<(?P<url>https?://[^|>]+)(\|[^>]*)?>")
_CUSTOMER = re.compile(
    r"@.+|[0-9]+|(?:https?://)?(?:www\.|mobile\.|m\.)?(?:x|twitter)\.com/.+", re.IGNORECASE
)


class NotUnderstood(ValueError):
    """A word means nothing here; `str()` says which, and why."""


class Words(NamedTuple):
    """What a command says; what it leaves open is None."""

    metric: Metric | None = None
    recipient: Recipient | None = None


def read_words(text: str) -> Words:
    """Read a command's text as Slack sends it; raises `NotUnderstood`."""
    words = Words()
    for word in text.split():
        words = _with(words, html.unescape(_LINK.sub(r"\g<url>", word)))
    return words


def _with(words: Words, word: str) -> Words:
    if _MEMBER.fullmatch(word):
        raise NotUnderstood(
            "That is a member of your Slack, not a customer on X. Paste the link to their X profile."
        )
    if word.lower() in list(Metric):
        if words.metric:
            raise NotUnderstood("Name one type only: csat or nps.")
        return words._replace(metric=Metric(word.lower()))
    if not _CUSTOMER.fullmatch(word):
        raise NotUnderstood(f"“{word[:40]}” is neither a customer nor a type.")
    if words.recipient:
        raise NotUnderstood("Name one customer only: each one gets a survey of their own.")
    try:
        return words._replace(recipient=read_recipient(word))
    except NotACustomer as error:
        raise NotUnderstood(f"“{word[:40]}”: {error}") from error
