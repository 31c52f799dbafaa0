"""People who ask for surveys, one after the other, and press again what did not work."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from typing import Final

from bench.torture.harness import Stage
from sandbox.slack import ActionOutcome, View, fixtures
from sandbox.slack.errors import SlackError

AGENTS: Final = (fixtures.ADA, fixtures.BEN, fixtures.CLEO)
ACCEPTED: Final = (ActionOutcome.CLOSED, ActionOutcome.CLEARED, ActionOutcome.ACKNOWLEDGED)
BY_HANDLE: Final = 0.15
GIVES_UP: Final = 0.02
"""How often somebody closes the form after a failure, not knowing whether it was accepted."""
OPENING: Final = 1.0
"""Seconds until somebody types the command again."""
BREATH: Final = 0.05
MOST_TRIES: Final = 200

_numbers = itertools.count(1)


class Crowd:
    """Three agents at work, and what they did.

    Args:
        most: after so many surveys they stop by themselves.
    """

    def __init__(self, stage: Stage, rng: random.Random, most: int = 100_000) -> None:
        self._stage = stage
        self._rng = rng
        self._left = most
        self.submitted: list[str] = []
        """The customers, as they were typed."""
        self.acknowledged: list[str] = []

    def stop(self) -> None:
        """Let everybody finish what they have begun, and begin nothing new."""
        self._left = 0

    async def work(self) -> None:
        """Ask, until told to stop."""
        async with asyncio.TaskGroup() as agents:
            for agent in AGENTS:
                agents.create_task(self._work(agent))

    async def _work(self, agent: str) -> None:
        while self._left > 0:
            self._left -= 1
            await self._ask(agent)
            await asyncio.sleep(BREATH * self._rng.random())

    async def _ask(self, agent: str) -> None:
        customer = self._stage.customer(next(_numbers), handle=self._rng.random() < BY_HANDLE)
        if not await self._opened(agent, customer):
            return
        self.submitted.append(customer)
        for _ in range(MOST_TRIES):
            with contextlib.suppress(SlackError):
                seen = await self._stage.workspace.submit_view(agent)
                if seen.outcome in ACCEPTED:
                    self.acknowledged.append(customer)
                    return
            if self._rng.random() < GIVES_UP:
                return
            await asyncio.sleep(BREATH * (1 + self._rng.random()))

    async def _opened(self, agent: str, customer: str) -> View | None:
        workspace = self._stage.workspace
        for _ in range(MOST_TRIES):
            with contextlib.suppress(SlackError):
                await workspace.close_all_views(agent)
            with contextlib.suppress(SlackError, TimeoutError):
                seen = await workspace.run_command(agent, fixtures.SUPPORT, f"/csat {customer}")
                if seen.outcome is not ActionOutcome.FAILED:
                    return await workspace.wait_until(lambda: workspace.current_view(agent), OPENING)
            if not self._left:
                return None
            await asyncio.sleep(BREATH)
        return None


@contextlib.asynccontextmanager
async def working(crowd: Crowd) -> AsyncIterator[None]:
    """Let a crowd work beside the block; whoever has begun finishes after it: there must be a victim then."""
    async with asyncio.TaskGroup() as beside:
        beside.create_task(crowd.work())
        try:
            yield
        finally:
            crowd.stop()
