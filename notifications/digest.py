"""The weekly digest in the results channel: last week's figures against the week before."""

import asyncio
import logging
from datetime import UTC, datetime, time, timedelta

from blocks.digest import digest_message
from csat.db import digests, low_ratings
from csat.reporting.periods import Period, last_week
from csat.reporting.report_builder import fetch_report
from csat.reporting.report_model import Filters, Report
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources
from csat.slack_api.errors import SlackError, SlackUnavailable
from csat.surveys.questions import Metric

POST_TIME = time(9)
"""On Mondays, in the time zone of reports."""

CHECK_SECONDS = 60.0
RETRY_AFTER = timedelta(minutes=1)
RETRY_AFTER_REFUSAL = timedelta(minutes=30)
"""Somebody has to let the app into the channel first."""

log = logging.getLogger(__name__)


class WeeklyDigest:
    """Posts each week's digest once over all instances, also later in the week if none ran on Monday."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._slack = resources.slack
        self._clock = resources.clock
        self._channel = resources.settings.csat_results_channel
        self._timezone = resources.settings.csat_timezone
        self._settled: tuple[str, str] | None = None

    def periodic_task(self) -> PeriodicTask:
        """Return the task for the scheduler."""
        return PeriodicTask("posting the weekly digest", self.post_if_due, CHECK_SECONDS)

    async def post_if_due(self) -> None:
        """Post last week's digest if it is due; raises `SlackError` or `DatabaseError`."""
        now = self._clock()
        week = last_week(now, self._timezone)
        if now < due_at(week):
            return
        key = await self._slack.team_id(), week.first.isoformat()
        if key == self._settled:
            return
        if await self._database.read(digests.is_finished, *key):
            self._settled = key
        elif await self._database.run(digests.claim, *key, now):
            await self._post(week, *key)

    async def _post(self, week: Period, team: str, name: str) -> None:
        try:
            supervisors = await self._slack.permissions.list_supervisors()
            reports = await self._fetch_reports(week, team, supervisors)
            if not reports:
                await self._database.run_with_retry(digests.mark_empty, team, name)
                return
            waiting = await self._database.read(low_ratings.summarize_open, team, supervisors)
            await self._database.run(digests.record_access, team, name, self._channel, self._clock())
            await self._slack.poster.post_dm(self._channel, *digest_message(reports, waiting))
        except SlackError as error:
            await self._postpone(error, team, name)
        else:
            await self._database.run_until_committed(digests.mark_sent, team, name, self._clock())

    async def _fetch_reports(self, week: Period, team: str, supervisors: frozenset[str]) -> list[Report]:
        """Return a report for each metric that has data, without the surveys of those who read reports."""
        filters = [Filters(team=team, metric=metric, exclude_requesters=supervisors) for metric in Metric]
        now = self._clock()
        reports = await asyncio.gather(*(fetch_report(self._database, each, week, now) for each in filters))
        return [report for report in reports if _has_data(report)]

    async def _postpone(self, error: SlackError, team: str, name: str) -> None:
        is_busy = isinstance(error, SlackUnavailable)
        wait = (
            max(RETRY_AFTER, timedelta(seconds=error.retry_after))
            if isinstance(error, SlackUnavailable)
            else RETRY_AFTER_REFUSAL
        )
        advice = "" if is_busy else ": invite the app to CSAT_RESULTS_CHANNEL"
        log.warning("The digest of %s was not posted (%s)%s", name, error, advice)
        await self._database.run_with_retry(digests.reschedule, team, name, self._clock() + wait)


def due_at(week: Period) -> datetime:
    """Return when a week's digest is due, in UTC: Monday after it, 09:00."""
    monday = week.last + timedelta(days=1)
    return datetime.combine(monday, POST_TIME, tzinfo=week.zone).astimezone(UTC)


def _has_data(report: Report) -> bool:
    return bool(report.current.sent or report.excluded)
