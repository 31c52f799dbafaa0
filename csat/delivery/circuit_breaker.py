"""Trouble with the account or the app as a whole: everything waits, whoever can mend it is told, once."""

import logging
from collections.abc import Iterable

from blocks.elements import plain_message
from csat.clock import Clock
from csat.db import accounts
from csat.db.database import Database
from csat.slack_api.errors import SlackError
from csat.slack_api.posting import Poster
from csat.x_api.client import XClient
from csat.x_api.errors import Refused, XError

log = logging.getLogger(__name__)


class CircuitBreaker:
    """Pauses accounts, probes them, and lets them go on.

    Args:
        operators: the Slack users who run the app.
    """

    def __init__(
        self, database: Database, x: XClient, poster: Poster, operators: Iterable[str], clock: Clock
    ) -> None:
        self._database = database
        self._x = x
        self._poster = poster
        self._operators = sorted(operators)
        self._clock = clock

    async def pause(self, account: str, error: Refused) -> None:
        """Let an account's surveys wait, and tell the operators why, unless they know that already."""
        cause, advice = type(error).__name__, error.sentence()
        if await self._database.run_with_retry(accounts.pause, account, cause, advice, self._clock()):
            log.error("Account %s is paused: %s", account, error)
            words = f"Surveys wait, because X refuses them. {advice} They go on by themselves once it works."
            await self._tell_operators(words)

    async def probe(self) -> None:
        """Ask X whether a paused account works again, where it is time to."""
        for account in await self._database.run(accounts.claim_probes, self._clock()):
            try:
                await self._x.me()
            except XError as error:
                log.warning("Account %s stays paused: %s", account, error)
            else:
                log.warning("Account %s goes on", account)
                await self._database.run_with_retry(accounts.resume, account)

    async def _tell_operators(self, words: str) -> None:
        for operator in self._operators:
            try:
                await self._poster.post_dm(operator, *plain_message(words))
            except SlackError as error:
                log.warning("Operator %s could not be told: %s", operator, error)
