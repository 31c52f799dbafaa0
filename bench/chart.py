"""Bar charts of the main results, as one SVG."""

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.compared_apps import APPS
from bench.measurement_plan import OPEN_FORM, SEND_SURVEY
from bench.performance_targets import HIGH_CONCURRENCY
from bench.result_statistics import Results, Scenario

LATENCY_MS: Final = 20
"""The charts show the scenarios with this latency, which is closer to reality than none."""

WIDTH: Final = 880
COLUMNS: Final = 2
MARGIN: Final = 24
HEADER_HEIGHT: Final = 84
BAR_HEIGHT: Final = 20
BAR_SPACING: Final = 6
CHART_HEIGHT: Final = 54 + len(APPS) * (BAR_HEIGHT + BAR_SPACING)
LABEL_WIDTH: Final = 156
MAX_BAR_WIDTH: Final = 150

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
    """A bar chart with one value per app."""

    title: str
    better: str
    """`lower` or `higher`."""
    values: dict[str, float]
    """By name of the app."""
    format_value: Callable[[float], str]


def write_chart(folder: Path, results: Results) -> None:
    """Write bench.svg to a folder."""
    (folder / "bench.svg").write_text(render_svg(list(build_charts(results))), encoding="utf-8")


def build_charts(results: Results) -> Iterator[Chart]:
    """Yield the charts, row by row."""
    for title, better, concurrency, field, value_format in (
        ("ack p50, 1 user", "lower", 1, "ack_p50", "{:.1f} ms"),
        (f"end-to-end p99, {HIGH_CONCURRENCY} users", "lower", HIGH_CONCURRENCY, "end_p99", "{:.0f} ms"),
        (f"CPU per op, {HIGH_CONCURRENCY} users", "lower", HIGH_CONCURRENCY, "cpu", "{:.1f} ms"),
        (f"throughput, {HIGH_CONCURRENCY} users", "higher", HIGH_CONCURRENCY, "throughput", "{:.0f}/s"),
    ):
        for workload, name in ((OPEN_FORM, "Open form"), (SEND_SURVEY, "Send survey")):
            scenario = Scenario(workload, LATENCY_MS, concurrency)
            values = {app.name: getattr(results.median(scenario, app.name), field) for app in APPS}
            yield Chart(f"{name}: {title}", better, values, value_format.format)
    memory = {app.name: results.footprints[app.name].peak_memory_mib for app in APPS}
    yield Chart("Peak memory", "lower", memory, "{:.0f} MiB".format)
    starts = {app.name: results.footprints[app.name].start_seconds for app in APPS}
    yield Chart("Time to first ack after start", "lower", starts, "{:.2f} s".format)


def render_svg(charts: list[Chart]) -> str:
    """Return the charts as SVG."""
    height = HEADER_HEIGHT + CHART_HEIGHT * -(-len(charts) // COLUMNS)
    title = "csat-slack compared with Bolt apps"
    note = (
        f"One core each; Slack and X respond after {LATENCY_MS} ms; "
        "all but the plain apps store each survey durably before they acknowledge it"
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>\n{_STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
        _text(MARGIN, 36, title, "title"),
        _text(MARGIN, 58, note, "small"),
    ]
    for number, chart in enumerate(charts):
        row, column = divmod(number, COLUMNS)
        lines += _render_chart(chart, MARGIN + column * WIDTH // COLUMNS, HEADER_HEIGHT + row * CHART_HEIGHT)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _render_chart(chart: Chart, left: int, top: int) -> Iterator[str]:
    yield _text(left, top + 14, f"{chart.title} ({chart.better} is better)", "chart")
    maximum = max(chart.values.values()) or 1
    for number, app in enumerate(APPS):
        value = chart.values[app.name]
        y = top + 24 + number * (BAR_HEIGHT + BAR_SPACING)
        width = max(2, round(MAX_BAR_WIDTH * value / maximum))
        style = "bar ours" if app.is_ours else "bar"
        bar = f'x="{left + LABEL_WIDTH}" y="{y}" width="{width}" height="{BAR_HEIGHT}" rx="3"'
        yield _text(left, y + 15, app.label, "")
        yield f'<rect class="{style}" {bar}/>'
        yield _text(left + LABEL_WIDTH + width + 8, y + 15, chart.format_value(value), "")


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{html.escape(text)}</text>'
