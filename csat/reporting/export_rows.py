"""A survey as a row of an export: every column is here, in the file's order."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BeforeValidator, ValidationError

from csat.reporting.periods import Period
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Metric
from csat.surveys.states import State

_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - spreadsheets take the wide ones too

FORMULA_PREFIX = "'"
"""What a spreadsheet shows as text whatever comes after it."""


class InvalidExport(ValueError):
    """A file is no export of ours; `str()` says where and why."""


Empty = BeforeValidator(lambda cell: None if cell == "" else cell)
Moment = Annotated[AwareDatetime | None, Empty]
Number = Annotated[int | None, Empty]
Text = Annotated[str, BeforeValidator(lambda cell: "" if cell is None else cell)]
Flag = Annotated[bool, BeforeValidator(lambda cell: {"yes": True, "no": False}.get(cell, cell))]


class Selection(FrozenModel):
    """Which surveys an export holds: those that one team sent in a period."""

    team: str
    period: Period
    exclude_requester: str = ""
    """Whose own surveys are left out."""


class ExportRow(FrozenModel):
    """One survey that was sent, or of which nobody knows whether it was."""

    survey_id: int
    """The app's own number of it."""
    feedback_id: Text
    """X's number of it; empty where X never told."""
    state: State
    metric: Metric
    variant: int
    """X's number of the question."""
    test: Flag
    """Tests are counted nowhere."""
    team: str
    channel: str
    thread: str
    """The `ts` of the message in Slack that it belongs to."""
    requester: str
    """The Slack id of the agent who asked."""
    account: str
    """The id of the account on X that asked."""
    recipient_id: Text
    """The customer's id on X; empty once they were forgotten."""
    recipient_handle: Text
    """The customer's handle without its @."""
    external_id: str
    accepted_at: AwareDatetime
    sent_at: AwareDatetime
    rating: Number
    rated_at: Moment
    comment: Text
    commented_at: Moment
    low_taken_by: Text
    """Who took a low rating on."""
    low_taken_at: Moment
    low_closed_by: Text
    low_closed_at: Moment

    def to_cells(self) -> list[str]:
        """Return the row's cells: moments in UTC, what a spreadsheet would take for a formula defused."""
        return [_cell(value) for _, value in self]

    @classmethod
    def from_cells(cls, cells: Mapping[str, Any]) -> Self:
        """Read a row; raises `InvalidExport`."""
        try:
            return cls.model_validate(dict(cells))
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            raise InvalidExport(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


COLUMNS = tuple(ExportRow.model_fields)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return escape_formula(str(value))


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    return FORMULA_PREFIX + text if _FORMULA.match(text) else text
