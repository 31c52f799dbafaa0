"""What somebody sees of their own surveys: what became of them, never how customers answered."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from slack_sdk.models.blocks import (
    Block,
    HeaderBlock,
    RichTextBlock,
    RichTextElement,
    RichTextElementParts,
    RichTextListElement,
    RichTextSectionElement,
)

from blocks.elements import context, numbered_list, one_line, profile_link, rich_line, text, timestamp
from blocks.form_fields import BlockDict
from blocks.help import SHORTCUT_HINT
from blocks.status import DATE_AND_TIME, STATE_LABELS
from csat.surveys.states import State
from csat.surveys.survey import Survey

MAX_NOTE_LENGTH: Final = 150
"""How many characters of an advice or a ticket are repeated."""

FIRST_STEPS: Final = (
    "Type /csat @handle in any channel, with the customer's handle on X.",
    SHORTCUT_HINT,
    "Check what the customer will read, and send it. The channel is told that you asked.",
)
WHO_SEES_ANSWERS: Final = "Supervisors see how customers answered. Whoever asked does not, as X wishes."
NOBODY_SEES_ANSWERS: Final = (
    "Nobody can see how customers answer yet: "
    "whoever runs this app names the supervisors in its setting CSAT_SUPERVISORS."
)


class SurveyStatus(NamedTuple):
    """A survey that somebody asked for, and what became of it."""

    survey: Survey
    channel: str
    asked_at: datetime
    state: State
    advice: str = ""
    """Why it was not sent, and what to do."""


class OwnSurveys(NamedTuple):
    """All that somebody's Home says of their own surveys."""

    newest: Sequence[SurveyStatus]
    counts: Mapping[State, int]
    """Of the last 30 days."""


def agent_home(own: OwnSurveys, *, names_supervisors: bool) -> Iterator[BlockDict]:
    """Yield the Home of somebody who does not see results."""
    yield header("Your feedback surveys")
    if own.newest:
        yield rich_line(
            text("/csat @handle", bold=True), text(" asks a customer on X how you did.")
        ).to_dict()
        yield context(SHORTCUT_HINT).to_dict()
        yield from own_survey_blocks(own)
    else:
        yield rich_line(text("You have not asked a customer yet. So you begin:")).to_dict()
        yield _rendered(numbered_list(*FIRST_STEPS))
    yield context(WHO_SEES_ANSWERS if names_supervisors else NOBODY_SEES_ANSWERS).to_dict()


def unavailable_home() -> Iterator[BlockDict]:
    """Yield what is shown while the ledger can't be read."""
    yield rich_line(text("This can't be shown right now. Open it again in a minute.")).to_dict()


def own_survey_blocks(own: OwnSurveys) -> Iterator[BlockDict]:
    """Yield what became of somebody's surveys, the newest first."""
    yield rich_line(text("Your last 30 days: ", bold=True), text(_counted(own.counts))).to_dict()
    rows = [RichTextSectionElement(elements=list(_row(sent))) for sent in own.newest]
    yield RichTextBlock(elements=[RichTextListElement(style="bullet", elements=rows)]).to_dict()


def header(words: str) -> BlockDict:
    """Return a heading."""
    return _rendered(HeaderBlock(text=words))


def _rendered(block: Block) -> BlockDict:
    rendered: BlockDict = block.to_dict()
    return rendered


def _counted(counts: Mapping[State, int]) -> str:
    asked = [f"{counts[state]} {words}" for state, words in STATE_LABELS.items() if counts.get(state)]
    return " · ".join(asked) or "no survey"


def _row(sent: SurveyStatus) -> Iterator[RichTextElement]:
    yield timestamp(sent.asked_at, DATE_AND_TIME)
    yield text(": ")
    recipient = sent.survey.recipient
    yield text("a customer who was erased") if recipient.is_erased else profile_link(recipient.label)
    if not sent.channel.startswith("D"):
        yield text(" in ")
        yield RichTextElementParts.Channel(channel_id=sent.channel)
    yield text(f", {sent.survey.metric.upper()}: {STATE_LABELS[sent.state]}", bold=True)
    notes = (sent.advice, sent.survey.external_id, "test" if sent.survey.test else "")
    if said := " · ".join(truncate_line(note) for note in notes if note):
        yield text(f" · {said}")


def truncate_line(typed: str, most: int = MAX_NOTE_LENGTH) -> str:
    """Return a typed text on one line, and not too much of it."""
    bare = one_line(typed)
    return bare if len(bare) <= most else f"{bare[: most - 1]}…"
