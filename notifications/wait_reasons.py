"""Why a survey waits, in the words of the message and of App Home."""

from blocks.notifications import WAITS_FOR_OTHER_ACCOUNT, WAITS_FOR_X, WaitReason, account_paused
from csat.db.survey_records import SurveyRecord
from csat.x_api.errors import WAITING_REASONS, AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS


def explain_wait(survey: SurveyRecord, account: str, pause_cause: str) -> WaitReason:
    """Return why a survey waits, for an instance of an account that is paused if there is a cause for it."""
    if survey.account != account:
        return WAITS_FOR_OTHER_ACCOUNT
    if pause_cause:
        refusal = ACCOUNT_REFUSALS.get(pause_cause, AccountRefused)
        return account_paused(refusal.reason)
    if survey.wait and (error := WAITING_REASONS.get(survey.wait.reason)):
        return WaitReason(error.reason, until=survey.wait.until if error.names_time else None)
    return WAITS_FOR_X
