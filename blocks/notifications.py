"""The messages about one survey: confirmation, refusal, uncertain outcome, waiting."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

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
from csat.surveys.networks import Network
from csat.surveys.questions import Catalogue
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.survey import Origin, Survey

EDIT_ACTION: Final = "edit_survey"
CANCEL_ACTION: Final = "cancel_survey"
ARRIVED_ACTION: Final = "survey_arrived"
SEND_AGAIN_ACTION: Final = "send_survey_again"
LEAVE_ACTION: Final = "leave_survey"
"""The value of each button is the survey's id."""

PUBLIC_OUTCOMES: Final[Mapping[State, str]] = MappingProxyType(
    {State.ANSWERED: "They answered.", State.EXPIRED: "No answer within two weeks."}
)
"""What everyone may know of a response."""

PRIVATE_OUTCOMES: Final[Mapping[State, str]] = MappingProxyType(
    {State.REFUSED: "was not sent.", State.UNCERTAIN: "may not have arrived."}
)
"""What its requester is told of a survey that waited or was uncertain; of all others, that it was sent."""

NOT_ACCEPTED_YET: Final = "X hasn't accepted it yet."
"""Why a survey waits whose first request is on its way, or in front of it."""

NOT_TAKEN_BY_SLACK_YET: Final = "Slack hasn't taken it yet."

ACCOUNT_PAUSED: Final = "X isn't accepting surveys ({cause}). An admin of this app has to fix this."
"""Why a survey waits whose account is paused."""

OTHER_ACCOUNT: Final = "This survey belongs to another X account than the one this app uses now."
"""Why a survey waits that was accepted before an operator changed the X account."""

OTHER_ACCOUNT_UNCERTAIN: Final = (
    "We got no confirmation from X, and haven't sent it again. Check the conversation on X and choose "
    f"what you see, or leave it. {OTHER_ACCOUNT} "
    "X's records settle it once this app has that account's keys again."
)
"""The advice on an uncertain survey of such an account."""

RESTORED: Final = (
    "This app's data was restored from a backup in which this survey was not settled, and it may have been "
    "sent since. {question}"
)
"""The advice on a survey whose outcome was lost with the database."""

WHETHER_IT_ARRIVED: Final[Mapping[Network, str]] = MappingProxyType(
    {
        Network.X: "Check the conversation on X and choose what you see.",
        Network.SLACK: "Ask the customer whether they got it, and choose.",
    }
)
"""How the requester can find out whether a survey arrived."""

QUEUED_ELSEWHERE: Final = "Queued: the survey to {customer}. This app's Messages say what becomes of it."
UNCONFIRMED_ELSEWHERE: Final = (
    "{network} didn't confirm the survey to {customer} at once. See this app's Messages."
)

OPTED_OUT: Final = "This customer asked not to be surveyed, so it can't be sent again."

SOMEBODY: Final = "a customer"
"""Who was asked, where people of other companies read it."""

PERSON_IN_SLACK: Final = "a person in Slack"
"""Who was asked, if Slack does not tell their name."""

_SETTLING: Final[Mapping[str, str]] = MappingProxyType(
    {ARRIVED_ACTION: "It arrived", SEND_AGAIN_ACTION: "Send again"}
)
"""The buttons that settle an uncertain survey."""

_TEST_MARK: Final = "Test: left out of reports"


class WaitReason(NamedTuple):
    """Why a survey waits, and what comes of it."""

    sentence: str = NOT_ACCEPTED_YET
    promise: str = "We'll send it automatically"
    until: datetime | None = None
    """When it is tried again, if X said so."""


WAITS_FOR_X: Final = WaitReason()
WAITS_FOR_SLACK: Final = WaitReason(NOT_TAKEN_BY_SLACK_YET)
WAITS_FOR_OTHER_ACCOUNT: Final = WaitReason(
    OTHER_ACCOUNT, "We'll send it once this app has that account's keys again,"
)


def account_paused(cause: str) -> WaitReason:
    """Return why a survey waits while X refuses its account; `cause` is a clause in which "it" is X."""
    promise = "The survey waits for up to a day: once this is fixed, we'll send it"
    return WaitReason(ACCOUNT_PAUSED.format(cause=cause), promise)


