"""Deletes the secrets of links that are too old to be answered."""

from csat.db.rating_link_secrets import delete_expired_rating_link_secrets
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources

INTERVAL_SECONDS = 3_600


def periodic_task(resources: Resources) -> PeriodicTask:
    """Return the task for the scheduler, which each instance does, also without the page."""

    async def delete() -> None:
        await resources.database.run(delete_expired_rating_link_secrets, resources.clock())

    return PeriodicTask("deleting old secrets of links", delete, INTERVAL_SECONDS)
