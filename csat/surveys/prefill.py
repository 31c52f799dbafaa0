"""Find the customers and the ticket number in a message, to prefill the form."""

import re
import tomllib
from collections.abc import Iterable, Iterator

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.recipients import HOSTS, MAX_HANDLE_LENGTH, InvalidRecipient, Recipient, parse_recipient

_RECIPIENT = re.compile(
    rf"(?<![\w@./-])(?P<link>{HOSTS}/[\w/?=&.#%@-]+)"  # not pic.twitter.com/..., not help.x.com/...
    rf"|(?<![\w@/+-])@(?P<handle>\w{{1,{MAX_HANDLE_LENGTH}}})(?![\w@À-ɏ]|\.\w)"  # no e-mail, no @name@host
    r"|\b(?:(?:x|twitter)(?:[\s_]+user)?|to_user)[\s_]?id\W{0,4}(?P<id>[0-9]{1,19})\b",
    re.IGNORECASE | re.ASCII,  # ASCII: Japanese puts no space around a handle
)


class TicketPattern(FrozenModel):
    """How a help desk writes its ticket numbers; see tickets.toml."""

    name: str
    find: re.Pattern[str]
    external_id: str


def parse_ticket_patterns(text: str) -> tuple[TicketPattern, ...]:
    """Return the patterns in a TOML document, in the order in which they are tried."""
    rows = tomllib.loads(text)["pattern"]
    return tuple(TicketPattern(**{**row, "find": re.compile(row["find"], re.IGNORECASE)}) for row in rows)


def find_recipients(text: str) -> tuple[Recipient, ...]:
    """Return the distinct recipients that a text mentions, in order."""
    return tuple({recipient.label.lower(): recipient for recipient in _parse_mentions(text)}.values())


def find_external_id(text: str, patterns: Iterable[TicketPattern]) -> str:
    """Return the external id for the first ticket that a text mentions, or ""."""
    for pattern in patterns:
        if match := pattern.find.search(text):
            return pattern.external_id.format(number=match["number"])
    return ""


def _parse_mentions(text: str) -> Iterator[Recipient]:
    for match in _RECIPIENT.finditer(text):
        mention = match["link"] or match["id"] or f"@{match['handle']}"
        try:
            yield parse_recipient(mention.rstrip(".,;:!?"))
        except InvalidRecipient:
            continue
