"""Agents who survey customers one after another, and retry what fails."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from typing import Final

from bench.torture.harness import Harness
from sandbox.slack import ActionOutcome, View, fixtures
from sandbox.slack.errors import SlackError

AGENTS: Final = (fixtures.ADA, fixtures.BEN, fixtures.CLEO)
ACKNOWLEDGED: Final = (ActionOutcome.CLOSED, ActionOutcome.CLEARED, ActionOutcome.ACKNOWLEDGED)
HANDLE_RATE: Final = 0.15
ABANDON_RATE: Final = 0.02
"""How often an agent closes the form after a failure, not knowing whether the survey was accepted."""
OPEN_TIMEOUT_SECONDS: Final = 1.0
ACKNOWLEDGEMENT_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.05
MAX_TRIES: Final = 200

_numbers = itertools.count(1)


class Users:
    """Three agents at work, and what they submitted.

    Args:
        max_surveys: they stop after so many.
        handle_rate: how often they give a recipient by handle instead of id.
    """

    def __init__(
        self,
        harness: Harness,
        rng: random.Random,
        max_surveys: int = 100_000,
        handle_rate: float = HANDLE_RATE,
    ) -> None:
        self._harness = harness
        self._rng = rng
        self._surveys_left = max_surveys
        self._handle_rate = handle_rate
        self.submitted: list[str] = []
        """The recipients, as typed."""
        self.acknowledged: list[str] = []

    @contextlib.asynccontextmanager
    async def in_background(self) -> AsyncIterator[None]:
        """Work until the block ends, and then finish what has begun: the app must be running then."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.work())
            try:
                yield
            finally:
                self._surveys_left = 0

    async def wait_for_acknowledgement(self) -> None:
        """Wait until a survey that is submitted from now on, not only again, is acknowledged."""
        earlier = len(self.submitted)
        await self._harness.workspace.wait_until(
            lambda: not set(self.acknowledged).isdisjoint(self.submitted[earlier:]), ACKNOWLEDGEMENT_SECONDS
        )

    async def work(self) -> None:
        """Send surveys until none are left."""
        async with asyncio.TaskGroup() as agents:
            for agent in AGENTS:
                agents.create_task(self._work_as(agent))

    async def _work_as(self, agent: str) -> None:
        while self._surveys_left > 0:
            self._surveys_left -= 1
            await self._send_survey(agent)
            await asyncio.sleep(PAUSE_SECONDS * self._rng.random())

    async def _send_survey(self, agent: str) -> None:
        with_handle = self._rng.random() < self._handle_rate
        recipient = self._harness.add_recipient(next(_numbers), with_handle=with_handle)
        if not (form := await self._open_form(agent, recipient)):
            return
        self.submitted.append(recipient)
        for _ in range(MAX_TRIES):
            if self._harness.workspace.current_view(agent) is not form:
                return  # replaced by the form of an earlier command
            with contextlib.suppress(SlackError):
                result = await self._harness.workspace.submit_view(agent)
                if result.outcome in ACKNOWLEDGED:
                    self.acknowledged.append(recipient)
                    return
            if self._rng.random() < ABANDON_RATE:
                return
            await asyncio.sleep(PAUSE_SECONDS * (1 + self._rng.random()))

    async def _open_form(self, agent: str, recipient: str) -> View | None:
        workspace = self._harness.workspace
        for _ in range(MAX_TRIES):
            with contextlib.suppress(SlackError):
                await workspace.close_all_views(agent)
            with contextlib.suppress(SlackError, TimeoutError):
                result = await self._harness.ask_for_form(agent, recipient)
                if result.outcome is not ActionOutcome.FAILED:
                    return await workspace.wait_until(
                        lambda: self._find_form(agent, recipient), OPEN_TIMEOUT_SECONDS
                    )
            if not self._surveys_left:
                return None
            await asyncio.sleep(PAUSE_SECONDS)
        return None

    def _find_form(self, agent: str, recipient: str) -> View | None:
        """Return the open form, unless it belongs to an earlier command that the app answered late."""
        view = self._harness.workspace.current_view(agent)
        elements = [element for block in view.values.values() for element in block.values()] if view else []
        chosen = [element.get("value") or element.get("selected_user") or "" for element in elements]
        return view if recipient in map(self._harness.as_typed, chosen) else None
