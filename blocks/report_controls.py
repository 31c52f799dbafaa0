"""What a supervisor chooses from in their Home: built, and read back, with the ids that both sides share."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    ButtonElement,
    ConversationFilter,
    ConversationSelectElement,
    DatePickerElement,
    InteractiveElement,
    Option,
    StaticSelectElement,
    UserSelectElement,
)

from blocks.form_fields import BlockDict, question_options
from csat.reporting.periods import Period
from csat.reporting.report_query import CUSTOM, DAYS, ReportQuery
from csat.surveys.questions import Catalogue, Metric


class ActionId(StrEnum):
    """Action ids; their blocks have ids too, since Slack keeps what is chosen while those stay the same."""

    PERIOD = "home_period"
    METRIC = "home_metric"
    SINCE = "home_since"
    UNTIL = "home_until"
    CHANNEL = "home_channel"
    AGENT = "home_agent"
    VARIANT = "home_variant"
    CLEAR = "home_clear"
    REFRESH = "home_refresh"


MAX_OPTIONS: Final = 100
ALL_QUESTIONS: Final = Option(value="all", text="All questions")

_DAYS: Final = {days: Option(value=str(days), text=f"Last {days} days") for days in DAYS if days != CUSTOM}
_PERIODS: Final = {**_DAYS, CUSTOM: Option(value=str(CUSTOM), text="Between two dates")}
_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {ActionId.SINCE: "since", ActionId.UNTIL: "until", ActionId.CHANNEL: "channel", ActionId.AGENT: "agent"}
)
_METRICS: Final = {metric: Option(value=metric, text=metric.upper()) for metric in Metric}


def report_controls(choices: ReportQuery, period: Period, catalogue: Catalogue) -> Iterator[BlockDict]:
    """Yield what can be chosen, with what is chosen in it; in three rows at most."""
    yield _row(
        "home_period",
        _select(ActionId.PERIOD, "Period", list(_PERIODS.values()), _PERIODS[choices.days]),
        _select(ActionId.METRIC, "Score", list(_METRICS.values()), _METRICS[choices.metric]),
        ButtonElement(action_id=ActionId.REFRESH, text="Refresh"),
    )
    if choices.days == CUSTOM:
        yield _row("home_dates", *_dates(choices, period))
    clear = [ButtonElement(action_id=ActionId.CLEAR, text="Clear filters")] if choices.filtered else []
    filters = f"home_filters:{choices.metric}:{choices.cleared}"
    yield _row(filters, _channel(choices), _agent(choices), _question(choices, catalogue), *clear)


def apply_choice(choices: ReportQuery, action_id: str, value: str, today: date) -> ReportQuery:
    """Return the choices after one of them was changed; the same where it can't be."""
    match action_id:
        case ActionId.PERIOD if value == str(CUSTOM):
            first = today - timedelta(days=choices.days - 1)
            return choices if choices.days == CUSTOM else choices.with_(days=CUSTOM, since=first, until=today)
        case ActionId.PERIOD:
            return choices.with_(days=value)
        case ActionId.METRIC:
            return choices.with_(metric=value, variant=None)
        case ActionId.VARIANT:
            return choices.with_(variant=None if value == ALL_QUESTIONS.value else value)
        case ActionId.CLEAR:
            return choices.with_(channel="", agent="", variant=None, cleared=choices.cleared + 1)
    return choices.with_(**{_FIELDS[action_id]: value}) if action_id in _FIELDS else choices


def _row(block_id: str, *elements: InteractiveElement) -> BlockDict:
    rendered: BlockDict = ActionsBlock(block_id=block_id, elements=list(elements)).to_dict()
    return rendered


def _select(action_id: str, name: str, options: Sequence[Option], initial: Option) -> StaticSelectElement:
    return StaticSelectElement(action_id=action_id, placeholder=name, options=options, initial_option=initial)


def _dates(choices: ReportQuery, period: Period) -> Iterator[DatePickerElement]:
    first, last = choices.since or period.first, choices.until or period.last
    yield DatePickerElement(action_id=ActionId.SINCE, placeholder="First day", initial_date=first.isoformat())
    yield DatePickerElement(action_id=ActionId.UNTIL, placeholder="Last day", initial_date=last.isoformat())


def _channel(choices: ReportQuery) -> ConversationSelectElement:
    return ConversationSelectElement(
        action_id=ActionId.CHANNEL,
        placeholder="All channels",
        initial_conversation=choices.channel or None,
        filter=ConversationFilter(include=["public", "private"], exclude_bot_users=True),
    )


def _agent(choices: ReportQuery) -> UserSelectElement:
    return UserSelectElement(
        action_id=ActionId.AGENT, placeholder="All agents", initial_user=choices.agent or None
    )


def _question(choices: ReportQuery, catalogue: Catalogue) -> StaticSelectElement:
    options = question_options(catalogue, choices.metric)
    offered = [ALL_QUESTIONS, *options.values()][:MAX_OPTIONS]
    initial = options.get(choices.variant, ALL_QUESTIONS) if choices.variant is not None else ALL_QUESTIONS
    return _select(ActionId.VARIANT, "Question", offered, initial if initial in offered else ALL_QUESTIONS)
