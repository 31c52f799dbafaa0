"""The words of `/csat report`: which score, of which days, in any order."""

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from csat.reporting.periods import InvalidPeriod, Period, parse_period
from csat.surveys.questions import Metric
from csat.surveys.recipients import INVISIBLE_CHARACTERS
from handlers.command_args import InvalidArguments

USUAL = "30d"
EXAMPLE = f"/csat report {USUAL} nps"


class ReportArgs(NamedTuple):
    """Which report somebody asks for."""

    metric: Metric
    period: Period


def parse_report_args(text: str, now: datetime, zone: ZoneInfo) -> ReportArgs:
    """Read what follows `/csat report`: nothing means CSAT of 30 days; raises `InvalidArguments`."""
    words = [word.strip(",;") for word in INVISIBLE_CHARACTERS.sub("", text).split()]
    metrics = {Metric(word.lower()) for word in words if _names_metric(word)}
    if len(metrics) > 1:
        raise InvalidArguments(f"Name one score only, csat or nps. For example: {EXAMPLE}")
    days = " ".join(word for word in words if not _names_metric(word))
    try:
        period = parse_period(days or USUAL, now, zone)
    except InvalidPeriod as problem:
        raise InvalidArguments(f"{problem} For example: {EXAMPLE}") from problem
    return ReportArgs(next(iter(metrics), Metric.CSAT), period)


def _names_metric(word: str) -> bool:
    return word.lower() in list(Metric)
