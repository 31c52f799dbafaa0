"""A pretend Slack, a pretend X, a ledger, and the victims between them."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from bench.torture.app_process import Plan
from bench.torture.clock import LeapingClock
from bench.torture.db_reader import Book
from bench.torture.failpoints import Strike
from bench.torture.processes import Herd, Victim
from cli import manifest
from csat.settings import Settings
from csat.web import slack_events
from sandbox.pubsub import PubSub
from sandbox.serving import serve
from sandbox.slack import Workspace
from sandbox.traffic import TrafficLog
from sandbox.x import FakeX, Webhook
from sandbox.x.accounts import Customer
from sandbox.x.rate_limits import Endpoint
from tests.databases import Databases
from tests.world import settings_for

PLENTY: Final = 1_000_000
"""What is not to be short of: X's quotas are tested elsewhere."""
ACK_SECONDS: Final = 1.5
"""How long Slack waits for an acknowledgement here."""

WEBHOOK: Final = Webhook("/x/feedback", "x", "secret of the webhook")
"""How X makes itself known, and where; it pushes nothing by itself."""

SENT_AND_TOLD: Final = slice(3)
SETTLED: Final = slice(4)
"""Figures of `Book.under_way`."""

LOG: Final = "victim.log"
"""What the victims say, in the folder of their stage."""

STILL: Final = 1.2
"""Seconds without a change after which what is left waits for its time."""
LOOK: Final = 0.05
MOST_LEAPS: Final = 120
LEASES_OVER: Final = 61.0
"""After so many seconds everything that a dead process held is free."""
LONGEST_LEAP: Final = 1_800.0
A_DAY_LATER: Final = 25 * 3_600.0


class Stage:
    """What one case plays on."""

    def __init__(
        self,
        workspace: Workspace,
        x: FakeX,
        herd: Herd,
        databases: Databases,
        settings: Settings,
        log: Path,
    ) -> None:
        self.workspace = workspace
        self.x = x
        self.databases = databases
        self.book = Book(settings.database_url.get_secret_value())
        self._herd = herd
        self._settings = settings
        self._log = log

    @property
    def file(self) -> str:
        """Where the ledger is, on SQLite."""
        return self._settings.database_url.get_secret_value().removeprefix("sqlite:///")

    @property
    def settings(self) -> Settings:
        """How the victims are set up."""
        return self._settings

    @property
    def log(self) -> str:
        """What the victims have said."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def clock(self) -> LeapingClock:
        """Everybody's clock."""
        return self._herd.clock

    async def start(self, strike: Strike | None = None, room: int | None = None) -> Victim:
        """Start a victim, and let Slack reach it."""
        victim = await self._herd.start(Plan(self._settings, self._log, strike, room))
        if victim.url and not self._settings.slack_app_token:
            self.workspace.deliver_over_http(f"{victim.url}{slack_events.PATH}")
        return victim

    def customer(self, number: int, *, handle: bool) -> str:
        """Let X know one more customer, and return what a person types."""
        known = Customer(f"77{number:010}", f"t{number:07}", f"Customer {number}")
        if handle:
            self.x.customers.append(known)
            self.x.allowlist.add(known.handle)
            return f"@{known.handle}"
        self.x.allowlist.add(f"u{known.id}")  # X must record what is sent twice, not refuse it
        return known.id

    async def settle(self) -> bool:
        """Let time pass, and a day more, until a living victim has nothing left to do; whether it has."""
        await self.quiet(SENT_AND_TOLD)
        self.clock.leap(A_DAY_LATER)
        return await self.quiet(SETTLED)

    async def quiet(self, figures: slice) -> bool:
        """Let time pass until these figures of the ledger are nought; whether it came to that."""
        leap = LEASES_OVER
        for _ in range(MOST_LEAPS):
            if await self.still(figures):
                return True
            self.clock.leap(leap)
            leap = min(leap * 1.5, LONGEST_LEAP)
        return False

    async def still(self, figures: slice) -> bool:
        """Wait until nothing changes any more; whether that is because nothing is left to do."""
        loop, before = asyncio.get_running_loop(), [-1]
        changed_at = loop.time()
        while loop.time() < changed_at + STILL:
            now = self.book.under_way()
            if now and not any(now[figures]):
                return True
            if now != before or not now:
                before, changed_at = now, loop.time()
            await asyncio.sleep(LOOK)
        return False


@contextlib.asynccontextmanager
async def staged(
    herd: Herd, databases: Databases, kind: str, folder: Path, *, socket: bool = False
) -> AsyncIterator[Stage]:
    """Serve a pretend Slack and X beside a new database; at the end all victims are killed."""
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    workspace = Workspace(manifest.load(), herd.clock, pubsub, traffic, ack_timeout=ACK_SECONDS)
    x = FakeX(herd.clock, pubsub, traffic)
    x.accepts_any_recipient = True
    for endpoint in (Endpoint.CREATE, Endpoint.EVENTS, Endpoint.LOOKUP):
        x.rate_limits[endpoint].limit = PLENTY
    async with workspace.serve() as slack_url, serve(x.app) as x_url:
        settings = settings_for(
            workspace,
            slack_url,
            x,
            x_url,
            socket=socket,
            database_url=databases.make(kind, folder),
            csat_cooldown_days=0,
            csat_daily_limit=PLENTY,
            x_webhook_user=WEBHOOK.user,
            x_webhook_password=WEBHOOK.password,
        )
        try:
            yield Stage(workspace, x, herd, databases, settings, folder / LOG)
        finally:
            await herd.end()


async def resume(victim: Victim) -> None:
    """Let a stopped victim go on."""
    victim.signal(signal.SIGCONT)
    await asyncio.sleep(LOOK)
