"""Slack's own charts and tables, and what is said instead where a workspace does not have them yet.

Slack's library has no classes for them. Neither has an alternative text of its own: the words that follow a
chart say the same to those who can't see it, and a table is read cell by cell.
https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
https://docs.slack.dev/reference/block-kit/blocks/data-table-block
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from blocks.form_fields import BlockDict

MAX_TITLE_LENGTH: Final = 50
MAX_LABEL_LENGTH: Final = 20
MAX_POINTS: Final = 20
MAX_ROWS: Final = 100
"""Beside the header."""
MAX_TABLE_CHARACTERS: Final = 10_000
"""In all cells of the tables of one view."""

Cell = dict[str, Any]


class BlockWithFallback(NamedTuple):
    """A block that some workspaces do not have yet, and those that stand in for it there."""

    block: BlockDict
    instead: Sequence[BlockDict]


HomePart = BlockDict | BlockWithFallback


def home_view(parts: Iterable[HomePart], *, in_words: bool = False) -> BlockDict:
    """Return a Home of these parts."""
    shown = [block for part in parts for block in _blocks(part, in_words=in_words)]
    return {"type": "home", "blocks": shown}


def data_visualization(
    kind: Literal["bar", "line"], title: str, series: str, points: Mapping[str, float], axis: str
) -> BlockDict:
    """Return a chart of one series; each point has a label of its own, of at most 20 characters."""
    data = [{"label": label, "value": value} for label, value in points.items()]
    return {
        "type": "data_visualization",
        "title": title[:MAX_TITLE_LENGTH],
        "chart": {
            "type": kind,
            "series": [{"name": series[:MAX_LABEL_LENGTH], "data": data}],
            "axis_config": {"categories": list(points), "x_label": axis, "y_label": series},
        },
    }


def data_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> BlockDict:
    """Return a table, whose first column names each row."""
    return {
        "type": "data_table",
        "caption": caption,
        "page_size": 10,
        "row_header_column_index": 0,
        "rows": [[text_cell(name) for name in header], *map(list, rows)],
    }


def text_cell(text: str) -> Cell:
    """Return a cell to be taken literally."""
    return {"type": "raw_text", "text": text}


def number_cell(value: float, text: str = "") -> Cell:
    """Return a cell that is sorted as a number, whatever it is written like."""
    return {"type": "raw_number", "value": value, **({"text": text} if text else {})}


def rich_text_cell(element: BlockDict) -> Cell:
    """Return a cell that mentions a person or a channel."""
    section = {"type": "rich_text_section", "elements": [element]}
    return {"type": "rich_text", "elements": [section]}


def _blocks(part: HomePart, *, in_words: bool) -> Sequence[BlockDict]:
    if isinstance(part, BlockWithFallback):
        return part.instead if in_words else [part.block]
    return [part]
