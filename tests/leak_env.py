"""The environment of the leak tests: answered surveys whose ratings and comments are all unique."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from blocks.slack_survey import RATE_ACTION
from blocks.slack_survey_modals import COMMENT_ID
from csat.db import tables
from csat.db.outbox import NotificationKind
from csat.surveys.questions import Metric
from csat.surveys.recipients import Recipient, SlackPerson, XAccount
from csat.web.paths import X_FEEDBACK
from sandbox.slack import Delivery, Message, User, fixtures
from sandbox.x import Customer, Fault, Feedback, Webhook
from sandbox.x.rate_limits import Endpoint
from tests.canaries import CSAT, NPS
from tests.leak_detector import LeakDetector, Secret, capture_logs
from tests.rating_page_kit import answer_on_page, link_settings, send_link
from tests.slack_survey_kit import QUESTION
from tests.world import HASTY, LOW_RATING_ALERT, World, running_world

USER, PASSWORD = "x", "geheim"
RESULT_SETTINGS: dict[str, Any] = {
    "csat_supervisors": {fixtures.AGENTS},
    "csat_results_channel": fixtures.LEADS,
    "x_webhook_user": USER,
    "x_webhook_password": PASSWORD,
}
"""Supervisors are the members of a user group; Ada reads the results channel but is never a supervisor."""

LOW, HIGH, OWN, TEST, PAST = "a low answer", "a high answer", "a supervisor's own", "a test", "the past"
SURVEYS = (
    (LOW, "/csat @mira_k", fixtures.ADA, CSAT[1]),
    (LOW, "/csat nps @TomInTransit", fixtures.ADA, NPS[1]),
    (HIGH, "/csat @sofie_l", fixtures.ADA, CSAT[5]),
    (OWN, "/csat @benitez_leo", fixtures.CLEO, CSAT[2]),
    (TEST, "/csat @ada_travels", fixtures.ADA, CSAT[3]),
)
"""The surveys sent through the app: name, command, requester and rating."""

CUSTOMERS = {
    f"U09CUSTOM{number}": command.partition("@")[2] for number, (_, command, *_) in enumerate(SURVEYS)
}
"""The customers by their ids in Slack, where they have their handles as names."""

SOURCES = ("pushed", "polled", "swept", "posted", "pressed")
ALL_MODES = [
    *(f"socket mode, {source}" for source in SOURCES),
    "http, pushed",
    *(pytest.param(f"http, {source}", marks=pytest.mark.slow) for source in SOURCES[1:]),
]
"""How the app receives requests from Slack, and answers: from X, on its own page, or by buttons in Slack."""

_numbers = itertools.count(1)


@dataclass
class LeakEnv:
    """The running app, observed by the leak detector."""

    world: World
    detector: LeakDetector

    async def set_supervisors(self, *supervisors: str) -> None:
        """Replace the supervisors, and let half a minute pass, for which the app may not notice."""
        assert self.detector.find_leaks() == []
        await self.world.workspace.set_usergroup_members(fixtures.AGENTS, list(supervisors))
        await self.world.advance(seconds=31)
        self.detector.supervisors = set(supervisors)

    def secret_comment(self, name: str, requester: str, customer: str = "") -> str:
        """Return a comment that only supervisors other than the requester, and its customer, may read."""
        marker = f"qx{next(_numbers)}zvjk"
        self.detector.secrets.append(Secret(f"the comment of {name}", marker, requester, customer))
        return " ".join([marker] * 20)

    def secret_rating(self, name: str, rating: int) -> int:
        """Register a rating that only supervisors may read, even those who sent the survey."""
        self.detector.secrets.append(Secret(f"the rating of {name}", str(rating)))
        return rating

    async def send(self, source: str = "pushed") -> None:
        """Send the surveys, answer them, and wait until all notifications are sent."""
        world = self.world
        world.workspace.invite_bot(fixtures.LEADS)
        if source == "pushed":
            world.x.webhook = Webhook(f"{world.url}{X_FEEDBACK}", USER, PASSWORD)
        for name, command, user, rating in SURVEYS:
            secret_name, customer = f"{name}, {command}", self.person(command)
            comment = self.secret_comment(secret_name, user, customer)
            answer = self.secret_rating(secret_name, rating), comment
            if source == "pressed":
                await world.submit_survey(command, user, is_test=name == TEST)
                await self.answer(await world.wait_for_dm(QUESTION, customer), customer, *answer)
            elif source == "posted":
                link = await send_link(world, command, user, is_test=name == TEST)
                await answer_on_page(link, *answer)
            else:
                feedback = await world.send_survey(command, user, is_test=name == TEST)
                world.x.respond(feedback.id, *answer)
        await self._deliver_answers(source)
        await world.wait_until(
            lambda: world.count_sent_notifications(NotificationKind.ANSWERED) == len(SURVEYS)
        )
        await world.wait_until(world.is_outbox_empty)
        self._insert_past_responses()

    def person(self, command: str) -> str:
        """Return the id of the person in Slack with the name at the end of a command, or ""."""
        name = command.partition("@")[2]
        return next((user.id for user in self.world.workspace.users.values() if user.name == name), "")

    def recipient(self, command: str) -> Recipient:
        """Return whom a command names."""
        if user := self.person(command):
            return SlackPerson(team=fixtures.TEAM, user=user)
        return XAccount(handle=command.partition("@")[2])

    async def answer(self, message: Message, customer: str, rating: int, comment: str) -> None:
        """Rate and comment as a customer in Slack."""
        await self.click(customer, f"{RATE_ACTION}:{rating}", message)
        await self.world.wait_for_form(customer)
        await self.world.workspace.type_text(customer, COMMENT_ID, comment)
        await self.world.workspace.submit_view(customer)

    async def send_late_survey(self) -> Feedback:
        """Send another survey, not answered yet."""
        self.world.x.customers.append(Customer("1820000000000000099", "late_lena", "Lena Late"))
        return await self.world.send_survey("/csat nps @late_lena")

    async def _deliver_answers(self, source: str) -> None:
        if source == "polled":
            await self.world.advance(minutes=2)
        if source == "swept":
            self.world.x.fail(Fault.OVER_CAPACITY, Endpoint.SHOW)
            await self.world.advance(days=2)

    def _insert_past_responses(self) -> None:
        self.insert_past_responses(fixtures.BEN, PAST, (CSAT[4], CSAT[6], CSAT[7]), Metric.CSAT)
        self.insert_past_responses(fixtures.BEN, PAST, (NPS[8], NPS[9], NPS[10]), Metric.NPS)
        self.insert_past_responses(fixtures.CLEO, f"{PAST}, {OWN}", (CSAT[4], CSAT[6], CSAT[7]), Metric.CSAT)

    def insert_past_responses(
        self, requester: str, name: str, ratings: tuple[int, ...], metric: Metric
    ) -> None:
        """Insert older responses, enough of them for a score to be shown."""
        for number, rating in enumerate(ratings):
            comment = self.secret_comment(f"{name} {metric} {number}", requester)
            ratings_repeated = [self.secret_rating(f"{name} {metric} {number}", rating)] * 3
            self.world.insert_rated(ratings_repeated, metric=metric, comment=comment, requester=requester)

    def alerts(self) -> list[Message]:
        """Return the alerts in the results channel."""
        messages = self.world.app_messages(fixtures.LEADS, fixtures.CLEO)
        return [message for message in messages if LOW_RATING_ALERT in message.text]

    def secret_names(self) -> set[str]:
        """Return the names of all secrets."""
        return {secret.name for secret in self.detector.secrets}

    def survey_ids(self, requester: str = "") -> list[int]:
        """Return the ids of one survey of each kind, optionally of one requester."""
        rows = self.world.rows(tables.surveys.c.id, tables.surveys.c.requester)[:6]
        return [survey_id for survey_id, owner in rows if requester in {"", owner}]

    async def click(self, user: str, action_id: str, message: Message) -> None:
        """Click a button that the message has or had."""
        await self.world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)

    def newest_delivery(self, user: str, words: str) -> Delivery:
        """Return the newest delivery caused by `user` that contains `words`."""
        return next(
            delivery
            for delivery in reversed(self.world.workspace.deliveries)
            if user in str(delivery.payload.get("user")) and words in str(delivery.payload)
        )

    def issue_trigger(self, user: str) -> str:
        """Return a new `trigger_id` for the user."""
        return self.world.workspace._state.triggers.issue(user)  # noqa: SLF001 - there is no public way to issue one

    async def redeliver(self, delivery: Delivery, **changes: Any) -> Delivery:
        """Redeliver a changed payload as if Slack had sent it."""
        return await self.world.workspace.redeliver(
            replace(delivery, payload={**delivery.payload, **changes})
        )


def add_people(world: World) -> None:
    """Add the customers to the shared channel."""
    for user, name in CUSTOMERS.items():
        world.workspace.users[user] = User(user, name, name, fixtures.OTHER_TEAM)
        world.workspace.channels[fixtures.PARTNERS].members.add(user)


@contextlib.asynccontextmanager
async def run_leak_env(
    folder: Path, database_url: str, capture: pytest.CaptureFixture[str], source: str, *, socket: bool
) -> AsyncIterator[LeakEnv]:
    """Run the app and check at the end that nothing has leaked."""
    transport = {"posted": link_settings(), "pressed": {"csat_transports": ("slack",)}}.get(source, {})
    with capture_logs(capture) as logged:
        async with running_world(
            folder, pace=HASTY, database_url=database_url, socket=socket, **RESULT_SETTINGS, **transport
        ) as world:
            if source == "pressed":
                add_people(world)
            supervisors, customers = {fixtures.BEN, fixtures.CLEO}, set(CUSTOMERS) | {fixtures.NOOR}
            detector = LeakDetector(world, [], supervisors, {fixtures.LEADS}, logged, customers)
            await world.workspace.set_usergroup_members(fixtures.AGENTS, [fixtures.BEN, fixtures.CLEO])
            env = LeakEnv(world, detector)
            await env.send(source)
            yield env
        assert detector.find_leaks() == []
