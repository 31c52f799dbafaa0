"""Rich text, tables and charts: the blocks whose content is a structure of its own."""

from collections.abc import Iterator

from sandbox.slack.blockkit.objects import URL
from sandbox.slack.blockkit.validators import (
    Rule,
    boolean,
    by_type,
    exactly,
    integer,
    items,
    number,
    record,
    string,
    wrong,
)
from sandbox.slack.json_types import Json

LONG = 40_000
ROWS = 100
COLUMNS = 20
CELLS = 10_000
"""How many characters all cells of one table hold together."""
SERIES = 12
POINTS = 20
LABEL = string(20)

STYLE = record(
    {},
    dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), boolean),
)
INLINE = by_type(
    {
        "text": record({"text": string(LONG)}, {"style": STYLE}),
        "link": record({"url": URL}, {"text": string(LONG, 0), "unsafe": boolean, "style": STYLE}),
        "emoji": record({"name": string(255)}, {"unicode": string(255), "style": STYLE}),
        "user": record({"user_id": string(255)}, {"style": STYLE}),
        "usergroup": record({"usergroup_id": string(255)}, {"style": STYLE}),
        "channel": record({"channel_id": string(255)}, {"style": STYLE}),
        "team": record({"team_id": string(255)}, {"style": STYLE}),
        "broadcast": record({"range": exactly("here", "channel", "everyone")}, {"style": STYLE}),
        "color": record({"value": string(255)}, {"style": STYLE}),
        "date": record(
            {"timestamp": integer(0, 9_999_999_999), "format": string(255)},
            {"url": URL, "fallback": string(LONG), "style": STYLE},
        ),
    }
)
INLINES = items(INLINE, 1000, 0)
SECTION = record({"elements": INLINES})
PARTS = by_type(
    {
        "rich_text_section": SECTION,
        "rich_text_preformatted": record(
            {"elements": INLINES}, {"border": integer(0, 1), "language": string(255)}
        ),
        "rich_text_quote": record({"elements": INLINES}, {"border": integer(0, 1)}),
        "rich_text_list": record(
            {
                "elements": items(by_type({"rich_text_section": SECTION}), 1000),
                "style": exactly("bullet", "ordered"),
            },
            {"indent": integer(0, 8), "offset": integer(0, 10_000), "border": integer(0, 1)},
        ),
    }
)
BLOCK_ID: dict[str, Rule] = {"block_id": string(255)}
RICH_TEXT = record({"elements": items(PARTS, 1000, 0)}, BLOCK_ID)

RAW_TEXT = record({"text": string(LONG)})
RAW_NUMBER = record({"value": number}, {"text": string(LONG)})


def _rows_are_even(table: Json, at: str) -> Iterator[str]:
    widths = {len(row) for row in table["rows"]}
    if len(widths) > 1:
        yield wrong("all rows must have the same number of cells", f"{at}/rows")
    if sum(map(_characters, table["rows"])) > CELLS:
        yield wrong(f"must be less than {CELLS + 1} characters in all cells", f"{at}/rows")


def _characters(part: object) -> int:
    """Count what a cell shows, whatever it is made of."""
    if isinstance(part, list):
        return sum(map(_characters, part))
    if not isinstance(part, dict):
        return 0
    own = part.get("text")
    return (len(own) if isinstance(own, str) else 0) + _characters(part.get("elements", []))


def _header_is_raw(table: Json, at: str) -> Iterator[str]:
    for index, cell in enumerate(table["rows"][0]):
        if cell["type"] == "rich_text":
            yield wrong("header cells must not be rich_text", f"{at}/rows/0/{index}")


COLUMN = record({}, {"align": exactly("left", "center", "right"), "is_wrapped": boolean})
TABLE = record(
    {"rows": items(items(by_type({"raw_text": RAW_TEXT, "rich_text": RICH_TEXT}), COLUMNS), ROWS)},
    {**BLOCK_ID, "column_settings": items(COLUMN, COLUMNS)},
    _rows_are_even,
)
CELL = by_type({"raw_text": RAW_TEXT, "raw_number": RAW_NUMBER, "rich_text": RICH_TEXT})
DATA_TABLE = record(
    {"rows": items(items(CELL, COLUMNS), ROWS + 1, 2), "caption": string(LONG)},
    {**BLOCK_ID, "page_size": integer(1, 100), "row_header_column_index": integer(0, COLUMNS - 1)},
    _rows_are_even,
    _header_is_raw,
)


def _points_match_categories(chart: Json, at: str) -> Iterator[str]:
    categories = chart["axis_config"]["categories"]
    names = [series["name"] for series in chart["series"]]
    if len(set(names)) < len(names):
        yield wrong("names of series must be unique", f"{at}/series")
    for index, series in enumerate(chart["series"]):
        if [point["label"] for point in series["data"]] != categories:
            yield wrong("must have one point for each category, in order", f"{at}/series/{index}/data")


AXES = record({"categories": items(LABEL, POINTS)}, {"x_label": string(50), "y_label": string(50)})
POINT = record({"label": LABEL, "value": number})
PLOT = record(
    {
        "series": items(record({"name": LABEL, "data": items(POINT, POINTS)}), SERIES),
        "axis_config": AXES,
    },
    {},
    _points_match_categories,
)


def _segments_are_positive(pie: Json, at: str) -> Iterator[str]:
    for index, segment in enumerate(pie["segments"]):
        if segment["value"] <= 0:
            yield wrong("must be greater than 0", f"{at}/segments/{index}/value")


PIE = record({"segments": items(POINT, SERIES)}, {}, _segments_are_positive)
CHART = by_type({"pie": PIE, "bar": PLOT, "area": PLOT, "line": PLOT})
DATA_VISUALIZATION = record({"title": string(50), "chart": CHART}, BLOCK_ID)
