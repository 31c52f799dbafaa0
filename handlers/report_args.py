"""Parse the arguments of `/csat report`: a metric, a period and a transport, in any order."""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from csat.reporting.periods import InvalidPeriod, Period, parse_period
from csat.surveys.questions import Metric
from csat.surveys.recipients import INVISIBLE_CHARACTERS
from csat.surveys.transports import FACTS, TransportName
from handlers.command_args import InvalidArguments

TRANSPORT_WORDS: Final = {facts.report_word: name for name, facts in FACTS.items()}
*_FIRST_WORDS, _LAST_WORD = TRANSPORT_WORDS
SEVERAL_TRANSPORTS = f"Choose {', '.join(_FIRST_WORDS)} or {_LAST_WORD}, or none for all."
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
    transport: TransportName | None = None
    """`None` for all."""


def parse_report_args(text: str, now: datetime, timezone: ZoneInfo) -> ReportArgs:
    """Return the arguments, by default CSAT, 30 days and all transports; raises `InvalidArguments`."""
    words = [word.strip(",;") for word in INVISIBLE_CHARACTERS.sub("", text).split()]
    metrics = {Metric(word.lower()) for word in words if _is_metric(word)}
    if len(metrics) > 1:
        raise InvalidArguments(f"Choose one score: csat or nps. {EXAMPLE}")
    transports = {TRANSPORT_WORDS[word.lower()] for word in words if _is_transport(word)}
    if len(transports) > 1:
        raise InvalidArguments(f"{SEVERAL_TRANSPORTS} {EXAMPLE}")
    if any(word.startswith(("@", "#", "<")) for word in words):
        raise InvalidArguments(f"{FILTERS} {EXAMPLE}")
    typed_period = " ".join(word for word in words if not (_is_metric(word) or _is_transport(word)))
    try:
        period = parse_period(typed_period or DEFAULT_PERIOD, now, timezone)
    except InvalidPeriod as problem:
        raise InvalidArguments(f"{problem} {EXAMPLE}") from problem
    return ReportArgs(next(iter(metrics), Metric.CSAT), period, next(iter(transports), None))


def _is_metric(word: str) -> bool:
    return word.lower() in list(Metric)


def _is_transport(word: str) -> bool:
    return word.lower() in TRANSPORT_WORDS
