"""Low ratings in the results channel: that there is one, and who looks after it."""

import logging

from blocks import low_rating
from blocks.kit import Message
from csat.clock import Clock
from csat.db import follow_ups, outbox
from csat.db.database import Ledger
from csat.db.outbox import Due, Notice
from csat.slack_api.client import Slack
from csat.slack_api.errors import Unreachable
from csat.slack_api.rewriting import rewrite
from csat.surveys.follow_ups import LowRating
from csat.surveys.questions import Catalogue
from notifications.following import Unwanted, posted_as

log = logging.getLogger(__name__)


class Alerts:
    """Tells supervisors of low ratings, where everybody in the channel can read it.

    Args:
        catalogue: the questions, to quote them.
        channel: where; "" for nowhere, as App Home lists them anyway.
    """

    def __init__(
        self, ledger: Ledger, slack: Slack, catalogue: Catalogue, clock: Clock, channel: str
    ) -> None:
        self._ledger = ledger
        self._slack = slack
        self._catalogue = catalogue
        self._clock = clock
        self._channel = channel

    async def tell(self, due: Due) -> None:
        """Post an alert, or bring it up to date; raises `SlackError`, `NotYet` or `Unwanted`."""
        if due.kind is Notice.LOW:
            await self._post(due)
        else:
            await self._rewrite(due)

    async def _post(self, due: Due) -> None:
        rating = await self._ledger.read(follow_ups.find, due.survey_id)
        if rating is None or not self._channel:
            raise Unwanted
        try:
            posted = await self._slack.poster.direct(self._channel, *await self._message(rating))
        except Unreachable as refusal:
            log.error(  # noqa: TRY400 - it is the operator's to mend
                "Slack does not let the app post in CSAT_RESULTS_CHANNEL (%s): invite it there", refusal
            )
            raise
        await self._ledger.insist(outbox.told, due, posted.channel, posted.ts, self._clock())

    async def _rewrite(self, due: Due) -> None:
        place = await posted_as(self._ledger, due.survey_id, Notice.LOW)
        told = False
        while not told:  # somebody else may have moved it on, and have been overtaken by our own words
            rating = await self._ledger.read(follow_ups.find, due.survey_id)
            message = await self._message(rating) if rating else low_rating.withdrawn()
            await rewrite(self._slack.web, place.channel, place.ts, *message)
            as_told = rating.follow_up if rating else None
            told = await self._ledger.insist(follow_ups.followed, due, as_told, self._clock())

    async def _message(self, rating: LowRating) -> Message:
        link = await self._slack.link(rating.origin.channel, rating.ts)
        return low_rating.alert(rating, self._catalogue, link)
