"""The protocol of transports; `csat.surveys.transports` holds the facts about each."""

from collections.abc import Mapping
from typing import Protocol

from csat.db.reconciliation import UncertainAttempt
from csat.db.survey_records import SurveyRecord
from csat.surveys.receipt import Receipt
from csat.surveys.recipients import Recipient
from csat.surveys.responses import Update
from csat.surveys.transports import TransportName


class Transport(Protocol):
    """Delivers surveys, and finds those again whose delivery was not confirmed."""

    async def look_up(self, recipient: Recipient) -> Recipient:
        """Return a recipient with their id; raises `Refused` or `RetryLater`."""
        ...

    async def send(self, record: SurveyRecord) -> Receipt:
        """Send a survey whose recipient's id is known; not idempotent.

        Raises:
            Refused: the survey will not be delivered.
            RetryLater: the survey was not delivered.
            Uncertain: the survey may have been delivered.
        """
        ...

    async def find_delivered(self, attempt: UncertainAttempt) -> list[Update] | None:
        """Return what has reached the customer and may be an uncertain survey; raises `TransportError`.

        Returns `None` if the transport can't look for it.
        """
        ...


Transports = Mapping[TransportName, Transport]
"""The transports that an instance can use."""
