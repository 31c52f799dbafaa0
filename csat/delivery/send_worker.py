"""Takes accepted surveys to X: at once, or when their time comes, and never too many together."""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime

from csat.clock import Clock
from csat.db import outbox, send_queue
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.outbox import Notification, NotificationKind
from csat.db.survey_records import SurveyRecord
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.delivery import LONGEST_WAIT, Delivery
from csat.delivery.later import suppress_db_errors
from csat.delivery.reconciler import Reconciler
from csat.tasks import BackgroundTasks
from notifications.notifier import Notifier

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerConfig:
    """How long the dispatcher takes its time; seconds, and how much it takes on."""

    notify_after: float = 3.0
    """When nothing is sent by then, the requester is told that it waits."""
    poll_interval: float = 2.0
    """Between two looks for what others left."""
    concurrency: int = 8
    """How many surveys are on their way at once."""
    interval_scale: float = 1.0
    """What the rests of all other rounds are multiplied by."""
    stale_after: float = 60.0
    """Without a look for so long, the dispatcher is not well."""


class SendWorker:
    """Gives each survey its turn.

    Args:
        instance: a name that no other running instance has.
    """

    def __init__(
        self,
        database: Database,
        announcer: Notifier,
        delivery: Delivery,
        pausing: CircuitBreaker,
        settler: Reconciler,
        clock: Clock,
        tasks: BackgroundTasks,
        instance: str,
        pace: WorkerConfig,
    ) -> None:
        self._database = database
        self._announcer = announcer
        self._delivery = delivery
        self._pausing = pausing
        self._settler = settler
        self._clock = clock
        self._tasks = tasks
        self._instance = instance
        self._pace = pace
        self._slots = asyncio.Semaphore(pace.concurrency)
        self._under_way: set[int] = set()
        self._taken_up: set[int] = set()
        self._stopping = False
        self._looked_at = time.monotonic()

    @property
    def awake(self) -> bool:
        """Whether the dispatcher has looked for work lately."""
        return time.monotonic() < self._looked_at + self._pace.stale_after

    def stop(self) -> None:
        """Begin nothing new; what has left for X is finished."""
        self._stopping = True
        self._delivery.stop()

    def start(self, entry: SurveyRecord) -> None:
        """Begin to send a survey that this instance has claimed, unless it is under way already."""
        if entry.id not in self._under_way:
            self._under_way.add(entry.id)
            on_its_way = self._tasks.start(self._send(entry), f"sending survey {entry.id}")
            informing = suppress_db_errors(self._keep_informed(entry.id, on_its_way))
            self._tasks.start(informing, f"waiting for survey {entry.id}")

    def tell(self, survey_id: int, kind: NotificationKind) -> None:
        """Tell Slack at once what somebody has just settled."""
        self._announcer.announce(Notification(survey_id=survey_id, kind=kind, attempts=0))

    async def run(self) -> None:
        """Take up what is due, over and over, until cancelled; a look that fails does not end it."""
        while not self._stopping:
            await asyncio.wait({self._tasks.start(self.sweep(), "looking for work")})
            await asyncio.sleep(self._pace.poll_interval)

    async def sweep(self) -> None:
        """Take up what is due: surveys and news that nobody took care of, and what must be forgotten."""
        try:
            await self._sweep(self._clock())
        except DatabaseError as error:
            log.warning("The ledger can't be read: %s", error)
        else:
            self._looked_at = time.monotonic()

    async def _sweep(self, now: datetime) -> None:
        most = self._pace.concurrency
        for survey_id in await self._database.run(send_queue.mark_stalled, now):
            log.warning("Survey %s is uncertain: the instance that sent it is gone", survey_id)
            self.tell(survey_id, NotificationKind.UNCERTAIN)
        free = most - len(self._taken_up)  # beside its own: what others left waits for no quiet moment
        for entry in await self._database.run(send_queue.claim, self._instance, now, free):
            self._taken_up.add(entry.id)
            self.start(entry)
        for entry, refusal in await self._database.run(send_queue.list_overdue, now - LONGEST_WAIT, most):
            await self._delivery.refuse(entry, None, refusal, "its account was paused for too long")
        for unsettled in await self._database.run(send_queue.claim_unsettled, now, most):
            settling = suppress_db_errors(self._settler.settle(unsettled))
            self._tasks.start(settling, f"settling survey {unsettled.entry.id}")
        for due in await self._database.run(outbox.claim_notifications, now, most):
            self._announcer.announce(due)
        await self._database.run(send_queue.erase_response_urls, now)
        await self._pausing.probe()

    async def _send(self, entry: SurveyRecord) -> bool:
        """Send a survey as far as it goes now; whether it still waits."""
        try:
            async with self._slots:
                return await self._delivery.send(entry)
        except DatabaseError as error:
            log.warning("Survey %s waits for the ledger: %s", entry.id, error)
            return True
        finally:
            self._under_way.discard(entry.id)
            self._taken_up.discard(entry.id)

    async def _keep_informed(self, survey_id: int, on_its_way: asyncio.Task[bool]) -> None:
        """Tell the requester that their survey waits, unless it is settled before their patience ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._pace.notify_after
        done, _ = await asyncio.wait({on_its_way}, timeout=self._pace.notify_after)
        if done and (on_its_way.cancelled() or on_its_way.exception() or not on_its_way.result()):
            return
        await asyncio.sleep(deadline - loop.time())
        if await self._database.run(outbox.enqueue_waiting, survey_id, self._clock()):
            await self._announcer.tell(
                Notification(survey_id=survey_id, kind=NotificationKind.WAITING, attempts=0)
            )
