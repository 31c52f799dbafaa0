"""Answers that come all at once, in any order, again, too late, contradictory, or that can't be."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import aiohttp

from bench.torture import webhook_events
from bench.torture.checker import Verdict, judge
from bench.torture.harness import LEASES_OVER, LOOK, SENT_AND_TOLD, WEBHOOK, Stage
from bench.torture.processes import Victim
from bench.torture.users import Crowd
from bench.torture.webhook_events import MARK, Forged
from cli.forget import forgetting
from csat.db import feeds
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient
from csat.surveys.responses import LOW
from sandbox.x import Feedback
from sandbox.x.serializers import Json

SURVEYS: Final = 60
FORGOTTEN: Final = 3
LATE: Final = 4
"""How many customers answer after two weeks."""
KILLS: Final = 3
AT_ONCE: Final = 64
"""How many connections X has open."""
PUSHED: Final = 0.7
RATES: Final = 0.85
COMMENTS: Final = 0.6
BETWEEN: Final = 40.0
"""Seconds from one customer's answer to the next one's, at most."""
REPEATS: Final = 100
"""How often X repeats what could not be taken."""
TWO_WEEKS: Final = 14 * 86_400.0
STEP: Final = 6 * 3_600.0
"""Seconds by which the clock leaps while weeks pass."""
ROUND: Final = 0.3
"""Seconds until the app has looked for answers."""
READING: Final = 60.0
"""Seconds, at most, until the app has read X's events as far as X lists them."""
TAKEN, REFUSED, AWAY = 200, 400, 503


async def in_any_order(
    stage: Stage, rng: random.Random, number: int, surveys: int = SURVEYS, step: float = STEP
) -> Verdict:
    """Push so many events at once, kill the app meanwhile, forget some customers, and let weeks pass."""
    stage.x.webhook_paused = True
    crowd = Crowd(stage, rng, surveys)
    victim = await stage.start()
    await crowd.work()
    await stage.quiet(SENT_AND_TOLD)
    asked = list(stage.x.feedbacks)
    late, early = asked[:LATE], asked[LATE:]
    for it in early:
        _answer(stage, rng, it)
    storm = Storm(stage, _events(stage, rng, early, number))
    victim = await storm.blow(victim, rng)
    forgotten = await _forgotten(stage, early[:FORGOTTEN])
    await storm.push_again(victim, [body for body in stage.x.pending_events if _of(body) in forgotten])
    await _let_pass(stage, TWO_WEEKS, step)
    for it in late:
        _answer(stage, rng, it)
    await _let_pass(stage, TWO_WEEKS / 2, step)
    await stage.settle()
    verdict = judge(stage, crowd)
    verdict.kills = KILLS
    verdict.unconfirmed -= len(forgotten)  # their confirmations name nobody any more
    _judge_answers(stage, verdict, forgotten)
    verdict.wrong_ones += storm.wrong_ones
    return verdict


class Storm:
    """X's pushes, all at once; what the app could not take is pushed again, what never arrived is not."""

    def __init__(self, stage: Stage, events: list[Forged]) -> None:
        self._stage = stage
        self._left = events
        self._url = ""
        self.statuses: Counter[tuple[int, bool]] = Counter()
        """How often which status was answered to what is possible, and to what is not."""

    @property
    def wrong_ones(self) -> list[str]:
        """What the app should have answered otherwise, or have told in its log."""
        refused = self._stage.log.count("Refused what X told")
        wrong = [(TAKEN, False), (REFUSED, True), (401, True), (500, True), (500, False)]
        found = [f"{self.statuses[one]} events got {one}" for one in wrong if self.statuses[one]]
        if refused < self.statuses[REFUSED, False]:
            found.append(
                f"{self.statuses[REFUSED, False]} events were refused, and {refused} told in the log"
            )
        return found

    async def blow(self, victim: Victim, rng: random.Random) -> Victim:
        """Push everything while victims are killed; returns the last one."""
        self._url = victim.url
        parts = [self._left[nth :: KILLS + 1] for nth in range(KILLS + 1)]
        for part in parts[:-1]:
            pushing = asyncio.create_task(self._push(part))
            await asyncio.sleep(rng.random())
            await victim.kill()
            await pushing
            self._stage.clock.leap(LEASES_OVER)
            victim = await self._stage.start()
            self._url = victim.url
        await self._push(parts[-1])
        return victim

    async def push_again(self, victim: Victim, bodies: Sequence[Json]) -> None:
        """Push some events once more."""
        self._url = victim.url
        await self._push([Forged(body, possible=True) for body in bodies])

    async def _push(self, events: Sequence[Forged]) -> None:
        waiting, connector = iter(events), aiohttp.TCPConnector(limit=AT_ONCE)
        known = {"authorization": aiohttp.encode_basic_auth(WEBHOOK.user, WEBHOOK.password)}
        async with (
            aiohttp.ClientSession(connector=connector, headers=known) as session,
            asyncio.TaskGroup() as pushers,
        ):
            for _ in range(AT_ONCE):
                pushers.create_task(self._push_each(session, waiting))

    async def _push_each(self, session: aiohttp.ClientSession, waiting: Iterator[Forged]) -> None:
        for forged in waiting:
            for _ in range(REPEATS):
                status = await self._post(session, forged.body)
                self.statuses[status, forged.possible] += 1
                if status != AWAY:
                    break
                await asyncio.sleep(LOOK)

    async def _post(self, session: aiohttp.ClientSession, body: Json) -> int:
        try:
            async with session.post(self._url + WEBHOOK.url, json=body) as response:
                return response.status
        except aiohttp.ClientError:
            return 0


