"""The messages that say what becomes of a survey: that it waits, was sent or refused, and was answered."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, RichTextElement

from blocks.elements import (
    Message,
    build_message,
    context,
    escape_mrkdwn,
    message_about,
    one_line,
    recipient_link,
    rich_line,
    text,
    timestamp,
    user_mention,
)
from blocks.wait_reasons import WAITS_FOR_X, WaitReason
from csat.surveys.networks import Network
from csat.surveys.origin import Origin
from csat.surveys.questions import Catalogue
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.survey import Survey

EDIT_ACTION: Final = "edit_survey"
CANCEL_ACTION: Final = "cancel_survey"
"""The value of each button is the survey's id."""

PUBLIC_OUTCOMES: Final[Mapping[State, str]] = MappingProxyType(
    {State.ANSWERED: "They answered.", State.EXPIRED: "No answer within two weeks."}
)
"""The part of an outcome that everyone may know."""

PRIVATE_OUTCOMES: Final[Mapping[State, str]] = MappingProxyType(
    {State.REFUSED: "was not sent.", State.UNCERTAIN: "may not have arrived."}
)
"""Outcomes of a survey that waited or was uncertain, for its requester; any other state means: sent."""

NOT_SENT_AGAIN: Final = "was not sent again. The first one may have arrived."
"""The outcome of a survey that was to replace an uncertain one, for its requester."""

QUEUED_ELSEWHERE: Final = "Queued: the survey to {customer}. This app's Messages say what becomes of it."
UNCONFIRMED_ELSEWHERE: Final = (
    "{network} didn't confirm the survey to {customer} at once. See this app's Messages."
)

SOMEBODY: Final = "a customer"
"""The customer, where people of other companies read it."""

PERSON_IN_SLACK: Final = "a person in Slack"
"""The customer, if Slack does not tell their name."""

_TEST_MARK: Final = "Test: left out of reports"


def confirmation(
    survey: Survey,
    origin: Origin,
    catalogue: Catalogue,
    state: State = State.SENT,
    *,
    names_recipient: bool = True,
    name: str = "",
) -> Message:
    """Tell the conversation that a survey was sent, and whether the customer answered, but never how.

    Without the recipient it has no case number either, which may name them. A person in Slack is called by
    their name: a mention would notify them.
    """
    recipient = _name_for_all(survey.recipient, name) if names_recipient else SOMEBODY
    is_linked = names_recipient and survey.recipient.network is Network.X
    shown = survey if names_recipient else survey.model_copy(update={"external_id": ""})
    outcome, question = PUBLIC_OUTCOMES.get(state, ""), escape_mrkdwn(_question(survey, catalogue))
    on_x = " on X" if survey.recipient.network is Network.X else ""
    sent = f"<@{origin.requester}> sent a survey to {escape_mrkdwn(recipient)}{on_x}"
    fallback_text = f"{sent}: {question} {outcome}"
    return build_message(
        fallback_text.rstrip(),
        [
            rich_line(
                user_mention(origin.requester),
                text(" sent a survey to "),
                recipient_link(survey.recipient) if is_linked else text(recipient),
                text(f"{on_x}."),
                *([text(f" {outcome}", bold=True)] if outcome else []),
            ),
            details_line(shown, catalogue),
        ],
    )


def refusal(
    key: str,
    survey: Survey,
    advice: str,
    catalogue: Catalogue,
    *,
    editable: bool,
    retry_at: datetime | None = None,
    is_sent_again: bool = False,
) -> Message:
    """Tell the requester that a survey was not sent, why, and what to do.

    If it was sent again, or edited after that, an earlier one may have arrived.
    """
    recipient = survey.recipient.label
    outcome = NOT_SENT_AGAIN if is_sent_again else "was not sent."
    return build_message(
        f"The survey to {recipient} {outcome} {escape_mrkdwn(advice)}",
        [
            rich_line(text("The survey to "), recipient_link(survey.recipient), text(f" {outcome}")),
            rich_line(text(one_line(advice)), *(_possible_again(retry_at) if retry_at else ())),
            details_line(survey, catalogue),
            *([_edit_button(key)] if editable else []),
        ],
    )


