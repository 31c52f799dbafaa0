"""Parse the arguments of `/csat report`: a metric and a period, in any order."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from csat.reporting.periods import InvalidPeriod, Period, parse_period
from csat.surveys.questions import Metric
from csat.surveys.recipients import INVISIBLE_CHARACTERS
from handlers.command_args import InvalidArguments

DEFAULT_PERIOD = "30d"
EXAMPLE = "For example: /csat report 30d nps"
FILTERS = (
    "/csat report covers all agents, channels and questions. "
    "To see one of them, choose it in this app's Home."
)


class ReportArgs(NamedTuple):
    """Which report to send."""

    metric: Metric
    period: Period


def parse_report_args(text: str, now: datetime, timezone: ZoneInfo) -> ReportArgs:
    """Return the arguments, by default CSAT and 30 days; raises `InvalidArguments`."""
    words = [word.strip(",;") for word in INVISIBLE_CHARACTERS.sub("", text).split()]
    metrics = {Metric(word.lower()) for word in words if _is_metric(word)}
    if len(metrics) > 1:
        raise InvalidArguments(f"Choose one score: csat or nps. {EXAMPLE}")
    if any(word.startswith(("@", "#", "<")) for word in words):
        raise InvalidArguments(f"{FILTERS} {EXAMPLE}")
    typed_period = " ".join(word for word in words if not _is_metric(word))
    try:
        period = parse_period(typed_period or DEFAULT_PERIOD, now, timezone)
    except InvalidPeriod as problem:
        raise InvalidArguments(f"{problem} {EXAMPLE}") from problem
    return ReportArgs(next(iter(metrics), Metric.CSAT), period)


def _is_metric(word: str) -> bool:
    return word.lower() in list(Metric)
