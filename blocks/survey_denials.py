"""Why a customer can't be asked, until when, and who asked them or noted that they don't want it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from slack_sdk.models.blocks import Block, RichTextBlock, RichTextElement, RichTextElementParts

from blocks.elements import (
    Message,
    build_message,
    context,
    context_about,
    day,
    one_line,
    rich_line,
    text,
    timestamp,
    user_mention,
)
from csat.surveys.limits import Denial, DenialReason, PreviousSurvey
from csat.surveys.opt_outs import How, OptOut
from csat.surveys.origin import Origin
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.transports import FACTS

CANT_BE_ASKED: Final = "Can't be asked"
LINK_TEXT: Final = "in this thread"

UNSETTLED: Final[Mapping[State, tuple[str, str, str]]] = MappingProxyType(
    {
        State.ACCEPTED: (
            "waits for {network}.",
            "Cancel it in this app's Messages.",
            "Wait, or ask them to cancel it.",
        ),
        State.UNCERTAIN: (
            "may not have arrived.",
            "Settle it in this app's Messages.",
            "Ask them to settle it.",
        ),
        State.REFUSED: (  # after it was sent again
            "may have arrived, and was not sent again.",
            "The message about it may let you try again.",
            "Wait, or ask them to try again.",
        ),
    }
)
"""The state of a survey that may not reach its customer, and advice to its requester and to others."""

RECORDED: Final[Mapping[How, str]] = MappingProxyType(
    {
        How.AGENT: "Recorded on",
        How.RATING_PAGE: "They chose this on the rating page on",
        How.SLACK: "They chose this in Slack on",
        How.FILE: "On an imported list since",
    }
)
"""How a customer's wish is known, before its day."""


def denial_message(denial: Denial, reader: Origin) -> Message:
    """Return why a survey can't be sent now."""
    return build_message(denial_text(denial), [denial_line(denial, reader)])


def denial_text(denial: Denial) -> str:
    """Return why a customer can't be asked, in plain text."""
    return f"{_cant_be_asked_now(denial)} {denial.sentence()}"


def denial_line(denial: Denial, reader: Origin, link: str = "") -> RichTextBlock:
    """Return until when a customer can't be asked, why, and who in the reader's workspace is behind it.

    The reader is whoever has just asked for a survey, or for the customer's status.
    """
    previous = denial.previous
    if denial.opt_out:
        about = iter((text(" "), *_recorded(denial.opt_out, reader.team)))
    elif previous is None:
        about = iter(())
    elif previous.state in UNSETTLED:
        about = _unsettled(previous, reader, link)
    else:
        about = _asked(previous, reader.team, link)
    return rich_line(*_until(denial), *_why(denial), *about)


def opt_out_details(opt_out: OptOut, reader: Origin) -> list[Block]:
    """Return when an opt-out was recorded, by whom, and why, as far as the reader's workspace may know."""
    return [rich_line(*_recorded(opt_out, reader.team)), *opt_out_reason(opt_out, reader)]


def opt_out_notes(opt_out: OptOut, customer: Recipient, reader: Origin) -> list[Block]:
    """Return the reason for a customer's opt-out, as `opt_out_reason` does, and who can lift it."""
    lift = context_about(customer, "A supervisor can lift this with /csat unstop {customer}.")
    return [*opt_out_reason(opt_out, reader), lift]


def opt_out_reason(opt_out: OptOut, reader: Origin) -> list[Block]:
    """Return the reason for an opt-out, if it was recorded in the reader's workspace or by an operator."""
    reason = opt_out.seen_from(reader.team).reason
    return [context(f"Reason: {one_line(reason)}")] if reason else []


def requester_mention(survey: PreviousSurvey, team: str, stranger: str) -> RichTextElement:
    """Return a mention, which Slack can only show to readers of the requester's own workspace."""
    return user_mention(survey.requester) if survey.team == team else text(stranger)


def _until(denial: Denial) -> Iterator[RichTextElement]:
    if denial.retry_at:
        yield text(f"{_cant_be_asked(denial)} until ", bold=True)
        yield timestamp(denial.retry_at)
        yield text(".")
    else:
        yield text(_cant_be_asked_now(denial), bold=True)


def _cant_be_asked_now(denial: Denial) -> str:
    return f"{_cant_be_asked(denial)}." if denial.is_permanent else f"{_cant_be_asked(denial)} now."


def _cant_be_asked(denial: Denial) -> str:
    return f"{CANT_BE_ASKED} by {FACTS[denial.transport].noun}" if denial.transport else CANT_BE_ASKED


def _why(denial: Denial) -> Iterator[RichTextElement]:
    waits = denial.previous is not None and denial.previous.state is State.ACCEPTED
    if denial.reason is not DenialReason.COOLDOWN and not waits:  # what follows says it all
        yield text(f" {denial.sentence()}")


def _recorded(opt_out: OptOut, team: str) -> Iterator[RichTextElement]:
    yield text(f"{RECORDED[opt_out.how]} ")
    yield day(opt_out.recorded_at)
    if opt_out.how is How.AGENT:
        yield text(" by ")
        is_colleague = opt_out.team == team
        yield user_mention(opt_out.by) if is_colleague else text("somebody in another workspace")
    yield text(".")


def _asked(previous: PreviousSurvey, team: str, link: str) -> Iterator[RichTextElement]:
    yield text(" ")
    yield requester_mention(previous, team, "Somebody in another workspace")
    yield text(" asked")
    if previous.sent_at:
        yield text(" on ")
        yield day(previous.sent_at)
    yield from _thread(link)
    yield text(".")


def _unsettled(previous: PreviousSurvey, reader: Origin, link: str) -> Iterator[RichTextElement]:
    """Yield that a survey waits or is uncertain, and to its own requester what they can do about it."""
    fact, advice, request = UNSETTLED[previous.state]
    fact = fact.format(network=FACTS[previous.transport].network.label)
    if reader.is_from(previous.team, previous.requester):
        yield text(" Your survey of ")
        yield timestamp(previous.asked_at)
        yield text(f" {fact} {advice}")
        return
    yield text(" ")
    yield requester_mention(previous, reader.team, "Another workspace")
    yield text("'s survey of ")
    yield timestamp(previous.asked_at)
    yield from _thread(link)
    yield text(f"{',' if link else ''} {fact}")
    if previous.team == reader.team:
        yield text(f" {request}")


def _thread(link: str) -> Iterator[RichTextElement]:
    """Yield where the survey was asked for, if the reader may know."""
    if link:
        yield text(", ")
        yield RichTextElementParts.Link(url=link, text=LINK_TEXT)
