"""Why a customer can't be asked now, until when, and who asked them."""

from collections.abc import Iterator
from typing import Final

from slack_sdk.models.blocks import RichTextBlock, RichTextElement, RichTextElementParts

from blocks.elements import Message, build_message, day, rich_line, text, timestamp, user_mention
from csat.surveys.limits import Denial, DenialReason, PreviousSurvey

CANT_BE_ASKED: Final = "Can't be asked"


def denial_message(denial: Denial, team: str) -> Message:
    """Return why a survey can't be sent now; `team` is the reader's workspace."""
    return build_message(denial_text(denial), [denial_line(denial, team)])


def denial_text(denial: Denial) -> str:
    """Return why a customer can't be asked now, in plain text."""
    return f"{CANT_BE_ASKED} now. {denial.sentence()}"


def denial_line(denial: Denial, team: str, link: str = "") -> RichTextBlock:
    """Return until when a customer can't be asked, why, and who in the reader's workspace asked them."""
    return rich_line(*_until(denial), *_why(denial), *_who(denial, team, link))


def requester_mention(survey: PreviousSurvey, team: str, stranger: str) -> RichTextElement:
    """Return a mention, which Slack can only show to readers of the requester's own workspace."""
    return user_mention(survey.requester) if survey.team == team else text(stranger)


def _until(denial: Denial) -> Iterator[RichTextElement]:
    if denial.retry_at:
        yield text(f"{CANT_BE_ASKED} until ", bold=True)
        yield timestamp(denial.retry_at)
        yield text(".")
    else:
        yield text(f"{CANT_BE_ASKED} now.", bold=True)


def _why(denial: Denial) -> Iterator[RichTextElement]:
    if denial.reason is not DenialReason.COOLDOWN:  # who asked, and when, says it all
        yield text(f" {denial.sentence()}")


def _who(denial: Denial, team: str, link: str) -> Iterator[RichTextElement]:
    if previous := denial.previous:
        yield text(" ")
        yield requester_mention(previous, team, "Somebody in another workspace")
        yield text(" asked")
        if previous.sent_at:
            yield text(" on ")
            yield day(previous.sent_at)
        if link:
            yield text(", ")
            yield RichTextElementParts.Link(url=link, text="in this thread")
        yield text(".")
