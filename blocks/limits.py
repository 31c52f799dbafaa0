"""What stands in the way of asking a customer, and since when, and until when."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement, RichTextElementParts

from blocks.kit import Message, customer, escape, line, moment, person, small, text
from csat.surveys.limits import Denial, PreviousSurvey
from csat.surveys.states import State

DATE: Final = "{date_short_pretty} at {time}"

WORDS: Final = {
    State.ACCEPTED: "waiting to be sent",
    State.SENDING: "on its way to X",
    State.SENT: "sent, no answer yet",
    State.REFUSED: "not sent",
    State.CANCELLED: "cancelled",
    State.UNCERTAIN: "not known whether it arrived",
    State.ANSWERED: "answered",
    State.EXPIRED: "sent, not answered",
}


def in_the_way(denial: Denial, link: str = "") -> RichTextBlock:
    """Return what stands in the way, with its dates in the reader's own time zone."""
    return line(text("Not sent. ", bold=True), text(denial.sentence()), *_when(denial, link))


def status(who: str, asked: Sequence[PreviousSurvey], denial: Denial | None, link: str = "") -> Message:
    """Say whether a customer can be asked now, and what became of the last surveys; never a rating."""
    now = line(text("They can be asked now.")) if denial is None else in_the_way(denial, link)
    return Message(
        f"{escape(who)}: {denial.sentence() if denial else 'can be asked now.'}",
        [
            line(customer(who)),
            now,
            *[line(*_row(one)) for one in asked],
            *([] if asked else [small("Nobody has asked them yet.")]),
        ],
    )


def _when(denial: Denial, link: str) -> Iterator[RichTextElement]:
    if last := denial.last:
        yield text(" ")
        yield person(last.requester)
        yield text(" asked")
        if last.at:
            yield text(" on ")
            yield moment(last.at, DATE)
        if link:
            yield text(", ")
            yield RichTextElementParts.Link(url=link, text="in this thread")
        yield text(".")
    if denial.again_at:
        yield text(" Possible again from ")
        yield moment(denial.again_at, DATE)
        yield text(".")


def _row(one: PreviousSurvey) -> Iterator[RichTextElement]:
    if one.at:
        yield moment(one.at, DATE)
        yield text(": ")
    yield person(one.requester)
    yield text(f" asked, {WORDS[one.state]}{' (test)' if one.test else ''}")
