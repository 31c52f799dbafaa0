"""What a message says of a customer and of their case, to fill in the form before anybody types."""

import re
import tomllib
from collections.abc import Iterable, Iterator

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.recipients import HOSTS, MAX_HANDLE_LENGTH, InvalidRecipient, Recipient, parse_recipient

_MENTION = (
    rf"(?<![\w@./-])(?P<link>{HOSTS}/[\w/?=&.#%@-]+)"  # not pic.twitter.com/..., not help.x.com/...
    rf"|(?<![\w@/+-])@(?P<handle>\w{{1,{MAX_HANDLE_LENGTH}}})(?![\w@À-ɏ]|\.\w)"  # no e-mail, no @name@host
    r"|\b(?:(?:x|twitter)(?:[\s_]+user)?|to_user)[\s_]?id\W{0,4}(?P<id>[0-9]{1,19})\b"
)
_CUSTOMER = re.compile(_MENTION, re.IGNORECASE | re.ASCII)  # ASCII: Japanese puts no blank around a handle


class TicketPattern(FrozenModel):
    """One way in which a case number is written; see tickets.toml."""

    name: str
    find: re.Pattern[str]
    external_id: str


def parse_ticket_patterns(text: str) -> tuple[TicketPattern, ...]:
    """Return the patterns in a TOML document, in the order in which they are tried."""
    rows = tomllib.loads(text)["pattern"]
    return tuple(TicketPattern(**{**row, "find": re.compile(row["find"], re.IGNORECASE)}) for row in rows)


def find_recipients(text: str) -> tuple[Recipient, ...]:
    """Return everybody on X that a text names, in its order, each one once."""
    return tuple({person.label.lower(): person for person in _people(text)}.values())


def find_external_id(text: str, tickets: Iterable[TicketPattern]) -> str:
    """Return the external id for the case that a text names, or ""."""
    for pattern in tickets:
        if found := pattern.find.search(text):
            return pattern.external_id.format(number=found["number"])
    return ""


def _people(text: str) -> Iterator[Recipient]:
    for found in _CUSTOMER.finditer(text):
        typed = found["link"] or found["id"] or f"@{found['handle']}"
        try:
            yield parse_recipient(typed.rstrip(".,;:!?"))
        except InvalidRecipient:
            continue
