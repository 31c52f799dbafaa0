"""What became of an attempt whose outcome is unknown: X's own record tells, a day later."""

import logging
from datetime import timedelta

from ledger.engine import Ledger
from ledger.entries import Refusal
from ledger.sending import Unsettled
from sender.delivery import Delivery
from surveys.clock import Clock
from surveys.survey import Receipt
from x.client import XClient
from x.errors import XError

AROUND = timedelta(minutes=5)
"""How far X's time for an attempt may be from ours."""

NEVER_ARRIVED = Refusal(
    reason="NeverArrived",
    advice="X has no record of this survey, so it did not arrive. You can send it again.",
    editable=True,
)

log = logging.getLogger(__name__)


class Settler:
    """Settles uncertain surveys, matched by account, recipient, external id and time."""

    def __init__(self, ledger: Ledger, x: XClient, delivery: Delivery, clock: Clock) -> None:
        self._ledger = ledger
        self._x = x
        self._delivery = delivery
        self._clock = clock

    async def settle(self, unsettled: Unsettled) -> None:
        """Settle one survey, if X tells."""
        entry, number, begun = unsettled
        try:
            pages = [page async for page in self._x.events(begun - AROUND, begun + AROUND)]
        except XError as error:
            log.warning("Survey %s is not settled yet: %s", entry.id, error)
            return
        told = (update.receipt for page in pages for update in page.updates)
        if receipt := next((one for one in told if _is_of(unsettled, one)), None):
            await self._delivery.arrived(entry, number, receipt)
        else:
            await self._delivery.refuse(entry, None, NEVER_ARRIVED, "not among X's events")


def _is_of(unsettled: Unsettled, receipt: Receipt) -> bool:
    survey = unsettled.entry.survey
    return (receipt.to_user_id, receipt.external_id) == (survey.recipient.id, survey.external_id)
