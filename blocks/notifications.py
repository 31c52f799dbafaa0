"""What Slack is told of a survey on its way."""

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
    one_line,
    profile_link,
    rich_line,
    text,
    timestamp,
    user_mention,
)
from csat.surveys.questions import Catalogue
from csat.surveys.states import State
from csat.surveys.survey import Origin, Survey

EDIT_ACTION: Final = "edit_survey"
CANCEL_ACTION: Final = "cancel_survey"
ARRIVED_ACTION: Final = "survey_arrived"
SEND_AGAIN_ACTION: Final = "send_survey_again"
LEAVE_ACTION: Final = "leave_survey"
"""Action ids of buttons whose value is the survey's id."""

OUTCOMES: Final[Mapping[State, str]] = MappingProxyType(
    {State.ANSWERED: "They answered.", State.EXPIRED: "No answer came within two weeks."}
)
"""What everybody may know of an answer."""

_TEST_MARK: Final = "Test: kept out of the figures"


def confirmation(survey: Survey, origin: Origin, catalogue: Catalogue, state: State = State.SENT) -> Message:
    """Tell the conversation that a customer was asked, and whether they answered; never how."""
    who, outcome = survey.recipient.label, OUTCOMES.get(state, "")
    asked = f"<@{origin.requester}> asked {who} for feedback: {escape_mrkdwn(_question(survey, catalogue))}"
    return build_message(
        f"{asked} {outcome}".rstrip(),
        [
            rich_line(
                user_mention(origin.requester),
                text(" asked "),
                profile_link(who),
                text(" for feedback on X."),
                *([text(f" {outcome}", bold=True)] if outcome else []),
            ),
            _details(survey, catalogue),
        ],
    )


def refusal(
    survey_id: int,
    survey: Survey,
    advice: str,
    catalogue: Catalogue,
    *,
    editable: bool,
    retry_at: datetime | None = None,
) -> Message:
    """Tell the requester that nothing was sent, why, and what to do."""
    who = survey.recipient.label
    edit = ButtonElement(
        action_id=EDIT_ACTION, text="Edit and try again", value=str(survey_id), style="primary"
    )
    return build_message(
        f"The survey to {who} was not sent. {escape_mrkdwn(advice)}",
        [
            rich_line(text("The survey to "), profile_link(who), text(" was not sent.")),
            rich_line(text(one_line(advice)), *(_possible_again(retry_at) if retry_at else ())),
            _details(survey, catalogue),
            *([ActionsBlock(elements=[edit])] if editable else []),
        ],
    )


def uncertainty(survey_id: int, survey: Survey, advice: str, catalogue: Catalogue) -> Message:
    """Tell the requester that nobody knows whether the survey arrived, and let them say."""
    who, value = survey.recipient.label, str(survey_id)
    return build_message(
        f"It is not known whether the survey to {who} arrived. {escape_mrkdwn(advice)}",
        [
            rich_line(text("It is not known whether the survey to "), profile_link(who), text(" arrived.")),
            rich_line(text(advice)),
            _details(survey, catalogue),
            ActionsBlock(
                elements=[
                    ButtonElement(action_id=ARRIVED_ACTION, text="It arrived", value=value),
                    ButtonElement(action_id=SEND_AGAIN_ACTION, text="Send again", value=value),
                    ButtonElement(action_id=LEAVE_ACTION, text="Leave it", value=value),
                ]
            ),
        ],
    )


def waiting(survey_id: int, survey: Survey, catalogue: Catalogue, now: datetime, hold: str = "") -> Message:
    """Tell the requester that X keeps them waiting, and how to call it off; it stays true when it is over.

    `hold` says what keeps the whole account from sending, where something does.
    """
    who = survey.recipient.label
    cancel = ButtonElement(action_id=CANCEL_ACTION, text="Cancel", value=str(survey_id))
    return build_message(
        f"Waiting for X... The survey to {who} goes out as soon as X takes it.",
        [
            rich_line(
                text("Waiting for X... At "),
                timestamp(now),
                text(" the survey to "),
                profile_link(who),
                text(" had not left yet. It goes out as soon as X takes it, and you will be told."),
            ),
            *([rich_line(text(hold))] if hold else []),
            _details(survey, catalogue),
            ActionsBlock(elements=[cancel]),
        ],
    )


def survey_details(survey: Survey, catalogue: Catalogue) -> list[str]:
    """Return the type, the question and the external id, to be taken literally."""
    external_id = [f"External ID: {one_line(survey.external_id)}"] if survey.external_id else []
    return [f"{survey.metric.upper()} · {_question(survey, catalogue)}", *external_id]


def _details(survey: Survey, catalogue: Catalogue) -> Block:
    return context(*survey_details(survey, catalogue), _TEST_MARK if survey.test else "")


def _possible_again(retry_at: datetime) -> tuple[RichTextElement, ...]:
    return text(" Possible again from "), timestamp(retry_at, "{date_short_pretty} at {time}"), text(".")


def _question(survey: Survey, catalogue: Catalogue) -> str:
    """Return the question; of a variant that the catalogue has lost, its number."""
    if survey.variant not in catalogue.variants(survey.metric):
        return f"question {survey.variant}"
    return catalogue.question(survey.metric, survey.variant, one_line(survey.display_name) or "…")
