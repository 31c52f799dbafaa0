"""The one table in which all cases are shown."""

from collections.abc import Iterable
from typing import Final

from bench.torture.checker import Verdict

COLUMNS: Final = {
    "kills": "kills",
    "submitted": "submitted",
    "acknowledged": "acknowledged",
    "sent_once": "sent once",
    "sent_twice": "sent twice",
    "again": "again",
    "refused": "refused",
    "lost": "lost",
    "uncertain": "uncertain",
    "right": "right",
    "wrong": "wrong",
    "confirmed": "confirmed",
    "confirmed_twice": "twice",
    "unconfirmed": "never",
    "answered": "answered",
    "known": "known",
}
NAME: Final = 34
LEGEND: Final = (
    "kills: strikes of any kind. again: once more, because the requester pressed Send again. refused: not "
    "sent, and told so. right, wrong: how uncertain ones were settled. twice, never: of the confirmations. "
    "answered, known: answers in X's record, and in the ledger as they are there. "
    "A form that its person gave up after a failure is not acknowledged."
)


def head() -> str:
    """Return the first line."""
    return f"{'':{NAME}}  " + "  ".join(COLUMNS.values())


def line(name: str, verdict: Verdict) -> str:
    """Return the line of a case."""
    figures = (f"{getattr(verdict, field):>{len(title)}}" for field, title in COLUMNS.items())
    return f"{name:{NAME}}  " + "  ".join(figures)


def total(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the sum of all cases."""
    return sum(verdicts, Verdict())