def confirmation(
    survey: Survey,
    origin: Origin,
    catalogue: Catalogue,
    state: State = State.SENT,
    *,
    names_recipient: bool = True,
    name: str = "",
) -> Message:
    """Tell the conversation that a customer was asked, and whether they answered, but never how.

    Without the recipient it has no case number either, which may name them. A person in Slack is called by
    their name: a mention would notify them.
    """
    recipient = _name_for_all(survey.recipient, name) if names_recipient else SOMEBODY
    is_linked = names_recipient and survey.recipient.network is Network.X
    shown = survey if names_recipient else survey.model_copy(update={"external_id": ""})
    outcome, question = PUBLIC_OUTCOMES.get(state, ""), escape_mrkdwn(_question(survey, catalogue))
    asked = f"<@{origin.requester}> asked {escape_mrkdwn(recipient)} for feedback"
    fallback_text = f"{asked}: {question} {outcome}"
    on_x = " on X" if survey.recipient.network is Network.X else ""
    return build_message(
        fallback_text.rstrip(),
        [
            rich_line(
                user_mention(origin.requester),
                text(" asked "),
                recipient_link(survey.recipient) if is_linked else text(recipient),
                text(f" for feedback{on_x}."),
                *([text(f" {outcome}", bold=True)] if outcome else []),
            ),
            _details(shown, catalogue),
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
    is_sent_again: bool = False,
) -> Message:
    """Tell the requester that a survey was not sent, why, and what to do.

    If it replaced an uncertain survey, that one may have arrived.
    """
    recipient = survey.recipient.label
    outcome = "was not sent again. The first one may have arrived." if is_sent_again else "was not sent."
    edit = ButtonElement(
        action_id=EDIT_ACTION, text="Edit and try again", value=str(survey_id), style="primary"
    )
    return build_message(
        f"The survey to {recipient} {outcome} {escape_mrkdwn(advice)}",
        [
            rich_line(text("The survey to "), recipient_link(survey.recipient), text(f" {outcome}")),
            rich_line(text(one_line(advice)), *(_possible_again(retry_at) if retry_at else ())),
            _details(survey, catalogue),
            *([ActionsBlock(elements=[edit])] if editable else []),
        ],
    )


def uncertainty(
    survey_id: int, survey: Survey, advice: str, catalogue: Catalogue, *, opted_out: bool = False
) -> Message:
    """Ask the requester whether a survey arrived, as X did not say."""
    labels = {**_SETTLING, LEAVE_ACTION: "Leave it"}
    return _ask(survey_id, survey, advice, labels, catalogue, opted_out=opted_out)


def uncertainty_after_restore(
    survey_id: int, survey: Survey, catalogue: Catalogue, *, opted_out: bool = False
) -> Message:
    """Ask the requester whether a survey arrived that was open in a backup: only they can settle it."""
    advice = RESTORED.format(question=WHETHER_IT_ARRIVED[survey.recipient.network])
    return _ask(survey_id, survey, advice, _SETTLING, catalogue, opted_out=opted_out)


def left_uncertain(
    survey_id: int, survey: Survey, advice: str, catalogue: Catalogue, *, opted_out: bool = False
) -> Message:
    """Tell the requester who settles a survey that they leave, and let them do so as long as nobody has."""
    return _ask(survey_id, survey, advice, _SETTLING, catalogue, opted_out=opted_out)


def not_sent_again(survey_id: int, survey: Survey, catalogue: Catalogue) -> Message:
    """Tell the requester that an uncertain survey isn't sent again, as its customer has opted out."""
    return _ask(survey_id, survey, "Nothing was sent.", _SETTLING, catalogue, opted_out=True)


def _ask(
    survey_id: int,
    survey: Survey,
    advice: str,
    labels: Mapping[str, str],
    catalogue: Catalogue,
    *,
    opted_out: bool,
) -> Message:
    """Return a question about a survey, which is not sent again to a customer who has opted out."""
    if opted_out:
        advice = f"{advice} {OPTED_OUT}"
        labels = {action: label for action, label in labels.items() if action != SEND_AGAIN_ACTION}
    recipient = survey.recipient.label
    buttons = [
        ButtonElement(action_id=action_id, text=label, value=str(survey_id))
        for action_id, label in labels.items()
    ]
    return build_message(
        f"The survey to {recipient} may not have arrived. {escape_mrkdwn(advice)}",
        [
            rich_line(
                text("The survey to "), recipient_link(survey.recipient), text(" may not have arrived.")
            ),
            rich_line(text(advice)),
            _details(survey, catalogue),
            ActionsBlock(elements=buttons),
        ],
    )


def settled(survey: Survey, state: State, catalogue: Catalogue) -> Message:
    """Say what has become of a survey, in place of a message whose buttons no longer hold."""
    recipient, outcome = survey.recipient.label, PRIVATE_OUTCOMES.get(state, "was sent.")
    return build_message(
        f"The survey to {recipient} {outcome}",
        [
            rich_line(text("The survey to "), recipient_link(survey.recipient), text(f" {outcome}")),
            _details(survey, catalogue),
        ],
    )


def waiting(
    survey_id: int,
    survey: Survey,
    catalogue: Catalogue,
    now: datetime,
    reason: WaitReason = WAITS_FOR_X,
) -> Message:
    """Tell the requester that their survey waits, why, and until when if X said so; it stays true later."""
    recipient = survey.recipient.label
    sentence, promise, until = reason
    cancel = ButtonElement(action_id=CANCEL_ACTION, text="Cancel", value=str(survey_id))
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
            _details(survey, catalogue),
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


def _name_for_all(recipient: Recipient, name: str) -> str:
    """Return what a recipient is called where everybody in a conversation reads it."""
    return recipient.label if recipient.network is Network.X else one_line(name) or PERSON_IN_SLACK


def _details(survey: Survey, catalogue: Catalogue) -> Block:
    return context(*survey_details(survey, catalogue), _TEST_MARK if survey.test else "")


def _possible_again(retry_at: datetime) -> tuple[RichTextElement, ...]:
    return text(" Try again after "), timestamp(retry_at), text(".")


def _question(survey: Survey, catalogue: Catalogue) -> str:
    """Return the question, or its number if the catalogue no longer has it."""
    if survey.variant not in catalogue.questions[survey.metric]:
        return f"question {survey.variant}"
    return catalogue.question(survey.metric, survey.variant, one_line(survey.display_name) or "…")
