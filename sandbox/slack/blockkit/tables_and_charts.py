"""Tables and charts."""

from collections.abc import Iterator

from sandbox.slack.blockkit.composition_objects import BLOCK_ID
from sandbox.slack.blockkit.json_validators import (
    array,
    boolean,
    by_type,
    integer,
    json_object,
    number,
    one_of,
    problem,
    string,
)
from sandbox.slack.blockkit.rich_text import MAX_TEXT_CHARACTERS, RICH_TEXT
from sandbox.slack.json_types import Json

MAX_ROWS = 100
MAX_COLUMNS = 20
MAX_TABLE_CHARACTERS = 10_000
"""The limit for all cells of a table together."""
MAX_SERIES = 12
MAX_POINTS = 20
LABEL = string(20)

RAW_TEXT = json_object({"text": string(MAX_TEXT_CHARACTERS)})
RAW_NUMBER = json_object({"value": number, "text": string(MAX_TEXT_CHARACTERS)})


def _check_rows(table: Json, pointer: str) -> Iterator[str]:
    widths = {len(row) for row in table["rows"]}
    if len(widths) > 1:
        yield problem("all rows must have the same number of cells", f"{pointer}/rows")
    if sum(map(_count_characters, table["rows"])) > MAX_TABLE_CHARACTERS:
        yield problem(
            f"must be less than {MAX_TABLE_CHARACTERS + 1} characters in all cells", f"{pointer}/rows"
        )


def _count_characters(part: object) -> int:
    """Return the number of characters in a cell."""
    if isinstance(part, list):
        return sum(map(_count_characters, part))
    if not isinstance(part, dict):
        return 0
    text = part.get("text")
    return (len(text) if isinstance(text, str) else 0) + _count_characters(part.get("elements", []))


def _check_header(table: Json, pointer: str) -> Iterator[str]:
    for index, cell in enumerate(table["rows"][0]):
        if cell["type"] == "rich_text":
            yield problem("header cells must not be rich_text", f"{pointer}/rows/0/{index}")


COLUMN = json_object({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})
TABLE = json_object(
    {"rows": array(array(by_type({"raw_text": RAW_TEXT, "rich_text": RICH_TEXT}), MAX_COLUMNS), MAX_ROWS)},
    {**BLOCK_ID, "column_settings": array(COLUMN, MAX_COLUMNS)},
    _check_rows,
)
CELL = by_type({"raw_text": RAW_TEXT, "raw_number": RAW_NUMBER, "rich_text": RICH_TEXT})
DATA_TABLE = json_object(
    {"rows": array(array(CELL, MAX_COLUMNS), MAX_ROWS + 1, 2), "caption": string(MAX_TEXT_CHARACTERS)},
    {**BLOCK_ID, "page_size": integer(1, 100), "row_header_column_index": integer(0, MAX_COLUMNS - 1)},
    _check_rows,
    _check_header,
)


def _check_points(chart: Json, pointer: str) -> Iterator[str]:
    categories = chart["axis_config"]["categories"]
    names = [series["name"] for series in chart["series"]]
    if len(set(names)) < len(names):
        yield problem("names of series must be unique", f"{pointer}/series")
    for index, series in enumerate(chart["series"]):
        if [point["label"] for point in series["data"]] != categories:
            yield problem("must have one point for each category, in order", f"{pointer}/series/{index}/data")


AXES = json_object({"categories": array(LABEL, MAX_POINTS)}, {"x_label": string(50), "y_label": string(50)})
POINT = json_object({"label": LABEL, "value": number})
PLOT = json_object(
    {
        "series": array(json_object({"name": LABEL, "data": array(POINT, MAX_POINTS)}), MAX_SERIES),
        "axis_config": AXES,
    },
    {},
    _check_points,
)


def _check_segments(pie: Json, pointer: str) -> Iterator[str]:
    for index, segment in enumerate(pie["segments"]):
        if segment["value"] <= 0:
            yield problem("must be greater than 0", f"{pointer}/segments/{index}/value")


PIE = json_object({"segments": array(POINT, MAX_SERIES)}, {}, _check_segments)
CHART = by_type({"pie": PIE, "bar": PLOT, "area": PLOT, "line": PLOT})
DATA_VISUALIZATION = json_object({"title": string(50), "chart": CHART}, BLOCK_ID)
