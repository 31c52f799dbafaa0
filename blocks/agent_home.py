"""The App Home of an agent: their own surveys and the states of these, without the answers."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from slack_sdk.models.blocks import RichTextElement, RichTextElementParts

from blocks.block_json import BlockDict, render
from blocks.customer_status import CHECK_CUSTOMER, DISOWNED, STATE_LABELS
from blocks.elements import (
    DATE_AND_TIME_FIRST,
    bullet_list,
    context,
    header,
    numbered_list,
    one_line,
    recipient_link,
    rich_line,
    text,
    timestamp,
    truncate_line,
)
from blocks.help import introduction, name_example, shortcut_hint
from csat.reporting.formatting import pluralize
from csat.reporting.report_model import OwnCounts
from csat.surveys.networks import Network
from csat.surveys.states import State
from csat.surveys.survey import Survey

MAX_REMARK_LENGTH: Final = 150

COUNT_LABELS: Final = {
    State.SENT: "waiting for an answer",
    **{state: STATE_LABELS[state] for state in (State.ANSWERED, State.EXPIRED)},
    **{state: label for state, label in STATE_LABELS.items() if state is not State.SENT},
}
"""First those of surveys that were sent."""

NAME_CUSTOMER: Final = {
    Network.X: "Type /csat @handle in any channel, with the customer's handle on X.",
    Network.SLACK: "Type /csat @ in any channel, and choose the customer from Slack's list.",
}
NAME_ANY_CUSTOMER: Final = (
    "Type /csat @customer in any channel, with the customer's handle on X, or their name in Slack."
)
CHECK_PREVIEW: Final = (
    "Check the preview of what the customer will read, and send it. The channel sees that you asked."
)
SUPERVISORS_SEE_ANSWERS: Final = "Supervisors can see the answers. The person who sent the survey can't"
WHO_ASKS_FOR_THAT: Final = {
    frozenset({Network.X}): ": X asks for that.",
    frozenset({Network.SLACK}): ".",
    frozenset(Network): "; X asks for that of surveys on X.",
}
"""Why the person who sent a survey sees no answers, by where surveys are sent."""
NOBODY_SEES_ANSWERS: Final = (
    "Nobody can see the answers yet. "
    "An admin of this app can name supervisors in the setting CSAT_SUPERVISORS."
)


class SurveyStatus(NamedTuple):
    """A survey and its state."""

    survey: Survey
    channel: str
    asked_at: datetime
    state: State
    advice: str = ""
    """Why it was not sent, and what to do."""
    is_disowned: bool = False
    """Whether whoever got it said that it was not meant for them."""


class OwnSurveys(NamedTuple):
    """The surveys that one person asked for."""

    newest: Sequence[SurveyStatus]
    counts: OwnCounts = OwnCounts()
    """Of the last 30 days."""


def agent_home(
    own: OwnSurveys,
    problem: str = "",
    denial: str = "",
    *,
    has_supervisors: bool,
    networks: Collection[Network] = (Network.X,),
) -> Iterator[BlockDict]:
    """Yield the blocks of an agent's Home.

    Args:
        own: the agent's own surveys.
        problem: what keeps results from being shown.
        denial: why this person may not send surveys.
        has_supervisors: whether anybody can see the answers.
        networks: where customers can be asked.
    """
    if problem:
        yield render(rich_line(text(problem, bold=True)))
    yield render(header("Your feedback surveys"))
    if denial:
        yield render(rich_line(text(denial)))
        yield from own_survey_blocks(own) if own.newest else ()
    elif own.newest:
        asks = introduction(networks).removeprefix("/csat")
        yield render(rich_line(text(f"/csat {name_example(networks)}", bold=True), text(asks)))
        yield render(context(shortcut_hint(networks)))
        yield from own_survey_blocks(own)
    else:
        yield render(rich_line(text("You haven't asked a customer yet. To get started:")))
        yield render(numbered_list(*first_steps(networks)))
    seen = f"{SUPERVISORS_SEE_ANSWERS}{WHO_ASKS_FOR_THAT[frozenset(networks)]}"
    yield render(context(seen if has_supervisors else NOBODY_SEES_ANSWERS))


def first_steps(networks: Collection[Network]) -> tuple[str, ...]:
    """Return how to send a first survey."""
    name = NAME_ANY_CUSTOMER if len(networks) > 1 else NAME_CUSTOMER[next(iter(networks))]
    return name, shortcut_hint(networks), CHECK_PREVIEW


def unavailable_home() -> Iterator[BlockDict]:
    """Yield the blocks of a Home while the database is unavailable."""
    yield render(rich_line(text("This page can't be shown right now. Open it again in a minute.")))


def own_survey_blocks(own: OwnSurveys) -> Iterator[BlockDict]:
    """Yield one person's surveys, newest first."""
    yield render(rich_line(text("Your last 30 days: ", bold=True), text(_format_counts(own.counts))))
    yield render(bullet_list(*[list(_list_item(status)) for status in own.newest]))


def _format_counts(counts: OwnCounts) -> str:
    by_metric = ", ".join(f"{number:,} {metric.upper()}" for metric, number in sorted(counts.sent.items()))
    sent = f"{sum(counts.sent.values()):,} sent{f' ({by_metric})' if len(counts.sent) > 1 else ''}"
    numbers = {label: counts.states.get(state, 0) for state, label in COUNT_LABELS.items()}
    by_label = {**numbers, DISOWNED: counts.disowned}
    by_state = [f"{number:,} {label}" for label, number in by_label.items() if number]
    formatted = [sent, *by_state] if by_state else ["no surveys"]
    tests = [f"{pluralize(counts.tests, 'test')}, not counted"] if counts.tests else []
    return " · ".join([*formatted, *tests])


def _list_item(status: SurveyStatus) -> Iterator[RichTextElement]:
    yield timestamp(status.asked_at, DATE_AND_TIME_FIRST)
    yield text(": ")
    yield recipient_link(status.survey.recipient)
    if not status.channel.startswith("D"):
        yield text(" in ")
        yield RichTextElementParts.Channel(channel_id=status.channel)
    label = DISOWNED if status.is_disowned else STATE_LABELS[status.state]
    yield text(", ")
    yield text(f"{status.survey.metric.upper()}: {label}", bold=True)
    external_id = truncate_line(status.survey.external_id, MAX_REMARK_LENGTH)
    advice = CHECK_CUSTOMER if status.is_disowned else one_line(status.advice)
    remarks = (advice, external_id, "test" if status.survey.test else "")
    if shown := " · ".join(filter(None, remarks)):
        yield text(f" · {shown}")
