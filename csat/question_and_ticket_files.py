"""Read the TOML files of questions and ticket patterns at start-up."""

from pathlib import Path
from typing import Final

from csat.surveys.prefill import TicketPattern, parse_ticket_patterns
from csat.surveys.questions import Catalogue, CatalogueError

SURVEYS: Final = Path(__file__).with_name("surveys")
DEFAULT_QUESTIONS_FILE: Final = SURVEYS / "questions.toml"
TICKETS_FILE: Final = SURVEYS / "tickets.toml"


def load_catalogue(path: Path = DEFAULT_QUESTIONS_FILE) -> Catalogue:
    """Return the catalogue in a questions file; raises `CatalogueError` with the file and the reason."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} can't be read: {error}") from error
    try:
        return Catalogue.parse(text)
    except CatalogueError as error:
        raise CatalogueError(f"{path}: {error}") from error


def load_ticket_patterns() -> tuple[TicketPattern, ...]:
    """Return the ticket patterns, in the order in which they are tried."""
    return parse_ticket_patterns(TICKETS_FILE.read_text(encoding="utf-8"))
