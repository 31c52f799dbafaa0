"""The question to its requester whether an uncertain survey arrived, and the buttons that settle it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from blocks.elements import Message, build_message, escape_mrkdwn, recipient_link, rich_line, text
from blocks.survey_notifications import details_line
from blocks.wait_reasons import OTHER_ACCOUNT
from csat.surveys.networks import Network
from csat.surveys.questions import Catalogue
from csat.surveys.survey import Survey

ARRIVED_ACTION: Final = "survey_arrived"
SEND_AGAIN_ACTION: Final = "send_survey_again"
LEAVE_ACTION: Final = "leave_survey"
"""The value of each button is the survey's id."""

OTHER_ACCOUNT_UNCERTAIN: Final = (
    "We got no confirmation from X, and haven't sent it again. Check the conversation on X and choose "
    f"what you see, or leave it. {OTHER_ACCOUNT} "
    "X's records settle it once this app has that account's keys again."
)
"""The advice on an uncertain survey that belongs to another X account."""

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

NOT_FOUND_OUT: Final = "We couldn't find out either: only you can settle it."
"""The advice on a survey that its transport can't settle any more, before the question."""

OPTED_OUT: Final = "This customer asked not to be surveyed, so it can't be sent again."

_SETTLING: Final[Mapping[str, str]] = MappingProxyType(
    {ARRIVED_ACTION: "It arrived", SEND_AGAIN_ACTION: "Send again"}
)
"""The buttons that settle an uncertain survey."""


def uncertainty(
    key: str, survey: Survey, advice: str, catalogue: Catalogue, *, opted_out: bool = False
) -> Message:
    """Ask the requester whether a survey arrived, as X did not say."""
    labels = {**_SETTLING, LEAVE_ACTION: "Leave it"}
    return _ask(key, survey, advice, labels, catalogue, opted_out=opted_out)


def uncertainty_after_restore(
    key: str, survey: Survey, catalogue: Catalogue, *, opted_out: bool = False
) -> Message:
    """Ask the requester whether a survey arrived that was open in a backup: only they can settle it."""
    advice = RESTORED.format(question=WHETHER_IT_ARRIVED[survey.recipient.network])
    return _ask(key, survey, advice, _SETTLING, catalogue, opted_out=opted_out)


def left_uncertain(
    key: str, survey: Survey, advice: str, catalogue: Catalogue, *, opted_out: bool = False
) -> Message:
    """Tell the requester who settles a survey that they leave, or can't leave, and let them do so."""
    return _ask(key, survey, advice, _SETTLING, catalogue, opted_out=opted_out)


def not_sent_again(key: str, survey: Survey, catalogue: Catalogue) -> Message:
    """Tell the requester that an uncertain survey isn't sent again, as its customer has opted out."""
    return _ask(key, survey, "", _SETTLING, catalogue, opted_out=True)


def _ask(
    key: str,
    survey: Survey,
    advice: str,
    labels: Mapping[str, str],
    catalogue: Catalogue,
    *,
    opted_out: bool,
) -> Message:
    """Return a question about a survey, which is not sent again to a customer who has opted out."""
    if opted_out:
        advice = f"{advice} {OPTED_OUT}".lstrip()
        labels = {action: label for action, label in labels.items() if action != SEND_AGAIN_ACTION}
    recipient = survey.recipient.label
    buttons = [
        ButtonElement(action_id=action_id, text=label, value=key) for action_id, label in labels.items()
    ]
    return build_message(
        f"The survey to {recipient} may not have arrived. {escape_mrkdwn(advice)}",
        [
            rich_line(
                text("The survey to "), recipient_link(survey.recipient), text(" may not have arrived.")
            ),
            rich_line(text(advice)),
            details_line(survey, catalogue),
            ActionsBlock(elements=buttons),
        ],
    )
