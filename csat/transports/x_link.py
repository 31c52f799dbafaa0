"""An ordinary direct message on X, with a link to the app's rating page."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from csat.clock import Clock
from csat.db.errors import DatabaseError
from csat.db.incoming_updates import MATCH_TOLERANCE
from csat.db.reconciliation import UncertainAttempt
from csat.db.survey_records import SurveyRecord
from csat.surveys.link_message import compose
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient
from csat.surveys.responses import Update
from csat.surveys.transport_errors import RetryLater
from csat.surveys.transports import TransportName
from csat.x_api.client import XClient
from csat.x_api.direct_message_wire import Message


class LinkUnknown(RetryLater):
    """The database did not tell the secret of the link."""

    advice = "The app's database was unavailable for a day, so we gave up. Try again later."
    reason = "The app's database is unavailable."


class XLink:
    """Delivers links to the rating page; implements `Transport`.

    Args:
        rating_link: returns the link of the survey with an id, accepted at a moment; always the same. Raises
            `DatabaseError`.
    """

    def __init__(
        self, x: XClient, rating_link: Callable[[int, datetime], Awaitable[str]], clock: Clock
    ) -> None:
        self._x = x
        self._rating_link = rating_link
        self._clock = clock

    async def look_up(self, recipient: Recipient) -> Recipient:
        """Return the account that has the recipient's handle."""
        return (await self._x.look_up_user(recipient)).recipient

    async def send(self, record: SurveyRecord) -> Receipt:
        """Send the agent's message with the link."""
        try:
            link = await self._rating_link(record.id, record.accepted_at)
        except DatabaseError as error:
            raise LinkUnknown(str(error)) from error
        text = compose(record.survey.message, link)
        message = await self._x.send_message(record.survey.recipient.id or "", text)
        return _receipt(record, message, self._clock())

    async def find_delivered(self, attempt: UncertainAttempt) -> list[Update]:
        """Return the message that holds the survey's link, if the conversation on X shows it."""
        record, since = attempt.survey, attempt.started_at - MATCH_TOLERANCE
        link = await self._rating_link(record.id, record.accepted_at)
        message = await self._x.find_message(record.survey.recipient.id or "", link, since)
        if message is None:
            return []
        receipt = _receipt(record, message, attempt.started_at)
        return [Update(receipt=receipt, account=record.account, metric=record.survey.metric)]


def _receipt(record: SurveyRecord, message: Message, sent_at: datetime) -> Receipt:
    """Return X's response to a message as a receipt; X may not say when it took the message."""
    created_at = message.created_at or sent_at
    return Receipt(
        transport=TransportName.X_LINK,
        id=message.id,
        dm_id=message.id,
        to_user_id=record.survey.recipient.id or "",
        external_id=record.survey.external_id,
        question_variant_id=record.survey.variant,
        created_at=created_at,
        updated_at=created_at,
    )
