"""The weekly digest of the demo, which nobody has to wait for until Monday."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete

from bootstrap.resources import open_resources
from csat.background_tasks import Deadline
from csat.db.tables import digests
from csat.reporting.periods import DAYS_PER_WEEK, last_week
from csat.settings import Settings
from notifications.digest import POST_TIME, WeeklyDigest


async def post_digest(settings: Settings, now: datetime) -> None:
    """Post the digest as on the next Monday, even a second time; raises `SlackError` or `DatabaseError`."""
    monday = next_monday(now, settings.csat_timezone)
    week = last_week(monday, settings.csat_timezone).first.isoformat()
    async with open_resources(settings, lambda: monday, Deadline(settings.timeouts.shutdown)) as resources:
        await resources.database.run(_forget, week)
        await WeeklyDigest(resources).post_if_due()


def next_monday(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when the next digest is posted; on a Monday, that of the same day."""
    today = now.astimezone(zone).date()
    monday = today + timedelta(days=-today.weekday() % DAYS_PER_WEEK)
    return datetime.combine(monday, POST_TIME, tzinfo=zone)


def _forget(connection: Connection, week: str) -> None:
    connection.execute(delete(digests).where(digests.c.week == week))
