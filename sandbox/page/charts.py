"""Charts as shapes: where everything in a `data_visualization` stands, for the template to draw."""

import math
import textwrap
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Json = dict[str, Any]

WIDTH, HEIGHT = 480, 230
TOP, RIGHT = 18, 10
LETTER = 6.2
"""How wide a letter is, about, in the units of the drawing."""
LINE = 14
TICKS = 5
FILLED = 0.72
"""How much of its place a group of bars takes."""
ROUND = (1, 2, 2.5, 5, 10)
MOST_LINES = 2
RADIUS = 100
HALF = f"A{RADIUS} {RADIUS} 0 1 1"
WHOLE = 0.9999
"""How much of a pie is drawn as all of it."""


@dataclass(frozen=True)
class Tick:
    """A line across the plot, with what it stands for."""

    y: float
    text: str
    is_zero: bool


@dataclass(frozen=True)
class Label:
    """What stands below the plot."""

    x: float
    lines: list[str]


@dataclass(frozen=True)
class Bar:
    """One bar, and its value above it where there is room."""

    series: int
    x: float
    y: float
    width: float
    height: float
    text: str
    text_y: float


@dataclass(frozen=True)
class Curve:
    """The points of one series, from left to right."""

    series: int
    points: list[tuple[float, float]]

    @property
    def path(self) -> str:
        """Write them for a `polyline`."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True)
class Slice:
    """One piece of a pie."""

    series: int
    path: str
    label: str
    text: str
    share: str


class Pie:
    """A pie: its slices, clockwise from the top."""

    kind = "pie"
    size = 2 * RADIUS + 8

    def __init__(self, chart: Json) -> None:
        segments = chart["segments"]
        total = sum(segment["value"] for segment in segments)
        ends = list(accumulate(segment["value"] / total for segment in segments))
        self.slices = [
            Slice(number, _wedge(start, end), it["label"], told(it["value"]), f"{it['value'] / total:.0%}")
            for number, (it, start, end) in enumerate(zip(segments, [0.0, *ends], ends, strict=False))
        ]

    @property
    def numbers(self) -> list[list[str]]:
        """Return the pie as rows of a table, the first its header."""
        return [["Part", "Value", "Share"], *([it.label, it.text, it.share] for it in self.slices)]


class Plot:
    """Bars, lines or areas over categories, from zero up (and down)."""

    width, height, right = WIDTH, HEIGHT, WIDTH - RIGHT
    top = TOP

    def __init__(self, chart: Json) -> None:
        self.kind = str(chart["type"])
        axes = chart["axis_config"]
        self.categories: list[str] = axes["categories"]
        self.x_label, self.y_label = axes.get("x_label", ""), axes.get("y_label", "")
        self.names = [series["name"] for series in chart["series"]]
        self.values = [[point["value"] for point in series["data"]] for series in chart["series"]]
        self._steps = steps([value for series in self.values for value in series])
        widest = max(len(told(step)) for step in self._steps)
        self.left = 10 + widest * LETTER + (LINE if self.y_label else 0)
        self.slot = (WIDTH - RIGHT - self.left) / len(self.categories)
        every, lines = _lines(self.categories, self.slot)
        self.bottom = HEIGHT - 8 - max(map(len, lines)) * LINE - (LINE + 4 if self.x_label else 0)
        self.labels = [Label(self.x(at), lines[at]) for at in range(0, len(lines), every)]

    @property
    def ticks(self) -> list[Tick]:
        """Return the lines across, from below."""
        return [Tick(self.y(step), told(step), step == 0) for step in self._steps]

    @property
    def bars(self) -> list[Bar]:
        """Return the bars of a bar chart, grouped by category."""
        width = self.slot * FILLED / len(self.values)
        return [
            self._bar(number, self.x(at) - self.slot * FILLED / 2 + number * width, width, value)
            for number, values in enumerate(self.values)
            for at, value in enumerate(values)
        ]

    @property
    def curves(self) -> list[Curve]:
        """Return the series as curves."""
        return [
            Curve(number, [(self.x(at), self.y(value)) for at, value in enumerate(values)])
            for number, values in enumerate(self.values)
        ]

    @property
    def numbers(self) -> list[list[str]]:
        """Return the plot as rows of a table, the first its header."""
        columns = zip(*self.values, strict=True)
        rows = zip(self.categories, columns, strict=True)
        return [[self.x_label or "Category", *self.names], *([name, *map(told, row)] for name, row in rows)]

    def x(self, at: int) -> float:
        """Return the middle of a category's place."""
        return self.left + self.slot * (at + 0.5)

    def y(self, value: float) -> float:
        """Return how far down a value stands."""
        lowest, highest = self._steps[0], self._steps[-1]
        return self.bottom - (value - lowest) / (highest - lowest) * (self.bottom - TOP)

    def _bar(self, series: int, x: float, width: float, value: float) -> Bar:
        ends = sorted((self.y(value), self.y(0)))
        text = told(value)
        shown = text if len(text) * LETTER <= max(width, self.slot * FILLED / len(self.values) + 4) else ""
        beside = ends[0] - 4 if value >= 0 else ends[1] + LINE - 2
        return Bar(series, x, ends[0], max(width - 1, 1), ends[1] - ends[0], shown, beside)


def drawn(chart: Json) -> Pie | Plot:
    """Lay a chart out."""
    return Pie(chart) if chart["type"] == "pie" else Plot(chart)


def told(value: float) -> str:
    """Write a number as people do: 1,200 or 4.25."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}".rstrip("0")


def steps(values: list[float]) -> list[float]:
    """Return round numbers in even steps that span the values, and zero with them."""
    lowest, highest = min(0, *values), max(0, *values)
    step = _round_up((highest - lowest or 1) / TICKS)
    if all(value == int(value) for value in values):
        step = max(1, math.ceil(step))
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _round_up(step: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in ROUND if factor * power >= step * 0.999)


def _lines(categories: list[str], slot: float) -> tuple[int, list[list[str]]]:
    """Return every how many categories one is named, and the lines of each: all, in two, if they fit."""
    width = max(1, int(slot / LETTER) - 1)
    wrapped = [textwrap.wrap(name, width, break_long_words=False) or [name] for name in categories]
    if all(len(lines) <= MOST_LINES and max(map(len, lines)) <= width for lines in wrapped):
        return 1, wrapped
    longest = max(map(len, categories)) + 1
    return math.ceil(longest * LETTER / slot), [[name] for name in categories]


def _wedge(start: float, end: float) -> str:
    """Write the outline of a slice; a whole pie is two halves, or nothing would be drawn."""
    if end - start > WHOLE:
        return f"M{Pie.size / 2} 4{HALF} {Pie.size / 2} {Pie.size - 4}{HALF} {Pie.size / 2} 4Z"
    (x1, y1), (x2, y2) = _on_circle(start), _on_circle(end)
    large = int(end - start > 1 / 2)
    middle = Pie.size / 2
    return f"M{middle} {middle}L{x1:.2f} {y1:.2f}A{RADIUS} {RADIUS} 0 {large} 1 {x2:.2f} {y2:.2f}Z"


def _on_circle(turn: float) -> tuple[float, float]:
    angle = 2 * math.pi * turn
    return Pie.size / 2 + RADIUS * math.sin(angle), Pie.size / 2 - RADIUS * math.cos(angle)
