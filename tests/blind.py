"""A stage for the test of blindness: surveys of which each is answered with a rating and words of its own."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from csat.db import tables
from csat.db.outbox import NotificationKind
from csat.surveys.questions import Metric
from csat.web.x_webhook import PATH
from sandbox.slack import Delivery, Message, fixtures
from sandbox.x import Customer, Fault, Feedback, Webhook
from sandbox.x.rate_limits import Endpoint
from tests.sentinels import CSAT, NPS
from tests.witness import Secret, Witness, logging_to
from tests.world import HASTY, LOW_RATING_ALERT, World, running_world

USER, PASSWORD = "x", "geheim"
WITH_RESULTS: dict[str, Any] = {
    "csat_supervisors": {fixtures.AGENTS},
    "csat_results_channel": fixtures.LEADS,
    "x_webhook_user": USER,
    "x_webhook_password": PASSWORD,
}
"""Who supervises is in a group; Ada, who asks, reads the results channel and never is."""

LOW, HIGH, OWN, TEST, PAST = "a low answer", "a high answer", "a supervisor's own", "a test", "the past"
ASKED = (
    (LOW, "/csat @mira_k", fixtures.ADA, CSAT[1]),
    (LOW, "/csat nps @TomInTransit", fixtures.ADA, NPS[1]),
    (HIGH, "/csat @sofie_l", fixtures.ADA, CSAT[5]),
    (OWN, "/csat @benitez_leo", fixtures.CLEO, CSAT[2]),
    (TEST, "/csat @ada_travels", fixtures.ADA, CSAT[3]),
)
"""Whose surveys are sent through the app, and how they are answered."""

EVERY_WAY = [
    f"{slack}, {way}" for slack in ("socket mode", "http") for way in ("pushed", "asked for", "among events")
]
"""How Slack reaches the app, and how answers do."""

_numbers = itertools.count(1)


@dataclass
class Stage:
    """The app with its witness, and the surveys in the ledger by their ids."""

    world: World
    witness: Witness

    async def regroup(self, *supervisors: str) -> None:
        """Let others supervise from now on."""
        assert self.witness.testify() == []
        await self.world.workspace.set_usergroup_members(fixtures.AGENTS, list(supervisors))
        self.witness.supervisors = set(supervisors)

    def comment(self, name: str, requester: str) -> str:
        """Return words for an answer that must reach nobody who may not read them."""
        marker = f"qx{next(_numbers)}zvjk"
        self.witness.secrets.append(Secret(f"the words of {name}", marker, requester))
        return " ".join([marker] * 20)

    def rating(self, name: str, rating: int) -> int:
        """Keep an eye on a rating; supervisors see all of the scale, also beside their own surveys."""
        self.witness.secrets.append(Secret(f"the rating of {name}", str(rating)))
        return rating

    async def send(self, way: str = "pushed") -> None:
        """Send the surveys, have them answered, and wait until everybody concerned was told."""
        world = self.world
        world.workspace.invite_bot(fixtures.LEADS)
        if way == "pushed":
            world.x.webhook = Webhook(f"{world.url}{PATH}", USER, PASSWORD)
        for name, words, user, rating in ASKED:
            feedback = await world.send_survey(words, user, is_test=name == TEST)
            whose = f"{name}, {words}"
            world.x.respond(feedback.id, self.rating(whose, rating), self.comment(whose, user))
        await self._let_answers_in(way)
        await world.wait_until(
            lambda: world.count_sent_notifications(NotificationKind.ANSWERED) == len(ASKED)
        )
        await world.wait_until(world.is_outbox_empty)
        self._fill_the_past()

    async def ask_late(self) -> Feedback:
        """Send one survey more, to somebody who has not answered yet."""
        self.world.x.customers.append(Customer("1820000000000000099", "late_lena", "Lena Late"))
        return await self.world.send_survey("/csat nps @late_lena")

    async def _let_answers_in(self, way: str) -> None:
        if way == "asked for":
            await self.world.advance(minutes=2)
        if way == "among events":
            self.world.x.fail(Fault.OVER_CAPACITY, Endpoint.SHOW)
            await self.world.advance(days=2)

    def _fill_the_past(self) -> None:
        self.answered_before(fixtures.BEN, PAST, (CSAT[4], CSAT[6], CSAT[7]), Metric.CSAT)
        self.answered_before(fixtures.BEN, PAST, (NPS[8], NPS[9], NPS[10]), Metric.NPS)
        self.answered_before(fixtures.CLEO, f"{PAST}, {OWN}", (CSAT[4], CSAT[6], CSAT[7]), Metric.CSAT)

    def answered_before(self, requester: str, name: str, ratings: tuple[int, ...], metric: Metric) -> None:
        """Let there be older answers, enough of them to be counted and shown."""
        for number, rating in enumerate(ratings):
            words = self.comment(f"{name} {metric} {number}", requester)
            repeated = [self.rating(f"{name} {metric} {number}", rating)] * 3
            self.world.insert_rated(repeated, metric=metric, comment=words, requester=requester)

    def alerts(self) -> list[Message]:
        """Return the alerts in the results channel."""
        told = self.world.app_messages(fixtures.LEADS, fixtures.CLEO)
        return [message for message in told if LOW_RATING_ALERT in message.text]

    def names(self) -> set[str]:
        """Return the names of all secrets."""
        return {secret.name for secret in self.witness.secrets}

    def survey_ids(self, requester: str = "") -> list[int]:
        """Return the ids of one survey of each kind: low, high, a supervisor's own, a test, of the past."""
        rows = self.world.rows(tables.surveys.c.id, tables.surveys.c.requester)[:6]
        return [survey_id for survey_id, asked_by in rows if requester in {"", asked_by}]

    async def press(self, user: str, action_id: str, message: Message) -> None:
        """Press a button that the message has, or had."""
        await self.world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)

    def newest(self, user: str, words: str) -> Delivery:
        """Return the newest delivery about what somebody did, with these words in it."""
        return next(
            one
            for one in reversed(self.world.workspace.deliveries)
            if user in str(one.payload.get("user")) and words in str(one.payload)
        )

    def trigger(self, user: str) -> str:
        """Return a fresh `trigger_id`, as of something that somebody does just now."""
        return self.world.workspace._state.triggers.issue(user)  # noqa: SLF001 - nobody else makes one

    async def forge(self, delivery: Delivery, **changes: Any) -> Delivery:
        """Deliver something once more, changed, as if Slack had sent it."""
        return await self.world.workspace.redeliver(
            replace(delivery, payload={**delivery.payload, **changes})
        )


@contextlib.asynccontextmanager
async def stage(
    folder: Path, database_url: str, capture: pytest.CaptureFixture[str], way: str, *, socket: bool
) -> AsyncIterator[Stage]:
    """Run the app until the block ends; then, and all the while, nobody has learnt what they must not."""
    with logging_to(capture) as logged:
        async with running_world(
            folder, pace=HASTY, database_url=database_url, socket=socket, **WITH_RESULTS
        ) as world:
            witness = Witness(world, [], {fixtures.BEN, fixtures.CLEO}, {fixtures.LEADS}, logged)
            await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.BEN, fixtures.CLEO])
            made = Stage(world, witness)
            await made.send(way)
            yield made
        assert witness.testify() == []
