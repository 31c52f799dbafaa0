"""Alerts in the results channel: that there is a low rating, and who follows it up."""

import logging
from datetime import timedelta

from blocks import low_rating
from blocks.elements import Message
from csat.db import follow_ups, low_ratings, outbox
from csat.db.outbox import Notification, NotificationKind
from csat.problem_log import ProblemLog
from csat.shared_resources import Resources
from csat.slack_api.errors import SlackRefused
from csat.surveys.follow_ups import LowRating
from notifications.posted_notifications import NothingToUpdate, Postponed, find_posted

REFUSAL_WAIT = timedelta(minutes=30)
PATIENCE = timedelta(days=7)
"""How long after the rating an alert is tried: the repair of a channel isn't followed by those of a month."""

log = logging.getLogger(__name__)


class LowRatingAlerts:
    """Posts alerts and keeps them current; everybody in the channel reads them, so they hold no rating.

    Without a results channel nothing is posted: App Home lists low ratings anyway.
    """

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._slack = resources.slack
        self._catalogue = resources.catalogue
        self._clock = resources.clock
        self._channel = resources.settings.csat_results_channel
        self._refusals = ProblemLog(
            log, "Slack refuses posts in CSAT_RESULTS_CHANNEL (%s): invite the app, or set another channel"
        )

    async def post(self, notification: Notification) -> None:
        """Post an alert, unless the rating is not low after all.

        Raises `SlackError`, `Postponed` or `NothingToUpdate`.
        """
        if not self._channel:
            raise NothingToUpdate
        while True:
            rating = await self._database.read(low_ratings.find_low_rating, notification.survey.id)
            if rating and rating.is_low:
                break
            if await self._database.run_with_retry(follow_ups.drop_withdrawn_alert, notification):
                return
        try:
            posted = await self._slack.poster.post_dm(
                self._channel, *await self._message(rating, self._channel)
            )
        except SlackRefused as refusal:
            self._refusals.note(refusal)
            if (now := self._clock()) >= rating.follow_up.opened_at + PATIENCE:
                raise
            raise Postponed(now + REFUSAL_WAIT) from refusal
        self._refusals.end()
        await self._database.run_until_committed(
            outbox.mark_sent, notification, posted.channel, posted.ts, self._clock()
        )

    async def update(self, notification: Notification) -> None:
        """Update an alert; raises `SlackError`, `NotPostedYet` or `NothingToUpdate`."""
        survey_id = notification.survey.id
        posted = await find_posted(self._database, survey_id, NotificationKind.LOW_RATING)
        is_current = False
        while not is_current:  # the rating and its follow-up may change while Slack is called
            rating = await self._database.read(low_ratings.find_low_rating, survey_id)
            message = (
                await self._message(rating, posted.channel) if rating else low_rating.withdrawn_message()
            )
            await self._slack.poster.update_message(posted, *message)
            is_current = await self._database.run_with_retry(
                follow_ups.mark_alert_updated, notification, rating, self._clock()
            )

    async def _message(self, rating: LowRating, channel: str) -> Message:
        if await self._slack.shared_channels.includes(channel):
            return low_rating.anonymous_alert_message(rating, self._catalogue)
        link = await self._slack.message_url(rating.origin.channel, rating.ts)
        return low_rating.alert_message(rating, self._catalogue, link)
