"""What the results channel reads on Monday morning: last week against the week before."""

import asyncio
import logging
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from blocks.digest import digest_message
from csat.clock import Clock
from csat.db import digests
from csat.db.database import Database
from csat.reporting.periods import Period, last_week
from csat.reporting.report_builder import fetch_report
from csat.reporting.reports import Filters, Report
from csat.slack_api.client import SlackClient
from csat.slack_api.errors import Busy, SlackError
from csat.surveys.questions import Metric

NINE = time(9)
LOOKING = 60.0
"""Seconds between two looks at the clock."""
SOON = timedelta(minutes=1)
LATER = timedelta(minutes=30)
"""When it is tried again where Slack is busy, and where somebody has to let the app into the channel."""

log = logging.getLogger(__name__)


class Digest:
    """Tells of each week once, over all instances; also later in the week, when nobody was up at nine.

    Args:
        channel: where, which is not empty.
        zone: where it is to be Monday, 09:00.
    """

    def __init__(
        self, database: Database, slack: SlackClient, clock: Clock, channel: str, zone: ZoneInfo
    ) -> None:
        self._database = database
        self._slack = slack
        self._clock = clock
        self._channel = channel
        self._zone = zone
        self._settled: tuple[str, str] | None = None

    async def look(self) -> None:
        """Tell of last week if it is time to and nobody did; raises `SlackError` or `DatabaseError`."""
        now = self._clock()
        week = last_week(now, self._zone)
        if now < told_from(week):
            return
        this = await self._slack.identity.team(), week.first.isoformat()
        if this == self._settled:
            return
        if await self._database.read(digests.is_settled, *this):
            self._settled = this
        elif await self._database.run(digests.claim, *this, now):
            await self._tell(week, *this)

    async def _tell(self, week: Period, team: str, name: str) -> None:
        every = [fetch_report(self._database, Filters(team=team, metric=metric), week) for metric in Metric]
        worth_telling = [each for each in await asyncio.gather(*every) if _says_something(each)]
        if not worth_telling:
            await self._database.run_with_retry(digests.has_nothing, team, name)
            return
        await self._database.run(digests.note_reader, team, name, self._channel, self._clock())
        try:
            await self._slack.poster.post_dm(self._channel, *digest_message(worth_telling))
        except SlackError as error:
            await self._put_off(error, team, name)
        else:
            await self._database.run_with_retry(digests.told, team, name, self._clock())

    async def _put_off(self, error: SlackError, team: str, name: str) -> None:
        wait = max(SOON, timedelta(seconds=error.seconds)) if isinstance(error, Busy) else LATER
        advice = "" if isinstance(error, Busy) else ": invite the app to CSAT_RESULTS_CHANNEL"
        log.warning("The digest of %s is not told yet (%s)%s", name, error, advice)
        await self._database.run_with_retry(digests.tell_later, team, name, self._clock() + wait)


def told_from(week: Period) -> datetime:
    """Return the moment from which a week is told of: Monday, 09:00, in UTC."""
    monday = week.last + timedelta(days=1)
    return datetime.combine(monday, NINE, tzinfo=week.zone).astimezone(UTC)


def _says_something(each: Report) -> bool:
    return bool(each.now.sent or each.now.rated)
