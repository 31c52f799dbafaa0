"""`python app.py report --from FILE.csv`: prints the report of an export, as Slack shows it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from blocks.report_charts import report_charts
from blocks.report_summary import METRIC_NAMES, LeftOut, caveats, summary_lines
from blocks.tables_and_charts import home_view
from csat.reporting.database_from_export import open_export
from csat.reporting.export_files import verify_export
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters, Report
from csat.surveys.questions import Metric


async def run(path: Path, metrics: Iterable[Metric]) -> None:
    """Print a report for each metric on an export's period.

    Raises `InvalidExport`, `OSError` or `DatabaseError`.
    """
    manifest = verify_export(path)
    selection = manifest.selection
    left_out = LeftOut(f"{selection.exclude_requester}'s own surveys", None if manifest.left_out else 0)
    async with open_export(path) as database:
        for metric in metrics:
            report = await fetch_report(
                database, Filters(team=selection.team, metric=metric), selection.period, manifest.made_at
            )
            typer.echo("\n".join(_lines(report, left_out)) + "\n")


def _lines(report: Report, left_out: LeftOut) -> Iterator[str]:
    yield f"{METRIC_NAMES[report.filters.metric]}, {report.period.title}"
    rendered = [block.to_dict() for block in summary_lines(report, left_out)]
    in_text = home_view(report_charts(report, left_out), use_fallbacks=True)["blocks"]
    for block in [*rendered, *in_text]:
        yield from _text_lines(block)
    yield from filter(None, caveats(report))


def _text_lines(block: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a block
    """Yield a block's text, a line for each of its parts."""
    if block["type"] in {"rich_text", "rich_text_list", "context"}:
        for element in block["elements"]:
            yield from _text_lines(element)
    elif block["type"] == "rich_text_section":
        yield "".join(map(_text, block["elements"]))
    else:
        yield _text(block)


def _text(element: dict[str, str]) -> str:
    return element.get("text") or element.get("user_id") or element.get("channel_id") or ""
