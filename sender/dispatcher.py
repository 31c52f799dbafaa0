"""Takes accepted surveys to X: each one once, at once, and by whoever is there."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger import notices, sending
from ledger.engine import Ledger
from ledger.entries import Entry, Refusal
from ledger.errors import LedgerError
from ledger.notices import Due, Notice
from sender.announcer import Announcer
from sender.backoff import backoff
from surveys.clock import Clock
from surveys.limits import Denied, Limits, WhyNot
from surveys.survey import Receipt
from tasks import Tasks
from x.client import XClient
from x.errors import Refused, Uncertain, Wait

LONGEST_WAIT = timedelta(hours=24)
"""After this, a survey that X never took is refused."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How long the dispatcher takes its time; seconds."""

    patience: float = 3.0
    """When nothing is sent by then, the requester is told that it waits."""
    poll: float = 2.0
    """Between two looks for what others left."""
    batch: int = 8
    """How many surveys and notices are taken up at a look."""
    drowsy: float = 60.0
    """Without a look for so long, the dispatcher is not well."""


class Dispatcher:
    """Sends what the ledger holds; the states decide what follows.

    Args:
        instance: a name that no other running instance has.
        key: makes the key by which the ledger knows a customer from their id.
    """

    def __init__(
        self,
        ledger: Ledger,
        x: XClient,
        announcer: Announcer,
        clock: Clock,
        tasks: Tasks,
        instance: str,
        limits: Limits,
        key: Callable[[str], str],
        pace: Pace | None = None,
    ) -> None:
        self._ledger = ledger
        self._x = x
        self._announcer = announcer
        self._clock = clock
        self._tasks = tasks
        self._instance = instance
        self._limits = limits
        self._key = key
        self._pace = pace or Pace()
        self._stopping = False
        self._looked_at = time.monotonic()

    @property
    def awake(self) -> bool:
        """Whether the dispatcher has looked for work lately."""
        return time.monotonic() < self._looked_at + self._pace.drowsy

    def stop(self) -> None:
        """Begin nothing new; what has left for X is finished."""
        self._stopping = True

    def start(self, entry: Entry) -> None:
        """Begin to send a survey that this instance has claimed."""
        sending_it = self._tasks.start(self._send(entry), f"sending survey {entry.id}")
        self._tasks.start(self._keep_informed(entry.id, sending_it), f"waiting for survey {entry.id}")

    async def run(self) -> None:
        """Take up what is due, over and over, until cancelled; a look that fails does not end it."""
        while not self._stopping:
            await asyncio.wait({self._tasks.start(self.sweep(), "looking for work")})
            await asyncio.sleep(self._pace.poll)

    async def sweep(self) -> None:
        """Take up what is due: surveys and news that nobody took care of, and what must be forgotten."""
        try:
            await self._sweep(self._clock())
        except LedgerError as error:
            log.warning("The ledger can't be read: %s", error)
        else:
            self._looked_at = time.monotonic()

    async def _sweep(self, now: datetime) -> None:
        for survey_id in await self._ledger.run(sending.abandon, now):
            log.warning("Survey %s is uncertain: the instance that sent it is gone", survey_id)
            self._tasks.start(self._tell(survey_id, Notice.UNCERTAIN), f"telling of survey {survey_id}")
        for entry in await self._ledger.run(sending.claim, self._instance, now, self._pace.batch):
            self.start(entry)
        for due in await self._ledger.run(notices.claim_notices, now, self._pace.batch):
            self._tasks.start(self._announcer.tell(due), f"telling of survey {due.survey_id}")
        await self._ledger.run(sending.forget_response_urls, now)

    async def _send(self, entry: Entry) -> bool:
        """Send a survey as far as it goes now; whether it still waits."""
        try:
            entry = await self._resolved(entry)
        except (Refused, Wait) as error:
            return await self._not_sent(entry, None, error)
        except Denied as denied:
            await self._refuse(entry, None, _denial(denied.why_not), denied.why_not.reason)
            return False
        if self._stopping:
            await self._ledger.insist(sending.release, entry.id, self._instance)
            return False
        number = await self._ledger.run(sending.begin, entry, self._instance, self._clock())
        return number is not None and await self._attempt(entry, number)

    async def _attempt(self, entry: Entry, number: int) -> bool:
        try:
            receipt = await self._x.create(entry.survey)
        except (Refused, Wait) as error:
            return await self._not_sent(entry, number, error)
        except Uncertain as error:
            log.warning("Survey %s is uncertain: %s", entry.id, error)
            if await self._ledger.insist(sending.doubt, entry.id, number, error.detail, self._clock()):
                await self._tell(entry.id, Notice.UNCERTAIN)
        else:
            await self._sent(entry, number, receipt)
        return False

    async def _resolved(self, entry: Entry) -> Entry:
        if entry.survey.recipient.id:
            return entry
        account = await self._x.look_up(entry.survey.recipient)
        key = self._key(account.id)
        return await self._ledger.run(
            sending.resolve, entry, account.recipient, key, self._limits, self._clock()
        )

    async def _sent(self, entry: Entry, number: int, receipt: Receipt) -> None:
        log.info("Survey %s was sent as feedback %s", entry.id, receipt.id)
        if await self._ledger.insist(sending.sent, entry.id, number, receipt, self._clock()):
            await self._tell(entry.id, Notice.SENT)

    async def _not_sent(self, entry: Entry, number: int | None, error: Refused | Wait) -> bool:
        now = self._clock()
        log.info("Survey %s was not sent: %s", entry.id, error)
        last_try = entry.accepted_at + LONGEST_WAIT
        if isinstance(error, Wait) and now < last_try:
            until = min(_next_try(entry, error, now), last_try)
            if await self._ledger.insist(sending.wait, entry.id, number, until, error.detail, now):
                return True
        await self._refuse(entry, number, _refusal(error), error.detail)
        return False

    async def _refuse(self, entry: Entry, number: int | None, refusal: Refusal, detail: str) -> None:
        if await self._ledger.insist(sending.refuse, entry.id, number, refusal, detail, self._clock()):
            await self._tell(entry.id, Notice.REFUSED)

    async def _keep_informed(self, survey_id: int, sending_it: asyncio.Task[bool]) -> None:
        """Tell the requester that their survey waits, unless it is settled before their patience ends."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._pace.patience
        done, _ = await asyncio.wait({sending_it}, timeout=self._pace.patience)
        if done and (sending_it.exception() or not sending_it.result()):
            return
        await asyncio.sleep(deadline - loop.time())
        if await self._ledger.run(notices.give_waiting, survey_id, self._clock()):
            await self._tell(survey_id, Notice.WAITING)

    async def _tell(self, survey_id: int, kind: Notice) -> None:
        await self._announcer.tell(Due(survey_id=survey_id, kind=kind, tries=0))


def _next_try(entry: Entry, error: Wait, now: datetime) -> datetime:
    return max(error.until or now, now + backoff(entry.tries))


def _denial(why_not: WhyNot) -> Refusal:
    return Refusal(reason=why_not.reason, advice=why_not.sentence(), editable=True, again_at=why_not.again_at)


def _refusal(error: Refused | Wait) -> Refusal:
    if isinstance(error, Wait):
        advice = "X was too busy for this survey, so it was given up. Nothing was sent; try again later."
        return Refusal(reason="Wait", advice=advice, editable=True)
    return Refusal(reason=type(error).__name__, advice=error.sentence(), editable=error.editable)