def _answer(stage: Stage, rng: random.Random, it: Feedback) -> None:
    stage.clock.leap(rng.random() * BETWEEN)
    words = f"{MARK} {it.id}"
    parts = [("score", rng.randint(1, 5))] * (rng.random() < RATES) + [("text", words)] * (
        rng.random() < COMMENTS
    )
    rng.shuffle(parts)
    for name, value in parts:
        stage.clock.leap(rng.random() * BETWEEN)
        stage.x.respond(it.id, **{name: value})  # type: ignore[arg-type]


def _events(stage: Stage, rng: random.Random, asked: Sequence[Feedback], number: int) -> list[Forged]:
    """Return so many events, in any order: true ones often, and one of each kind of forgery per survey."""
    true = [Forged(body, possible=True) for body in stage.x.pending_events if rng.random() < PUSHED]
    forged = [one for it in asked for one in webhook_events.contradicting(it, rng)]
    forged += [webhook_events.impossible(it, rng) for it in asked]
    forged += [webhook_events.stranger(it, nth, rng) for nth, it in enumerate(asked)]
    events = [*true, *forged]
    events += rng.choices(events, k=max(0, number - len(events)))
    rng.shuffle(events)
    return events


def _of(body: Json) -> str:
    return str(body["feedback"]["id"])


async def _forgotten(stage: Stage, some: Sequence[Feedback]) -> dict[str, int | None]:
    """Forget some customers; returns the ratings that are left of them, by the feedback's id."""
    await stage.quiet(SENT_AND_TOLD)
    async with forgetting(stage.settings) as forgetter:
        for it in some:
            found, _ = await forgetter.find(Recipient(id=it.to_user_id))
            await forgetter.forget(found)
    ids = {it.id for it in some}
    rows = stage.book.ask("select feedback_id, rating from surveys where recipient_id is null")
    return {row.feedback_id: row.rating for row in rows if row.feedback_id in ids}


async def _let_pass(stage: Stage, seconds: float, step: float) -> None:
    """Let time pass, step by step, so that X is asked in between, and its events are read to their end."""
    for _ in range(int(seconds / step)):
        stage.clock.leap(step)
        await asyncio.sleep(ROUND)
    async with asyncio.timeout(READING):
        listed = feeds.SETTLED + feeds.BETWEEN_SWEEPS
        while stage.book.swept_until() < stage.clock() - listed:  # noqa: ASYNC110 - nothing else would tell
            await asyncio.sleep(LOOK)
    await stage.quiet(SENT_AND_TOLD)


def _judge_answers(stage: Stage, verdict: Verdict, forgotten: Mapping[str, int | None]) -> None:
    """Compare every answer in X's record with the ledger's; of the forgotten, nothing may have been added."""
    query = "select feedback_id, id, state, rating, comment from surveys where feedback_id is not null"
    rows = {row.feedback_id: row for row in stage.book.ask(query)}
    low = {row[0] for row in stage.book.ask("select survey_id from follow_ups")}
    for it in stage.x.feedbacks:
        rating, comment = it.score.value if it.score else None, it.text.value if it.text else None
        if it.id in forgotten:
            rating, comment = forgotten[it.id], None
        right = (row := rows.get(it.id)) and (row.state, row.rating, row.comment, row.id in low) == (
            "expired" if rating is None else "answered",
            rating,
            comment,
            rating in LOW[Metric.CSAT],
        )
        verdict.answered += (is_answered := bool(it.score or it.text))
        verdict.known += is_answered and bool(right)
        if not right:
            verdict.wrong_ones.append(f"feedback {it.id}: {rating}, {comment}, in the ledger: {row}")
    verdict.wrong_ones += _left_over(stage)


def _left_over(stage: Stage) -> Iterator[str]:
    if waiting := stage.book.ask("select feedback_id from unmatched_responses"):
        yield f"{len(waiting)} answers wait for ever"
    if MARK in stage.log:
        yield "a comment is in the log"
