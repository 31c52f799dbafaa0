"""Low ratings in the results channel: that there is one, and who looks after it."""

import logging

from blocks import low_rating
from blocks.elements import Message
from csat.clock import Clock
from csat.db import follow_ups, outbox
from csat.db.database import Database
from csat.db.outbox import Notification, NotificationKind
from csat.slack_api.client import SlackClient
from csat.slack_api.errors import Unreachable
from csat.slack_api.rewriting import update_message
from csat.surveys.follow_ups import LowRating
from csat.surveys.questions import Catalogue
from notifications.following import NothingToUpdate, find_posted

log = logging.getLogger(__name__)


class LowRatingAlerts:
    """Tells supervisors of low ratings, where everybody in the channel can read it.

    Args:
        catalogue: the questions, to quote them.
        channel: where; "" for nowhere, as App Home lists them anyway.
    """

    def __init__(
        self, database: Database, slack: SlackClient, catalogue: Catalogue, clock: Clock, channel: str
    ) -> None:
        self._database = database
        self._slack = slack
        self._catalogue = catalogue
        self._clock = clock
        self._channel = channel

    async def tell(self, due: Notification) -> None:
        """Post an alert, or bring it up to date; raises `SlackError`, `NotPostedYet` or `NothingToUpdate`."""
        if due.kind is NotificationKind.LOW_RATING:
            await self._post(due)
        else:
            await self._rewrite(due)

    async def _post(self, due: Notification) -> None:
        rating = await self._database.read(follow_ups.find, due.survey_id)
        if rating is None or not self._channel:
            raise NothingToUpdate
        try:
            posted = await self._slack.poster.post_dm(self._channel, *await self._message(rating))
        except Unreachable as refusal:
            log.error(  # noqa: TRY400 - it is the operator's to mend
                "Slack does not let the app post in CSAT_RESULTS_CHANNEL (%s): invite it there", refusal
            )
            raise
        await self._database.run_with_retry(outbox.mark_sent, due, posted.channel, posted.ts, self._clock())

    async def _rewrite(self, due: Notification) -> None:
        place = await find_posted(self._database, due.survey_id, NotificationKind.LOW_RATING)
        told = False
        while not told:  # somebody else may have moved it on, and have been overtaken by our own words
            rating = await self._database.read(follow_ups.find, due.survey_id)
            message = await self._message(rating) if rating else low_rating.withdrawn_message()
            await update_message(self._slack.web, place.channel, place.ts, *message)
            as_told = rating.follow_up if rating else None
            told = await self._database.run_with_retry(follow_ups.followed, due, as_told, self._clock())

    async def _message(self, rating: LowRating) -> Message:
        link = await self._slack.link(rating.origin.channel, rating.ts)
        return low_rating.alert_message(rating, self._catalogue, link)
