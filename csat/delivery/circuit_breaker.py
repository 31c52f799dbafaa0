"""Pauses an X account whose requests X refuses, and resumes it once X accepts them again."""

import logging

from csat.clock import Clock
from csat.db import x_accounts
from csat.db.database import Database
from csat.x_api.client import XClient
from csat.x_api.errors import Refused, XError

log = logging.getLogger(__name__)


class CircuitBreaker:
    """Pauses accounts, probes them, and resumes them."""

    def __init__(self, database: Database, x: XClient, clock: Clock) -> None:
        self._database = database
        self._x = x
        self._clock = clock

    async def pause(self, account: str, error: Refused) -> None:
        """Pause an account; its operators are alerted once per cause and day."""
        cause, advice = type(error).__name__, error.sentence()
        if await self._database.run_with_retry(x_accounts.pause, account, cause, advice, self._clock()):
            log.error("Account %s is paused: %s", account, error)

    async def probe(self) -> None:
        """Ask X whether paused accounts work again, those that are due."""
        for account in await self._database.run(x_accounts.claim_probes, self._clock()):
            try:
                await self._x.get_me()
            except XError as error:
                log.warning("Account %s stays paused: %s", account, error)
            else:
                log.warning("Account %s is resumed", account)
                await self._database.run_with_retry(x_accounts.resume, account)
