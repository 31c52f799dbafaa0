"""Why a survey waits, in the words of the message and of App Home."""

from datetime import datetime
from typing import NamedTuple

from blocks.notifications import ACCOUNT_PAUSED, NOT_ACCEPTED_YET, OTHER_ACCOUNT
from csat.db.survey_records import SurveyRecord
from csat.x_api.errors import ACCOUNT_REFUSALS, WAITING_REASONS, AccountRefused


class WaitReason(NamedTuple):
    """Why a survey waits, and until when if X said so."""

    sentence: str = NOT_ACCEPTED_YET
    until: datetime | None = None


def explain_wait(survey: SurveyRecord, account: str, pause_cause: str) -> WaitReason:
    """Return why a survey waits, for an instance of an account that is paused if there is a cause for it."""
    if survey.account != account:
        return WaitReason(OTHER_ACCOUNT)
    if pause_cause:
        refusal = ACCOUNT_REFUSALS.get(pause_cause, AccountRefused)
        return WaitReason(ACCOUNT_PAUSED.format(cause=refusal.reason))
    if survey.wait and (error := WAITING_REASONS.get(survey.wait.reason)):
        return WaitReason(error.reason, survey.wait.until if error.names_time else None)
    return WaitReason()
