"""What stands in the way of asking a customer, and since when, and until when."""

from collections.abc import Iterator, Sequence
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement, RichTextElementParts

from blocks.elements import (
    Message,
    build_message,
    context,
    escape_mrkdwn,
    profile_link,
    rich_line,
    text,
    timestamp,
    user_mention,
)
from csat.surveys.limits import Denial, PreviousSurvey
from csat.surveys.states import State

DATE_AND_TIME: Final = "{date_short_pretty} at {time}"

STATE_LABELS: Final = {
    State.ACCEPTED: "waiting to be sent",
    State.SENDING: "on its way to X",
    State.SENT: "sent, no answer yet",
    State.REFUSED: "not sent",
    State.CANCELLED: "cancelled",
    State.UNCERTAIN: "not known whether it arrived",
    State.ANSWERED: "answered",
    State.EXPIRED: "sent, not answered",
}


def denial_line(denial: Denial, link: str = "") -> RichTextBlock:
    """Return what stands in the way, with its dates in the reader's own time zone."""
    return rich_line(text("Not sent. ", bold=True), text(denial.sentence()), *_when(denial, link))


def status_message(
    who: str, asked: Sequence[PreviousSurvey], denial: Denial | None, link: str = ""
) -> Message:
    """Say whether a customer can be asked now, and what became of the last surveys; never a rating."""
    now = rich_line(text("They can be asked now.")) if denial is None else denial_line(denial, link)
    return build_message(
        f"{escape_mrkdwn(who)}: {denial.sentence() if denial else 'can be asked now.'}",
        [
            rich_line(profile_link(who)),
            now,
            *[rich_line(*_row(one)) for one in asked],
            *([] if asked else [context("Nobody has asked them yet.")]),
        ],
    )


def _when(denial: Denial, link: str) -> Iterator[RichTextElement]:
    if last := denial.previous:
        yield text(" ")
        yield user_mention(last.requester)
        yield text(" asked")
        if last.sent_at:
            yield text(" on ")
            yield timestamp(last.sent_at, DATE_AND_TIME)
        if link:
            yield text(", ")
            yield RichTextElementParts.Link(url=link, text="in this thread")
        yield text(".")
    if denial.retry_at:
        yield text(" Possible again from ")
        yield timestamp(denial.retry_at, DATE_AND_TIME)
        yield text(".")


def _row(one: PreviousSurvey) -> Iterator[RichTextElement]:
    if one.sent_at:
        yield timestamp(one.sent_at, DATE_AND_TIME)
        yield text(": ")
    yield user_mention(one.requester)
    yield text(f" asked, {STATE_LABELS[one.state]}{' (test)' if one.test else ''}")
