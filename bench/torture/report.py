"""The table of all cases."""

from typing import Final

from bench.torture.checker import CaseResult

COLUMNS: Final = {
    "kills": "kills",
    "submitted": "submitted",
    "acknowledged": "acknowledged",
    "sent_once": "sent once",
    "duplicated": "duplicated",
    "resent": "resent",
    "refused": "refused",
    "lost": "lost",
    "uncertain": "uncertain",
    "settled_right": "right",
    "settled_wrong": "wrong",
    "told_wrongly": "told wrongly",
    "confirmed": "confirmed",
    "confirmed_twice": "twice",
    "unconfirmed": "never",
    "responses": "responses",
    "responses_stored": "stored",
}
NAME_WIDTH: Final = 42
LEGEND: Final = """\
kills: kills, freezes, restarts or locks. The other columns count surveys:
acknowledged: a form abandoned after a failure isn't. duplicated: sent more often than anyone asked for.
resent: the requester pressed Send again. refused: not sent, and the requester knows why.
lost: acknowledged, but neither sent nor refused, nor (by a link) left to its requester.
uncertain: once uncertain, then settled right or wrong.
told wrongly: the requester was last told that it was sent, or that it was not, and X's record says otherwise.
confirmed, twice, never: confirmations in Slack.
responses, stored: in X's record, or taken by the rating page or in Slack, and the same in the database."""


def format_header() -> str:
    """Return the header line."""
    return f"{'':{NAME_WIDTH}}  " + "  ".join(COLUMNS.values())


def format_result(name: str, result: CaseResult) -> str:
    """Return the line of a case."""
    cells = (f"{getattr(result, field):>{len(title)}}" for field, title in COLUMNS.items())
    return f"{name:{NAME_WIDTH}}  " + "  ".join(cells)
