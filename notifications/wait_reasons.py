"""Why a survey waits, in the words of the message and of App Home."""

from collections.abc import Collection, Mapping

from blocks.wait_reasons import (
    WAITS_FOR_OTHER_ACCOUNT,
    WAITS_FOR_SLACK,
    WAITS_FOR_X,
    WaitReason,
    account_paused,
)
from csat.db.survey_records import SurveyRecord
from csat.surveys.networks import Network
from csat.surveys.transport_errors import RetryLater
from csat.transports.slack_message import SLACK_WAITS
from csat.transports.x_link import LinkUnknown
from csat.x_api.errors import WAITING_REASONS, AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS

WAITING_ERRORS: Mapping[str, type[RetryLater]] = {
    **WAITING_REASONS,
    **SLACK_WAITS,
    LinkUnknown.__name__: LinkUnknown,
}


def explain_wait(survey: SurveyRecord, accounts: Collection[str], pause_cause: str) -> WaitReason:
    """Return why a survey waits, for an instance of these accounts; there is a cause if X's is paused."""
    if survey.account not in accounts:
        return WAITS_FOR_OTHER_ACCOUNT
    is_in_slack = survey.survey.recipient.network is Network.SLACK
    if pause_cause and not is_in_slack:
        refusal = ACCOUNT_REFUSALS.get(pause_cause, AccountRefused)
        return account_paused(refusal.reason)
    if survey.wait and (error := WAITING_ERRORS.get(survey.wait.reason)):
        return WaitReason(error.reason, until=survey.wait.until if error.names_time else None)
    return WAITS_FOR_SLACK if is_in_slack else WAITS_FOR_X
