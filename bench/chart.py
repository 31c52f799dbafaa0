"""The figures as a picture: a small chart for each of them, with a bar for each app."""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.apps import APPS, OURS
from bench.runner import SLASH, SUBMIT
from bench.stats import Cell, Figures, Results
from bench.targets import MANY

LATENCY: Final = 20
"""What is drawn was measured with Slack and X answering after so many milliseconds, as from afar."""

WIDTH: Final = 880
COLUMNS: Final = 2
MARGIN: Final = 24
HEAD: Final = 84
CHART: Final = 132
"""The height of a chart with the room below it."""
BAR: Final = 20
NAMES: Final = 112
"""The width that the apps' names take."""
LONGEST: Final = 190

_STYLE: Final = """\
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 17px; font-weight: 600 }
.chart { font-weight: 600 }
.small { fill: #59636e }
.paper { fill: #ffffff }
.bar { fill: #b6bec7 }
.ours { fill: #1a7f64 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small { fill: #9198a1 }
  .paper { fill: #0d1117 }
  .bar { fill: #545d68 }
  .ours { fill: #3fb990 }
}"""


@dataclass(frozen=True)
class Chart:
    """One figure of all the apps."""

    title: str
    better: str
    figures: dict[str, float]
    """By app."""
    form: Callable[[float], str]


def write(folder: Path, results: Results) -> None:
    """Draw the figures into a folder."""
    (folder / "bench.svg").write_text(drawn(list(charts(results))), encoding="utf-8")


def charts(results: Results) -> Iterator[Chart]:
    """Yield what is drawn, row by row."""
    for title, better, concurrency, figure, form in (
        ("acknowledged", "less", 1, "ack_p50", "{:.1f} ms"),
        ("through, p99 of 64 at a time", "less", MANY, "end_p99", "{:.0f} ms"),
        ("CPU for each", "less", MANY, "cpu", "{:.1f} ms"),
        ("each second, 64 at a time", "more", MANY, "per_second", "{:.0f}"),
    ):
        for workload, what in ((SLASH, "Form"), (SUBMIT, "Survey")):
            cell = Cell(workload, LATENCY, concurrency)
            figures = {app.name: _figure(results.of(cell, app.name), figure) for app in APPS}
            yield Chart(f"{what}: {title}", better, figures, form.format)
    footprints = results.footprints
    memory = {app.name: footprints[app.name].peak_memory for app in APPS}
    yield Chart("Peak memory", "less", memory, "{:.0f} MiB".format)
    starts = {app.name: footprints[app.name].start for app in APPS}
    yield Chart("Start to first acknowledgement", "less", starts, "{:.2f} s".format)


def drawn(them: list[Chart]) -> str:
    """Return the charts as SVG."""
    height = HEAD + CHART * -(-len(them) // COLUMNS)
    title = "csat-slack beside plain Bolt apps"
    note = (
        f"One core each; Slack and X answer after {LATENCY} ms; csat-slack alone keeps every survey on disk"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
        _text(MARGIN, 36, title, "title"),
        _text(MARGIN, 58, note, "small"),
    ]
    for number, chart in enumerate(them):
        row, column = divmod(number, COLUMNS)
        lines += _chart(chart, MARGIN + column * WIDTH // COLUMNS, HEAD + row * CHART)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _chart(chart: Chart, left: int, top: int) -> Iterator[str]:
    yield _text(left, top + 14, f"{chart.title} ({chart.better} is better)", "chart")
    most = max(chart.figures.values()) or 1
    for number, app in enumerate(APPS):
        figure = chart.figures[app.name]
        y = top + 24 + number * (BAR + 6)
        length = max(2, round(LONGEST * figure / most))
        kind = "bar ours" if app is OURS else "bar"
        yield _text(left, y + 15, app.label, "")
        yield f'<rect class="{kind}" x="{left + NAMES}" y="{y}" width="{length}" height="{BAR}" rx="3"/>'
        yield _text(left + NAMES + length + 8, y + 15, chart.form(figure), "")


def _text(x: int, y: int, words: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{html.escape(words)}</text>'


def _figure(figures: Figures, name: str) -> float:
    figure: float = getattr(figures, name)
    return figure
