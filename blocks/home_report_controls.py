"""The controls in App Home with which a supervisor chooses a report: built, and their choices applied."""

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

from blocks.block_json import BlockDict, render
from blocks.form_inputs import question_options
from csat.reporting.home_report_choices import CUSTOM_PERIOD, PERIOD_DAYS, ReportQuery
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.transports import FACTS, TransportName


class ActionId(StrEnum):
    """The controls' action ids; Slack keeps a control's value as long as it and its block keep their ids."""

    PERIOD = "home_period"
    METRIC = "home_metric"
    SINCE = "home_since"
    UNTIL = "home_until"
    CHANNEL = "home_channel"
    AGENT = "home_agent"
    VARIANT = "home_variant"
    TRANSPORT = "home_transport"
    CLEAR = "home_clear"
    REFRESH = "home_refresh"


MAX_OPTIONS: Final = 100
ALL: Final = "all"
ALL_QUESTIONS: Final[BlockDict] = Option(value=ALL, text="All questions").to_dict()
ALL_TRANSPORTS: Final = Option(value=ALL, text="Sent in any way")

_DAYS: Final = {
    days: Option(value=str(days), text=f"Last {days} days") for days in PERIOD_DAYS if days != CUSTOM_PERIOD
}
_PERIODS: Final = {**_DAYS, CUSTOM_PERIOD: Option(value=str(CUSTOM_PERIOD), text="Between two dates")}
_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ActionId.SINCE: "since",
        ActionId.UNTIL: "until",
        ActionId.CHANNEL: "channel",
        ActionId.AGENT: "agent",
        ActionId.VARIANT: "variant",
        ActionId.TRANSPORT: "transport",
    }
)
_METRICS: Final = {metric: Option(value=metric, text=metric.upper()) for metric in Metric}
_TRANSPORTS: Final[Mapping[TransportName | None, Option]] = {
    None: ALL_TRANSPORTS,
    **{name: Option(value=name, text=f"Sent as {facts.noun}") for name, facts in FACTS.items()},
}


def report_controls(query: ReportQuery, catalogue: Catalogue, *, has_transports: bool) -> Iterator[BlockDict]:
    """Yield two rows of controls, or three if the period is chosen by its dates.

    Without several transports to choose from, there is no choice of one.
    """
    yield _row(
        "home_period",
        _select(ActionId.PERIOD, "Period", list(_PERIODS.values()), _PERIODS[query.days]),
        _select(ActionId.METRIC, "Score", list(_METRICS.values()), _METRICS[query.metric]),
        ButtonElement(action_id=ActionId.REFRESH, text="Refresh"),
    )
    if query.days == CUSTOM_PERIOD:
        # an id of their own for each pair: Slack would go on showing days that were chosen before
        yield _row(
            f"home_dates:{query.since}:{query.until}",
            _date_picker(ActionId.SINCE, "First day", query.since),
            _date_picker(ActionId.UNTIL, "Last day", query.until),
        )
    filters: list[InteractiveElement] = [
        _channel_select(query),
        _agent_select(query),
        _question_select(query, catalogue),
    ]
    if has_transports:
        options = list(_TRANSPORTS.values())
        filters.append(_select(ActionId.TRANSPORT, "Sent as", options, _TRANSPORTS[query.transport]))
    if query.has_filters:
        filters.append(ButtonElement(action_id=ActionId.CLEAR, text="Clear filters"))
    yield _row(f"home_filters:{query.metric}:{query.cleared}", *filters)


def apply_choice(query: ReportQuery, action_id: str, value: str, today: date) -> ReportQuery:
    """Return the query after a control was used, unchanged if the choice is not valid."""
    match action_id:
        case ActionId.PERIOD:
            return _choose_period(query, value, today)
        case ActionId.METRIC:
            return query.with_changes(metric=value, variant=None)
        case ActionId.VARIANT | ActionId.TRANSPORT:
            return query.with_changes(**{_FIELDS[action_id]: None if value == ALL else value})
        case ActionId.CLEAR:
            return query.with_changes(
                channel="", agent="", variant=None, transport=None, cleared=query.cleared + 1
            )
    return query.with_changes(**{_FIELDS[action_id]: value}) if action_id in _FIELDS else query


def _choose_period(query: ReportQuery, days: str, today: date) -> ReportQuery:
    if days != str(CUSTOM_PERIOD):
        return query.with_changes(days=days)
    if query.days == CUSTOM_PERIOD:
        return query
    first = today - timedelta(days=query.days - 1)
    return query.with_changes(days=CUSTOM_PERIOD, since=first, until=today)


def _row(block_id: str, *elements: InteractiveElement) -> BlockDict:
    return render(ActionsBlock(block_id=block_id, elements=list(elements)))


def _select(
    action_id: str, placeholder: str, options: Sequence[Option | BlockDict], initial: Option | BlockDict
) -> StaticSelectElement:
    return StaticSelectElement(
        action_id=action_id, placeholder=placeholder, options=options, initial_option=initial
    )


def _date_picker(action_id: str, placeholder: str, day: date | None) -> DatePickerElement:
    return DatePickerElement(
        action_id=action_id, placeholder=placeholder, initial_date=day.isoformat() if day else None
    )


def _channel_select(query: ReportQuery) -> ConversationSelectElement:
    return ConversationSelectElement(
        action_id=ActionId.CHANNEL,
        placeholder="All channels",
        initial_conversation=query.channel or None,
        filter=ConversationFilter(include=["public", "private"], exclude_bot_users=True),
    )


def _agent_select(query: ReportQuery) -> UserSelectElement:
    return UserSelectElement(
        action_id=ActionId.AGENT, placeholder="All agents", initial_user=query.agent or None
    )


def _question_select(query: ReportQuery, catalogue: Catalogue) -> StaticSelectElement:
    by_variant = question_options(catalogue.variants(query.metric))
    options = [ALL_QUESTIONS, *by_variant.values()][:MAX_OPTIONS]
    selected = ALL_QUESTIONS if query.variant is None else by_variant.get(query.variant, ALL_QUESTIONS)
    initial = selected if selected in options else ALL_QUESTIONS
    return _select(ActionId.VARIANT, "Question", options, initial)
