"""Slack's tables and charts, with fallbacks for workspaces that don't have them yet.

The Slack SDK has no classes for them. They have no alternative text either, and Slack may drop them without
an error, so each is followed by its data as text.
https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
https://docs.slack.dev/reference/block-kit/blocks/data-table-block
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from blocks.block_json import BlockDict

MAX_TITLE_LENGTH: Final = 50
MAX_LABEL_LENGTH: Final = 20
MAX_POINTS: Final = 20
MAX_ROWS: Final = 100
"""Without the header."""
NO_NUMBER: Final = -1_000.0
"""The value of a cell without a figure: it sorts below every score and rate."""
MAX_TABLE_CHARACTERS: Final = 10_000
"""In all cells of all tables of a view."""

Cell = dict[str, Any]


class BlocksWithFallback(NamedTuple):
    """Blocks that some workspaces don't have yet, and the ones that replace them there."""

    blocks: Sequence[BlockDict]
    fallback: Sequence[BlockDict] = ()


HomePart = BlockDict | BlocksWithFallback


def home_view(parts: Iterable[HomePart], *, use_fallbacks: bool = False) -> BlockDict:
    """Return a Home view."""
    blocks = [block for part in parts for block in _blocks(part, use_fallbacks=use_fallbacks)]
    return {"type": "home", "blocks": blocks}


def data_visualization(
    chart_type: Literal["bar", "line"], title: str, series: str, points: Mapping[str, float], x_label: str
) -> BlockDict:
    """Return a chart of one series; the labels of `points` have at most 20 characters."""
    data = [{"label": label, "value": value} for label, value in points.items()]
    return {
        "type": "data_visualization",
        "title": title[:MAX_TITLE_LENGTH],
        "chart": {
            "type": chart_type,
            "series": [{"name": series[:MAX_LABEL_LENGTH], "data": data}],
            "axis_config": {"categories": list(points), "x_label": x_label, "y_label": series},
        },
    }


def data_table(caption: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> BlockDict:
    """Return a table whose first column holds the row headers."""
    return {
        "type": "data_table",
        "caption": caption,
        "page_size": 10,
        "row_header_column_index": 0,
        "rows": [[text_cell(name) for name in header], *map(list, rows)],
    }


def text_cell(text: str) -> Cell:
    """Return a cell with literal text."""
    return {"type": "raw_text", "text": text}


def number_cell(value: float, text: str) -> Cell:
    """Return a cell that shows `text`, and sorts by its value if its column has only such cells."""
    return {"type": "raw_number", "value": value, "text": text}


def rich_text_cell(element: BlockDict) -> Cell:
    """Return a cell with a rich text element, such as a mention."""
    section = {"type": "rich_text_section", "elements": [element]}
    return {"type": "rich_text", "elements": [section]}


def _blocks(part: HomePart, *, use_fallbacks: bool) -> Sequence[BlockDict]:
    if isinstance(part, BlocksWithFallback):
        return part.fallback if use_fallbacks else part.blocks
    return [part]
