"""Layout of charts: the coordinates of every shape in a `data_visualization`."""

import math
import textwrap
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Json = dict[str, Any]

WIDTH, HEIGHT = 480, 230
TOP, RIGHT = 18, 10
CHARACTER_WIDTH = 6.2
"""Approximate width of a character, in SVG units."""
LINE_HEIGHT = 14
MAX_STEPS = 5
BAR_GROUP_RATIO = 0.72
"""Width of a group of bars relative to its category."""
ROUND_STEPS = (1, 2, 2.5, 5, 10)
MAX_LABEL_LINES = 2
RADIUS = 100
HALF_CIRCLE = f"A{RADIUS} {RADIUS} 0 1 1"
FULL_CIRCLE_SHARE = 0.9999
"""Share above which a slice is drawn as a full circle."""


@dataclass(frozen=True)
class Tick:
    """A horizontal grid line with its value."""

    y: float
    text: str
    is_zero: bool


@dataclass(frozen=True)
class Label:
    """A category label below the plot."""

    x: float
    lines: list[str]


@dataclass(frozen=True)
class Bar:
    """A bar, with its value if it fits."""

    series: int
    x: float
    y: float
    width: float
    height: float
    text: str
    text_y: float


@dataclass(frozen=True)
class Curve:
    """The points of a series, from left to right."""

    series: int
    points: list[tuple[float, float]]

    @property
    def path(self) -> str:
        """The points in the format of an SVG `polyline`."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True)
class Slice:
    """A slice of a pie."""

    series: int
    path: str
    label: str
    text: str
    share: str


class Pie:
    """A pie chart; slices are clockwise from the top."""

    kind = "pie"
    size = 2 * RADIUS + 8

    def __init__(self, chart: Json) -> None:
        segments = chart["segments"]
        total = sum(segment["value"] for segment in segments)
        ends = list(accumulate(segment["value"] / total for segment in segments))
        self.slices = [
            Slice(
                number,
                _slice_path(start, end),
                segment["label"],
                format_number(segment["value"]),
                f"{segment['value'] / total:.0%}",
            )
            for number, (segment, start, end) in enumerate(zip(segments, [0.0, *ends], ends, strict=False))
        ]

    @property
    def table(self) -> list[list[str]]:
        """The data as rows of a table, starting with the header."""
        return [
            ["Segment", "Value", "Share"],
            *([piece.label, piece.text, piece.share] for piece in self.slices),
        ]


class Plot:
    """A bar, line or area chart over categories."""

    width, height, right = WIDTH, HEIGHT, WIDTH - RIGHT
    top = TOP

    def __init__(self, chart: Json) -> None:
        self.kind = str(chart["type"])
        axes = chart["axis_config"]
        self.categories: list[str] = axes["categories"]
        self.x_label, self.y_label = axes.get("x_label", ""), axes.get("y_label", "")
        self.names = [series["name"] for series in chart["series"]]
        self.values = [[point["value"] for point in series["data"]] for series in chart["series"]]
        self._steps = axis_steps([value for series in self.values for value in series])
        widest = max(len(format_number(step)) for step in self._steps)
        self.left = 10 + widest * CHARACTER_WIDTH + (LINE_HEIGHT if self.y_label else 0)
        self.category_width = (WIDTH - RIGHT - self.left) / len(self.categories)
        interval, lines = _wrap_labels(self.categories, self.category_width)
        self.bottom = (
            HEIGHT - 8 - max(map(len, lines)) * LINE_HEIGHT - (LINE_HEIGHT + 4 if self.x_label else 0)
        )
        self.labels = [Label(self.x(index), lines[index]) for index in range(0, len(lines), interval)]

    @property
    def ticks(self) -> list[Tick]:
        """The grid lines, from bottom to top."""
        return [Tick(self.y(step), format_number(step), step == 0) for step in self._steps]

    @property
    def bars(self) -> list[Bar]:
        """The bars of a bar chart, grouped by category."""
        group_width = self.category_width * BAR_GROUP_RATIO
        width = group_width / len(self.values)
        return [
            self._build_bar(series, self.x(index) - group_width / 2 + series * width, width, value)
            for series, values in enumerate(self.values)
            for index, value in enumerate(values)
        ]

    @property
    def curves(self) -> list[Curve]:
        """The series of a line or area chart."""
        return [
            Curve(series, [(self.x(index), self.y(value)) for index, value in enumerate(values)])
            for series, values in enumerate(self.values)
        ]

    @property
    def table(self) -> list[list[str]]:
        """The data as rows of a table, starting with the header."""
        columns = zip(*self.values, strict=True)
        rows = zip(self.categories, columns, strict=True)
        header = [self.x_label or "Category", *self.names]
        return [header, *([name, *map(format_number, row)] for name, row in rows)]

    def x(self, index: int) -> float:
        """Return the horizontal center of a category."""
        return self.left + self.category_width * (index + 0.5)

    def y(self, value: float) -> float:
        """Return the vertical position of a value."""
        lowest, highest = self._steps[0], self._steps[-1]
        return self.bottom - (value - lowest) / (highest - lowest) * (self.bottom - TOP)

    def _build_bar(self, series: int, x: float, width: float, value: float) -> Bar:
        top, bottom = sorted((self.y(value), self.y(0)))
        text = format_number(value)
        fits = len(text) * CHARACTER_WIDTH <= width + 4
        text_y = top - 4 if value >= 0 else bottom + LINE_HEIGHT - 2
        return Bar(series, x, top, max(width - 1, 1), bottom - top, text if fits else "", text_y)


def build_chart(chart: Json) -> Pie | Plot:
    """Return the layout of a chart."""
    return Pie(chart) if chart["type"] == "pie" else Plot(chart)


def format_number(value: float) -> str:
    """Format a number: 1,200 or 4.25."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}".rstrip("0")


