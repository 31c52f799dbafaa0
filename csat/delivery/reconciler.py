"""What became of an attempt whose outcome is unknown: X's own record tells, a day later."""

import logging
from datetime import timedelta

from csat.clock import Clock
from csat.db.database import Database
from csat.db.send_queue import SETTLING, Unsettled, give_up_settling
from csat.db.survey_records import Refusal
from csat.delivery.delivery import Delivery
from csat.surveys.survey import Receipt
from csat.x_api.client import XClient
from csat.x_api.errors import XError

AROUND = timedelta(minutes=5)
"""How far X's time for an attempt may be from ours."""

GIVING_UP = timedelta(days=3)
"""For how long X is asked over and over; after that its requester alone can settle a survey."""

NEVER_ARRIVED = Refusal(
    reason="NeverArrived",
    advice="X has no record of this survey, so it did not arrive. You can send it again.",
    editable=True,
)

log = logging.getLogger(__name__)


class Reconciler:
    """Settles uncertain surveys, matched by account, recipient, external id and time."""

    def __init__(self, database: Database, x: XClient, delivery: Delivery, clock: Clock) -> None:
        self._database = database
        self._x = x
        self._delivery = delivery
        self._clock = clock

    async def settle(self, unsettled: Unsettled) -> None:
        """Settle one survey, if X tells."""
        entry, number, begun = unsettled
        try:
            pages = [page async for page in self._x.events(begun - AROUND, begun + AROUND)]
        except XError as error:
            await self._not_settled(unsettled, error)
            return
        told = (update.receipt for page in pages for update in page.updates)
        if receipt := next((one for one in told if _is_of(unsettled, one)), None):
            await self._delivery.arrived(entry, number, receipt)
        else:
            await self._delivery.refuse(entry, None, NEVER_ARRIVED, "not among X's events")

    async def _not_settled(self, unsettled: Unsettled, error: XError) -> None:
        survey_id = unsettled.entry.id
        if self._clock() < unsettled.begun + SETTLING + GIVING_UP:
            log.warning("Survey %s is not settled yet: %s", survey_id, error)
        elif await self._database.run_with_retry(give_up_settling, survey_id):
            log.warning("Survey %s stays uncertain, X has not told for days: %s", survey_id, error)


def _is_of(unsettled: Unsettled, receipt: Receipt) -> bool:
    survey = unsettled.entry.survey
    return (receipt.to_user_id, receipt.external_id) == (survey.recipient.id, survey.external_id)
