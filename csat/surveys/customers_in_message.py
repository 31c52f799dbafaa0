"""Find the customers and the ticket number that a message mentions, to prefill the form."""

import re
import tomllib
from collections.abc import Iterator, Sequence

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

    def find_numbers(self, text: str) -> list[str]:
        """Return the numbers of the tickets that a text mentions, letters in upper case."""
        return [match["number"].upper() for match in self.find.finditer(text)]


def parse_ticket_patterns(text: str) -> tuple[TicketPattern, ...]:
    """Return the patterns in a TOML document, in the order in which they are tried."""
    rows = tomllib.loads(text)["pattern"]
    return tuple(TicketPattern(**{**row, "find": re.compile(row["find"], re.IGNORECASE)}) for row in rows)


def find_recipients(text: str) -> tuple[Recipient, ...]:
    """Return the distinct recipients that a text mentions, in order."""
    return tuple({recipient.label.lower(): recipient for recipient in _parse_mentions(text)}.values())


def find_external_id(texts: Sequence[str], patterns: Sequence[TicketPattern]) -> str:
    """Return the external id for the first ticket that the texts mention, or "".

    The first pattern that finds its number in any of the texts decides: a link names the help desk.
    """
    found = (pattern.find_numbers(text) for text in texts for pattern in patterns)
    if not (numbers := next(filter(None, found), [])):
        return ""
    number = numbers[0]
    by_pattern = ((pattern, text) for pattern in patterns for text in texts)
    named = next(pattern for pattern, text in by_pattern if number in pattern.find_numbers(text))
    return named.external_id.format(number=number)


def _parse_mentions(text: str) -> Iterator[Recipient]:
    for match in _RECIPIENT.finditer(text):
        mention = match["link"] or match["id"] or f"@{match['handle']}"
        try:
            yield parse_recipient(mention.rstrip(".,;:!?"))
        except InvalidRecipient:
            continue