def axis_steps(values: list[float]) -> list[float]:
    """Return round, evenly spaced numbers that include zero and all values."""
    lowest, highest = min(0, *values), max(0, *values)
    step = _round_up_step((highest - lowest or 1) / MAX_STEPS)
    if all(value == int(value) for value in values):
        step = max(1, math.ceil(step))
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _round_up_step(step: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in ROUND_STEPS if factor * power >= step * 0.999)


def _wrap_labels(categories: list[str], category_width: float) -> tuple[int, list[list[str]]]:
    """Return the interval between labeled categories, and the lines of each label.

    All categories are labeled if their labels fit into two lines.
    """
    width = max(1, int(category_width / CHARACTER_WIDTH) - 1)
    wrapped = [textwrap.wrap(name, width, break_long_words=False) or [name] for name in categories]
    if all(len(lines) <= MAX_LABEL_LINES and max(map(len, lines)) <= width for lines in wrapped):
        return 1, wrapped
    longest = max(map(len, categories)) + 1
    return math.ceil(longest * CHARACTER_WIDTH / category_width), [[name] for name in categories]


def _slice_path(start: float, end: float) -> str:
    """Return the SVG path of a slice; a full circle consists of two arcs, as one would be empty."""
    if end - start > FULL_CIRCLE_SHARE:
        return f"M{Pie.size / 2} 4{HALF_CIRCLE} {Pie.size / 2} {Pie.size - 4}{HALF_CIRCLE} {Pie.size / 2} 4Z"
    (x1, y1), (x2, y2) = _point_on_circle(start), _point_on_circle(end)
    large = int(end - start > 1 / 2)
    center = Pie.size / 2
    return f"M{center} {center}L{x1:.2f} {y1:.2f}A{RADIUS} {RADIUS} 0 {large} 1 {x2:.2f} {y2:.2f}Z"


def _point_on_circle(turn: float) -> tuple[float, float]:
    angle = 2 * math.pi * turn
    return Pie.size / 2 + RADIUS * math.sin(angle), Pie.size / 2 - RADIUS * math.cos(angle)
