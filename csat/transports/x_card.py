"""X's feedback card: POST feedback/create delivers it in a direct message."""

from csat.db.incoming_updates import MATCH_TOLERANCE
from csat.db.reconciliation import UncertainAttempt
from csat.db.survey_records import SurveyRecord
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient
from csat.surveys.responses import Update
from csat.x_api.client import XClient


class XCard:
    """Delivers feedback cards; implements `Transport`."""

    def __init__(self, x: XClient) -> None:
        self._x = x

    async def look_up(self, recipient: Recipient) -> Recipient:
        """Return the account that has the recipient's handle."""
        return (await self._x.look_up_user(recipient)).recipient

    async def send(self, record: SurveyRecord) -> Receipt:
        """Send a card."""
        return await self._x.create_feedback(record.survey)

    async def find_delivered(self, attempt: UncertainAttempt) -> list[Update]:
        """Return those of X's feedback events around the attempt that can be about its survey."""
        begin, end = attempt.started_at - MATCH_TOLERANCE, attempt.started_at + MATCH_TOLERANCE
        pages = [page async for page in self._x.list_events(begin, end)]
        return [update for page in pages for update in page.updates if _can_match(attempt.survey, update)]


def _can_match(record: SurveyRecord, update: Update) -> bool:
    """Return True if an update can be about a survey; which of several it is about, the database knows."""
    survey, receipt = record.survey, update.receipt
    return (update.account, receipt.to_user_id, receipt.external_id, update.metric) == (
        record.account,
        survey.recipient.id,
        survey.external_id,
        survey.metric,
    )
