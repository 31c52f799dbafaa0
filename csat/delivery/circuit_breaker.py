"""Pauses the X account of an instance if X refuses its requests, and resumes it once X accepts them again."""

import logging
from dataclasses import dataclass

from csat.db import account_pauses
from csat.shared_resources import Resources
from csat.surveys.transport_errors import TransportError
from csat.x_api.error_explanations import explain
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS, PARTIAL_REFUSALS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resumed:
    """X accepts the account again, and it is not paused any more."""


@dataclass(frozen=True)
class NotPaused:
    """The account was not paused."""


@dataclass(frozen=True)
class StillPaused:
    """X still does not accept the account."""

    refusal: type[AccountRefused]


ResumeResult = Resumed | NotPaused | StillPaused


class CircuitBreaker:
    """Pauses the account that X's client signs for, probes it, and resumes it; idle if there is none."""

    def __init__(self, resources: Resources) -> None:
        self._database = resources.database
        self._metrics = resources.metrics
        self._x = resources.x
        self._account = resources.account
        self._clock = resources.clock

    async def pause(self, error: AccountRefused) -> None:
        """Pause the account; its operators are alerted once per outage."""
        cause, advice = type(error).__name__, error.sentence()
        if await self._database.run_until_committed(
            account_pauses.pause,
            self._account,
            cause,
            advice,
            self._clock(),
            concerns_all_requests=error.concerns_all_requests,
        ):
            log.error(
                "Account %s is paused: its surveys wait until X accepts them again. %s",
                self._account,
                error.fix,
            )
            self._metrics.count_pause(cause)

    async def pause_if_refused(self, error: TransportError) -> None:
        """Pause the account if X refuses every request for the cause of an error, not only one endpoint's."""
        if isinstance(error, AccountRefused) and error.concerns_all_requests:
            await self.pause(error)

    async def check(self) -> None:
        """Ask X whether it accepts the account, and log it; pause or resume the account by the answer.

        Raises `DatabaseError`.
        """
        if self._x is None:
            return
        is_paused = bool(await self._database.read(account_pauses.get_pause_cause, self._account))
        try:
            await self._x.get_me()
        except TransportError as error:
            await self.pause_if_refused(error)
            if not isinstance(error, AccountRefused):  # the client has logged those
                log.warning("X doesn't say whether it accepts this app's keys: %s", explain(error))
        else:
            log.info("X accepts this app's keys: surveys are sent by the account %s", self._account)
            if is_paused:  # before X was asked, as a pause that began meanwhile has a newer answer of X
                await self._end_pause()

    async def probe(self) -> None:
        """Ask X whether the account works again, if it is paused and a probe is due."""
        if self._x is None:
            return
        if not await self._database.run(account_pauses.claim_probe, self._account, self._clock()):
            return
        try:
            await self._x.get_me()
        except AccountRefused:
            pass  # the client has logged it, once
        except TransportError as error:
            log.warning("Account %s stays paused: %s", self._account, error)
        else:
            await self._end_pause()

    async def resume(self, operator: str, ts: str) -> ResumeResult:
        """Ask X at once, for the operator of an alert, whether a paused account works again.

        If X refuses it once more after that, its operators are alerted again. Raises `DatabaseError`.
        """
        cause = await self._database.read(account_pauses.get_pause_cause, self._account)
        if self._x is None or not cause:
            return NotPaused()
        try:
            await self._x.get_me()
        except TransportError as error:
            known = ACCOUNT_REFUSALS.get(cause, AccountRefused)
            return StillPaused(type(error) if isinstance(error, AccountRefused) else known)
        log.warning("An operator resumed the account %s: its surveys are tried again", self._account)
        await self._database.run_with_retry(
            account_pauses.resume_manually, self._account, operator, ts, self._clock()
        )
        return Resumed()

    async def _end_pause(self) -> None:
        cause = await self._database.read(account_pauses.get_pause_cause, self._account)
        if cause not in PARTIAL_REFUSALS:
            log.warning("X accepts the account %s again: its surveys are tried again", self._account)
        else:
            log.info(
                "X answers the account %s: its surveys are tried, which X may still refuse", self._account
            )
        await self._database.run_with_retry(account_pauses.resume, self._account, self._clock())
