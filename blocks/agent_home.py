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

from blocks.fields import Rendered
from blocks.help import FROM_A_MESSAGE
from blocks.kit import customer, line, moment, one_line, small, steps, text
from blocks.limits import DATE, WORDS
from csat.surveys.states import State
from csat.surveys.survey import Survey

LONGEST_NOTE: Final = 150
"""How many characters of an advice or a ticket are repeated."""

FIRST_STEPS: Final = (
    "Type /csat @handle in any channel, with the customer's handle on X.",
    FROM_A_MESSAGE,
    "Check what the customer will read, and send it. The channel is told that you asked.",
)
WHO_SEES_ANSWERS: Final = "Supervisors see how customers answered. Whoever asked does not, as X wishes."
NOBODY_SEES_ANSWERS: Final = (
    "Nobody can see how customers answer yet: "
    "whoever runs this app names the supervisors in its setting CSAT_SUPERVISORS."
)


class Sent(NamedTuple):
    """A survey that somebody asked for, and what became of it."""

    survey: Survey
    channel: str
    asked_at: datetime
    state: State
    advice: str = ""
    """Why it was not sent, and what to do."""


class Own(NamedTuple):
    """All that somebody's Home says of their own surveys."""

    newest: Sequence[Sent]
    counts: Mapping[State, int]
    """Of the last 30 days."""


def agent_home(own: Own, *, names_supervisors: bool) -> Iterator[Rendered]:
    """Yield the Home of somebody who does not see results."""
    yield title("Your feedback surveys")
    if own.newest:
        yield line(text("/csat @handle", bold=True), text(" asks a customer on X how you did.")).to_dict()
        yield small(FROM_A_MESSAGE).to_dict()
        yield from own_surveys(own)
    else:
        yield line(text("You have not asked a customer yet. So you begin:")).to_dict()
        yield _rendered(steps(*FIRST_STEPS))
    yield small(WHO_SEES_ANSWERS if names_supervisors else NOBODY_SEES_ANSWERS).to_dict()


def unavailable() -> Iterator[Rendered]:
    """Yield what is shown while the ledger can't be read."""
    yield line(text("This can't be shown right now. Open it again in a minute.")).to_dict()


def own_surveys(own: Own) -> Iterator[Rendered]:
    """Yield what became of somebody's surveys, the newest first."""
    yield line(text("Your last 30 days: ", bold=True), text(_counted(own.counts))).to_dict()
    rows = [RichTextSectionElement(elements=list(_row(sent))) for sent in own.newest]
    yield RichTextBlock(elements=[RichTextListElement(style="bullet", elements=rows)]).to_dict()


def title(words: str) -> Rendered:
    """Return a heading."""
    return _rendered(HeaderBlock(text=words))


def _rendered(block: Block) -> Rendered:
    rendered: Rendered = block.to_dict()
    return rendered


def _counted(counts: Mapping[State, int]) -> str:
    asked = [f"{counts[state]} {words}" for state, words in WORDS.items() if counts.get(state)]
    return " · ".join(asked) or "no survey"


def _row(sent: Sent) -> Iterator[RichTextElement]:
    yield moment(sent.asked_at, DATE)
    yield text(": ")
    recipient = sent.survey.recipient
    yield text("a customer who was erased") if recipient.forgotten else customer(recipient.typed)
    if not sent.channel.startswith("D"):
        yield text(" in ")
        yield RichTextElementParts.Channel(channel_id=sent.channel)
    yield text(f", {sent.survey.metric.upper()}: {WORDS[sent.state]}", bold=True)
    notes = (sent.advice, sent.survey.external_id, "test" if sent.survey.test else "")
    if said := " · ".join(shortened(note) for note in notes if note):
        yield text(f" · {said}")


def shortened(typed: str, most: int = LONGEST_NOTE) -> str:
    """Return a typed text on one line, and not too much of it."""
    bare = one_line(typed)
    return bare if len(bare) <= most else f"{bare[: most - 1]}…"
