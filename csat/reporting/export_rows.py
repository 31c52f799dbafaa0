"""The rows of an export: all columns, in the file's order."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BeforeValidator, ValidationError

from csat.reporting.periods import Period
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.states import State
from csat.surveys.transports import TransportName

_CELL_START = re.compile(
    r"""
    ^ (?=[\t\r\n])
    | (?: ^ | [;\t\r\n] ) (?= (?: [^\S\t\r\n] | " )* [=+\-@＝＋－＠] )
    """,  # noqa: RUF001 - spreadsheets accept the full-width signs too
    re.VERBOSE,
)
"""Where a spreadsheet could find a formula.

In many countries Excel separates the cells of a CSV file at semicolons, also within our quotes, and takes
a quote after one as its own; pasted text is separated at tabs.
"""

TEXT_PREFIX = "'"
"""Makes a spreadsheet treat the rest of the cell as text."""

_NUMBER = re.compile(r"'*[0-9][0-9.,:/ eE+-]*")
"""Text that a spreadsheet could take for a number (of 15 digits, without leading zeros) or for a date."""


class InvalidExport(ValueError):
    """The file is not an export of this app; `str()` says where and why."""


EmptyAsNone = BeforeValidator(lambda cell: None if cell == "" else cell)
OptionalTime = Annotated[AwareDatetime | None, EmptyAsNone]
OptionalNumber = Annotated[int | None, EmptyAsNone]
Text = Annotated[str, BeforeValidator(lambda cell: "" if cell is None else cell)]
YesOrNo = Annotated[bool, BeforeValidator(lambda cell: {"yes": True, "no": False}.get(cell, cell))]


class Selection(FrozenModel):
    """The surveys in an export: those that a team sent in a period."""

    team: str
    period: Period
    exclude_requester: str = ""
    """The requester whose surveys are not exported."""


class ExportRow(FrozenModel):
    """One survey that was sent or may have been."""

    survey_id: int
    """The app's id of the survey."""
    feedback_id: Text
    """X's id of the survey; empty if X never returned one."""
    state: State
    metric: Metric
    variant: int
    """X's id of the question variant."""
    test: YesOrNo
    """Test surveys are not counted."""
    team: str
    channel: str
    channel_name: Text = ""
    """Empty if Slack did not tell it."""
    thread: str
    """The `ts` of the message in Slack that the survey belongs to."""
    requester: str
    """The Slack id of the agent."""
    requester_name: Text = ""
    account: str
    """The id of the account on X that sent the survey, or of the workspace for one in Slack."""
    transport: TransportName = TransportName.X_CARD
    """How it was sent; older files lack the column."""
    recipient_id: Text
    """The customer's id on X, or the workspace and the user id of a person in Slack; empty once erased."""
    recipient_handle: Text
    """The customer's handle without its @."""
    external_id: str
    accepted_at: AwareDatetime
    sent_at: AwareDatetime
    rating: OptionalNumber
    rated_at: OptionalTime
    comment: Text
    commented_at: OptionalTime
    disowned_at: OptionalTime = None
    """When its reader said that it was meant for somebody else; older files lack the column."""
    low_taken_by: Text
    """The supervisor who took the follow-up on a low rating."""
    low_taken_by_name: Text = ""
    low_taken_at: OptionalTime
    low_closed_by: Text
    low_closed_by_name: Text = ""
    low_closed_at: OptionalTime
    low_note: Text
    """How it was closed; empty once the customer was erased."""

    def ids(self) -> list[str]:
        """Return the ids of the users and the channel that have a name."""
        return [each for each in (getattr(self, name) for name in NAMED) if each]

    def names(self) -> list[tuple[str, str]]:
        """Return the same ids with their names."""
        return [(getattr(self, name), getattr(self, f"{name}_name")) for name in NAMED]

    def with_names(self, names: Mapping[str, str]) -> Self:
        """Return the row with names by id."""
        return self.model_copy(
            update={f"{name}_name": names.get(getattr(self, name) or "", "") for name in NAMED}
        )

    def to_cells(self) -> list[str]:
        """Return the row's cells, with times in UTC, formulas escaped, and numbers that are texts marked."""
        return [to_cell(value) for _, value in self]

    @classmethod
    def from_cells(cls, cells: Mapping[str, Any]) -> Self:
        """Return the row in some cells; raises `InvalidExport`."""
        try:
            return cls.model_validate({name: _from_cell(cell) for name, cell in cells.items()})
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise InvalidExport(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


NAMED = ("channel", "requester", "low_taken_by", "low_closed_by")
"""The columns of ids that each have a column of names."""
NAME_COLUMNS = tuple(f"{name}_name" for name in NAMED)
COLUMNS = tuple(ExportRow.model_fields)
REQUIRED_COLUMNS = frozenset(name for name, field in ExportRow.model_fields.items() if field.is_required())


def escape_formula(text: str) -> str:
    """Return a text of which no spreadsheet evaluates a part as a formula, whatever separates its cells.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return _CELL_START.sub(rf"\g<0>{TEXT_PREFIX}", text)


def to_cell(value: object) -> str:
    """Return a cell: a time in UTC, a text without formulas, and marked if it looks like a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    text = escape_formula(str(value))
    return f"{TEXT_PREFIX}{text}" if isinstance(value, str) and _NUMBER.fullmatch(text) else text


def _from_cell(cell: str | None) -> str | None:
    return cell[1:] if cell and cell.startswith(TEXT_PREFIX) and _NUMBER.fullmatch(cell) else cell
