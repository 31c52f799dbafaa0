"""The words of `/csat`: who is asked and with which metric, in any order."""

import re
from typing import NamedTuple

from surveys.customers import HOSTS, MARKS, NotACustomer, Recipient, read_recipient
from surveys.questions import Metric

_MEMBER = re.compile(r"<@[UW][A-Z0-9]+(\|[^>]*)?>")
_LINK = re.compile(r"<(?P<url>https?://[^|>]+)(\|[^>]*)?>")
_CUSTOMER = re.compile(rf"@.+|[0-9]+|{HOSTS}/.+", re.IGNORECASE)


class NotUnderstood(ValueError):
    """A word means nothing here; `str()` says which, and why."""


class Words(NamedTuple):
    """What a command says; what it leaves open is None."""

    metric: Metric | None = None
    recipient: Recipient | None = None


def read_words(text: str) -> Words:
    """Read a command's text as Slack sends it; raises `NotUnderstood`."""
    if _MEMBER.search(text):
        raise NotUnderstood(
            "That is a member of your Slack, not a customer on X. Paste the link to their X profile."
        )
    words = Words()
    for word in MARKS.sub("", unescaped(_LINK.sub(r"\g<url>", text))).split():
        words = _with(words, word)
    return words


def unescaped(text: str) -> str:
    """Return text without Slack's escapes, of which there are three.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _with(words: Words, word: str) -> Words:
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
