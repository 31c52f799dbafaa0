"""Customers who rate: on the page behind the link in their direct message, or with the buttons in Slack."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import Enum, auto
from functools import partial
from http import HTTPStatus
from typing import Final, NamedTuple

import aiohttp

from bench.torture.checker import CaseResult
from bench.torture.harness import Harness
from blocks.slack_survey import GIVE_FEEDBACK_ACTION, RATE_ACTION, THANKS, THANKS_IN_THREAD
from blocks.slack_survey_modals import RATING_ID
from csat.surveys.questions import SCALES, Metric
from sandbox.slack import Message, SlackError, Workspace

EARLY_RATE: Final = 0.5
"""How often a customer rates at once; the others do when the agents are done."""
PAUSE_SECONDS: Final = 0.2
TIMEOUT: Final = aiohttp.ClientTimeout(total=2)
REFILL_SECONDS: Final = 60.0
"""Time after which the page takes requests again from an address that has asked for too much."""
MAX_TRIES: Final = 100
THANKS_SECONDS: Final = 1.0


async def run_with_customers(harness: Harness, rng: random.Random, case: Awaitable[CaseResult]) -> CaseResult:
    """Run a case while the customers who get its surveys rate, and check their ratings too."""
    customers = Customers(harness, rng)
    async with customers.in_background():
        result = await case
    customers.check(result)
    return result


class Outcome(Enum):
    """The outcome of a rating."""

    RATED = auto()
    REJECTED = auto()
    """The app takes none for this survey."""
    FAILED = auto()


class ReceivedSurvey(NamedTuple):
    """A survey as its customer has it."""

    recipient: str
    """As typed by the agent."""
    id: str
    rate: Callable[[int], Awaitable[Outcome]]


class Customers:
    """Everybody who got a survey, and the ratings that the app took; each customer has one opinion."""

    def __init__(self, harness: Harness, rng: random.Random) -> None:
        self._harness = harness
        self._rng = rng
        self._opinions: dict[str, int] = {}
        self._is_early: dict[str, bool] = {}
        self.rated: dict[str, int] = {}
        """The ratings that the app took, by recipient."""
        self._done: set[str] = set()
        self._unrated: set[str] = set()

    @contextlib.asynccontextmanager
    async def in_background(self) -> AsyncIterator[None]:
        """Rate until the block ends, some customers only then: the app must be running."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
        for _ in range(MAX_TRIES):
            if await self._rate_all(also_late=True):
                return
            self._harness.clock.advance(REFILL_SECONDS)

    async def _work(self) -> None:
        while True:
            await self._rate_all(also_late=False)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _rate_all(self, *, also_late: bool) -> bool:
        """Return True if everybody with a survey has rated, or has found that the app takes no rating."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as browser:
            for survey in self._surveys(browser):
                is_early = self._is_early.setdefault(survey.id, self._rng.random() < EARLY_RATE)
                if survey.id not in self._done and (is_early or also_late):
                    rating = self._opinions.setdefault(
                        survey.recipient, self._rng.choice(SCALES[Metric.CSAT])
                    )
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        await self._rate(survey, rating)
            self._unrated = {survey.id for survey in self._surveys(browser)} - self._done
            return not self._unrated

    async def _rate(self, survey: ReceivedSurvey, rating: int) -> None:
        outcome = await survey.rate(rating)
        if outcome is Outcome.RATED:
            self.rated[survey.recipient] = rating
        if outcome is not Outcome.FAILED:
            self._done.add(survey.id)

    def _surveys(self, browser: aiohttp.ClientSession) -> list[ReceivedSurvey]:
        workspace, as_typed = self._harness.workspace, self._harness.as_typed
        links = [(message.recipient_id, message.urls[0]) for message in self._harness.x.messages.sent]
        surveys = [
            ReceivedSurvey(as_typed(user_id), link, partial(_rate_on_page, browser, link))
            for user_id, link in links
        ]
        for person, message in self._harness.slack_surveys():
            answer = _answer_invitation if self._harness.in_thread else _press_button
            press = partial(answer, workspace, person, message)
            surveys.append(ReceivedSurvey(as_typed(person), message.ts, press))
        return surveys

    def check(self, result: CaseResult) -> None:
        """Compare the ratings that the app took with those in the database."""
        stored: dict[str, list[int]] = {}
        for row in self._harness.db.list_surveys():
            if row.rating is not None:
                stored.setdefault(self._harness.as_typed(row.recipient), []).append(row.rating)
        for recipient in sorted(self.rated.keys() | stored.keys()):
            rating, found = self.rated.get(recipient), stored.get(recipient, [])
            result.responses += 1
            result.responses_stored += found == [rating]
            if found != [rating]:
                result.failures.append(f"{recipient} rated {rating}, in the database: {found}")
        if self._unrated:
            result.failures.append(f"{len(self._unrated)} customers could not rate")


async def _rate_on_page(browser: aiohttp.ClientSession, link: str, rating: int) -> Outcome:
    form = {"action": "rate", "rating": str(rating)}
    async with browser.post(link, data=form, allow_redirects=False) as response:
        match response.status:
            case HTTPStatus.SEE_OTHER:
                return Outcome.RATED
            case HTTPStatus.NOT_FOUND:
                return Outcome.REJECTED
    return Outcome.FAILED


async def _press_button(workspace: Workspace, person: str, message: Message, rating: int) -> Outcome:
    """Press the button of a rating, and wait until the message says thanks instead."""
    try:
        await workspace.click(person, f"{RATE_ACTION}:{rating}", channel=message.channel, ts=message.ts)
        await workspace.wait_until(lambda: THANKS in message.text, THANKS_SECONDS)
    except TimeoutError:
        return Outcome.FAILED
    except SlackError:  # the buttons are gone, perhaps after an earlier press
        return Outcome.RATED if THANKS in message.text else Outcome.REJECTED
    return Outcome.RATED


async def _answer_invitation(workspace: Workspace, person: str, message: Message, rating: int) -> Outcome:
    """Send the form behind an invitation, and wait until that says thanks instead."""

    def is_thanked() -> bool:
        return THANKS_IN_THREAD in message.text

    with contextlib.suppress(SlackError, TimeoutError):
        if workspace.current_view(person):  # of an earlier try
            await workspace.close_all_views(person)
        await workspace.click(person, GIVE_FEEDBACK_ACTION, channel=message.channel, ts=message.ts)
        await workspace.wait_until(lambda: workspace.current_view(person) or is_thanked(), THANKS_SECONDS)
        if not is_thanked():
            await workspace.select(person, RATING_ID, str(rating))
            await workspace.submit_view(person)
        await workspace.wait_until(is_thanked, THANKS_SECONDS)
    if is_thanked():
        return Outcome.RATED
    return Outcome.FAILED if message.blocks else Outcome.REJECTED