def repetition_cancelled(key: str, survey: Survey, catalogue: Catalogue) -> Message:
    """Tell the requester that a survey was not sent again, as they wanted, and let them edit it."""
    recipient, cancelled = survey.recipient, "Canceled: the survey to "
    line = rich_line(text(cancelled), recipient_link(recipient), text(f" {NOT_SENT_AGAIN}"))
    return build_message(
        f"{cancelled}{recipient.label} {NOT_SENT_AGAIN}",
        [line, details_line(survey, catalogue), _edit_button(key)],
    )


def settled(survey: Survey, state: State, catalogue: Catalogue) -> Message:
    """Say what has become of a survey, in place of a message whose buttons no longer hold."""
    recipient, outcome = survey.recipient.label, PRIVATE_OUTCOMES.get(state, "was sent.")
    return build_message(
        f"The survey to {recipient} {outcome}",
        [
            rich_line(text("The survey to "), recipient_link(survey.recipient), text(f" {outcome}")),
            details_line(survey, catalogue),
        ],
    )


def waiting(
    key: str,
    survey: Survey,
    catalogue: Catalogue,
    now: datetime,
    reason: WaitReason = WAITS_FOR_X,
) -> Message:
    """Tell the requester that their survey waits, why, and until when if X said so; it stays true later."""
    recipient = survey.recipient.label
    sentence, promise, until = reason
    cancel = ButtonElement(action_id=CANCEL_ACTION, text="Cancel", value=key)
    return build_message(
        f"Queued: the survey to {recipient}. {sentence} {promise} and tell you how it went.",
        [
            rich_line(
                text("Queued", bold=True),
                text(" "),
                timestamp(now),
                text(": the survey to "),
                recipient_link(survey.recipient),
                text(f". {sentence} {promise}"),
                *((text(" after "), timestamp(until)) if until else ()),
                text(" and tell you how it went."),
            ),
            details_line(survey, catalogue),
            ActionsBlock(elements=[cancel]),
        ],
    )


def pointer(survey: Survey, *, is_queued: bool) -> Message:
    """Tell the requester, where they asked, where a survey's first message is; it stays true later."""
    words = QUEUED_ELSEWHERE if is_queued else UNCONFIRMED_ELSEWHERE
    return message_about(survey.recipient, words.replace("{network}", survey.recipient.network.label))


def survey_details(survey: Survey, catalogue: Catalogue) -> list[str]:
    """Return the metric with the question, and the external id."""
    external_id = [f"Case number: {one_line(survey.external_id)}"] if survey.external_id else []
    return [f"{survey.metric.upper()} · {_question(survey, catalogue)}", *external_id]


def details_line(survey: Survey, catalogue: Catalogue) -> Block:
    """Return the line below a message: the survey's details, and whether it is a test."""
    return context(*survey_details(survey, catalogue), _TEST_MARK if survey.test else "")


def _edit_button(key: str) -> Block:
    edit = ButtonElement(action_id=EDIT_ACTION, text="Edit and try again", value=key, style="primary")
    return ActionsBlock(elements=[edit])


def _name_for_all(recipient: Recipient, name: str) -> str:
    """Return what a recipient is called where everybody in a conversation reads it."""
    return recipient.label if recipient.network is Network.X else one_line(name) or PERSON_IN_SLACK


def _possible_again(retry_at: datetime) -> tuple[RichTextElement, ...]:
    return text(" Try again after "), timestamp(retry_at), text(".")


def _question(survey: Survey, catalogue: Catalogue) -> str:
    """Return the question, or its number if the catalogue no longer has it."""
    if survey.variant not in catalogue.questions[survey.metric]:
        return f"question {survey.variant}"
    return catalogue.question(survey.metric, survey.variant, one_line(survey.display_name) or "…")
