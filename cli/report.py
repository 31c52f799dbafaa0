"""`python app.py report --from FILE.csv`: the figures of an export, as Slack shows those of the ledger."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from blocks import charts
from blocks.report_charts import report_charts
from blocks.report_summary import METRIC_NAMES, caveats, summary_lines
from csat.reporting.export_database import open_export
from csat.reporting.exports import verify_export
from csat.reporting.report_builder import fetch_report
from csat.reporting.reports import Filters, Report
from csat.surveys.questions import Metric


async def run(path: Path, metrics: Iterable[Metric]) -> None:
    """Print a report for each metric on an export's period.

    Raises `InvalidExport`, `OSError` or `DatabaseError`.
    """
    selection = verify_export(path).selection
    async with open_export(path) as database:
        for metric in metrics:
            report = await fetch_report(
                database, Filters(team=selection.team, metric=metric), selection.period
            )
            typer.echo("\n".join(_lines(report)) + "\n")


def _lines(report: Report) -> Iterator[str]:
    yield f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}"
    rendered = [block.to_dict() for block in summary_lines(report)]
    in_words = charts.home_view(report_charts(report), use_fallbacks=True)["blocks"]
    for block in [*rendered, *in_words]:
        yield from _said(block)
    yield from filter(None, caveats(report))


def _said(block: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a block
    """Yield what a block says, a line for each of its parts."""
    if block["type"] in {"rich_text", "rich_text_list", "context"}:
        for element in block["elements"]:
            yield from _said(element)
    elif block["type"] == "rich_text_section":
        yield "".join(map(_words, block["elements"]))
    else:
        yield _words(block)


def _words(element: dict[str, str]) -> str:
    return element.get("text") or element.get("user_id") or element.get("channel_id") or ""
