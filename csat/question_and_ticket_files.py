"""Read the TOML files of questions and ticket patterns at start-up."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from csat.settings import DEFAULT_QUESTIONS_FILE
from csat.surveys.customers_in_message import TicketPattern, parse_ticket_patterns
from csat.surveys.questions import Catalogue, CatalogueError, Metric
from csat.surveys.transports import TransportName

TICKETS_FILE: Final = DEFAULT_QUESTIONS_FILE.with_name("tickets.toml")


def load_catalogue(
    path: Path = DEFAULT_QUESTIONS_FILE,
    selection: Mapping[Metric, tuple[int, ...]] = MappingProxyType({}),
    transports: Iterable[TransportName] = (),
) -> Catalogue:
    """Return the catalogue in a questions file, with the questions that the team uses.

    Each of the transports can ask at least one of them for each metric.
    Raises `CatalogueError` with the file or the setting, and the reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path} can't be read: {error}") from error
    try:
        catalogue = Catalogue.parse(text)
    except CatalogueError as error:
        raise CatalogueError(f"{path}: {error}") from error
    try:
        selected = catalogue.select(selection)
    except CatalogueError as error:
        raise CatalogueError(f"CSAT_QUESTIONS: {error} in {path}") from error
    try:
        selected.require_questions_for(transports)
    except CatalogueError as error:
        raise CatalogueError(f"{'CSAT_QUESTIONS' if selection else path}: {error}") from error
    return selected


def load_ticket_patterns() -> tuple[TicketPattern, ...]:
    """Return the ticket patterns, in the order in which they are tried."""
    return parse_ticket_patterns(TICKETS_FILE.read_text(encoding="utf-8"))
