"""`python app.py report --from FILE.csv`: prints the report of an export, as Slack shows it."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer

from blocks.report_charts import report_charts
from blocks.report_summary import LeftOut, caveats, report_title, summary_lines
from blocks.tables_and_charts import home_view
from csat.english_dates import format_day
from csat.reporting.database_from_export import open_export
from csat.reporting.export_files import verify_export
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters, Report
from csat.surveys.questions import Metric
from csat.surveys.transports import TransportName

LEAVES_OUT: Final = "The file leaves out {number} of {whose}, CSAT and NPS, tests included.\n"


async def run(path: Path, metrics: Iterable[Metric], transport: TransportName | None) -> None:
    """Print a report for each metric on an export's period, for all transports or one.

    Raises `InvalidExport`, `OSError` or `DatabaseError`.
    """
    manifest = verify_export(path)
    selection, made_on = (
        manifest.selection,
        format_day(manifest.made_at.astimezone(manifest.selection.period.zone)),
    )
    async with open_export(path) as (database, names):
        whose = f"{names.get(selection.exclude_requester, 'a supervisor')}'s own surveys"
        if manifest.left_out:
            typer.echo(LEAVES_OUT.format(number=f"{manifest.left_out:,}", whose=whose))
        left_out = LeftOut(whose, None if manifest.left_out else 0)
        for metric in metrics:
            filters = Filters(team=selection.team, metric=metric, transport=transport)
            report = await fetch_report(database, filters, selection.period, manifest.made_at)
            report = report.model_copy(update={"data_begin": selection.period.first})
            typer.echo(f"{report_title(report)}, as of {made_on}")
            typer.echo("\n".join(_lines(report, left_out, names)) + "\n")


def _lines(report: Report, left_out: LeftOut, names: Mapping[str, str]) -> Iterator[str]:
    rendered = [block.to_dict() for block in summary_lines(report, left_out)]
    in_text = home_view(report_charts(report, left_out), use_fallbacks=True)["blocks"]
    for block in [*rendered, *in_text]:
        yield from _text_lines(block, names)
    yield from filter(None, caveats(report))


def _text_lines(block: Any, names: Mapping[str, str]) -> Iterator[str]:  # noqa: ANN401 - any part of a block
    """Yield a block's text, a line for each of its parts."""
    if block["type"] in {"rich_text", "rich_text_list", "context"}:
        for element in block["elements"]:
            yield from _text_lines(element, names)
    elif block["type"] == "rich_text_section":
        yield "".join(_text(element, names) for element in block["elements"])
    else:
        yield _text(block, names)


def _text(element: dict[str, str], names: Mapping[str, str]) -> str:
    if user := element.get("user_id"):
        return names.get(user, user)
    if channel := element.get("channel_id"):
        return f"#{names[channel]}" if channel in names else channel
    return element.get("text", "")
