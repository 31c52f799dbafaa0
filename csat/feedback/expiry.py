"""Ends the wait for the answers of surveys about which nobody is polled."""

from csat.db import poll_queue
from csat.scheduler import PeriodicTask
from csat.shared_resources import Resources

BATCH_SIZE = 100
INTERVAL_SECONDS = 60


def periodic_task(resources: Resources) -> PeriodicTask:
    """Return the task for the scheduler, which each instance does for all accounts."""

    async def expire() -> None:
        await resources.database.run(poll_queue.expire_unpolled, resources.clock(), BATCH_SIZE)

    return PeriodicTask("ending the wait for answers", expire, INTERVAL_SECONDS)
