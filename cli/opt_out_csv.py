"""A list of customers who asked not to be surveyed: CSV with a customer, a reason and a date."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cli.errors import CommandError
from cli.named_customers import parse_customer
from csat.db.tables import opt_outs
from csat.reporting.export_files import ENCODING
from csat.reporting.export_rows import TEXT_PREFIX
from csat.surveys.opt_outs import InvalidReason, parse_reason
from csat.surveys.recipients import InvalidRecipient, Recipient

COLUMNS: tuple[str, ...] = ("customer", "reason", "date")
"""The columns of a file without a header."""

COLUMN_NAMES = "columns customer, reason and date"

OTHER_NAMES = frozenset(
    ("account", "date", "handle", "id", "name", "reason", "screen_name", "user", "user_id", "username")
)
"""Other words for the first cell of a header."""

HEADER_ADVICE = f"looks like a header. Call its {COLUMN_NAMES}, or write an @ before a handle."

EXPORT_ADVICE = (
    "is an export of opt-outs, which can't be imported, as it has only keyed hashes of the customers. "
    "Import the list with their handles or IDs."
)

NOT_CLOSED = "A quotation mark isn't closed. Put the customer and the whole reason on one line."

ROUNDED = (
    "A spreadsheet has rounded this ID, so it can't be restored from this. Copy it again from its source, "
    "into a column that is formatted as text."
)

_ROUNDED_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)

OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
"""Separators that spreadsheets write instead of commas in some countries."""


class ListedCustomer(NamedTuple):
    """A line of the list."""

    line: int
    recipient: Recipient
    reason: str
    since: datetime | None
    """When the customer said so, if the list has a date."""


class LineProblem(NamedTuple):
    """An error in a line of the list; `str()` names the line."""

    line: int
    problem: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.problem}"


class InvalidLine(ValueError):
    """A line can't be read; `str()` says why."""


def read_list(path: Path, now: datetime, from_line: int = 1) -> Iterator[ListedCustomer | LineProblem]:
    """Yield the customers of a list, one a line, and the problem of each line that can't be read.

    A first line with the word "customer" names the columns. Raises `CommandError`, also if it looks like
    another header, or `OSError`.
    """
    lines = _read_lines(path)
    for separator, name in OTHER_SEPARATORS.items():
        if separator in "".join(lines[:1]).partition(",")[0]:
            raise CommandError(f"{path} has {name} between its cells. Save it with commas.")
    yield from (listed for listed in _parse_lines(lines, path, now) if listed.line >= from_line)


def _read_lines(path: Path) -> list[str]:
    """Return a file's lines, read once, as a pipe allows no more; raises `CommandError` or `OSError`."""
    try:
        return io.StringIO(path.read_bytes().decode(ENCODING), newline="").readlines()
    except UnicodeDecodeError as error:
        line = len(error.object[: error.end].splitlines())
        raise CommandError(f"line {line} of {path} isn't in UTF-8. Save the file as CSV UTF-8.") from error


def _parse_lines(lines: list[str], path: Path, now: datetime) -> Iterator[ListedCustomer | LineProblem]:
    columns = COLUMNS
    for number, line in enumerate(lines, 1):
        try:
            cells = _split(line)
            names = tuple(cell.strip().lower() for cell in cells)
            if number == 1 and COLUMNS[0] in names:
                columns = names
            elif number == 1 and opt_outs.c.recipient_key.name in names:
                raise CommandError(f"{path} {EXPORT_ADVICE}")
            elif number == 1 and OTHER_NAMES.intersection(names[:1]):
                raise CommandError(f"the first line of {path} {HEADER_ADVICE}")
            elif any(names):
                yield _parse(number, columns, cells, now)
        except InvalidRecipient as problem:
            hint = f" If this is a header, call its {COLUMN_NAMES}." if number == 1 else ""
            yield LineProblem(number, f"{problem}{hint}")
        except (InvalidLine, InvalidReason) as problem:
            yield LineProblem(number, str(problem))


def _split(line: str) -> list[str]:
    """Return the cells of a line; raises `InvalidLine`."""
    reader = csv.reader((line, ""))  # whose second line is read only within quotation marks
    try:
        cells = next(reader)
    except csv.Error as error:
        raise InvalidLine(f"It can't be read: {error}.") from None
    if reader.line_num > 1:
        raise InvalidLine(NOT_CLOSED)
    return cells


def _parse(line: int, columns: tuple[str, ...], cells: list[str], now: datetime) -> ListedCustomer:
    if len(cells) > len(columns):
        raise InvalidLine(f"It has {len(cells)} cells. Put a reason with commas into quotes.")
    values = dict(zip(columns, map(str.strip, cells), strict=False))
    customer = values.get("customer", "").removeprefix(TEXT_PREFIX)
    if _ROUNDED_NUMBER.fullmatch(customer):
        raise InvalidLine(ROUNDED)
    reason, date = values.get("reason", ""), values.get("date", "")
    return ListedCustomer(
        line,
        parse_customer(customer),
        parse_reason(reason) if reason else "",
        _parse_date(date, now) if date else None,
    )


def _parse_date(text: str, now: datetime) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidLine("Write the date like 2026-11-03.") from None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    if date > now:
        raise InvalidLine("The date is in the future.")
    return date
