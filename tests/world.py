"""The app as it runs, between a pretend Slack and a pretend X, all on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy

from bootstrap import lifespan
from cli import manifest
from csat.delivery.send_worker import WorkerConfig
from csat.settings import Settings
from csat.web import slack_events
from sandbox.pubsub import PubSub
from sandbox.serving import serve
from sandbox.slack import Delivery, Message, View, Workspace, fixtures
from sandbox.traffic import TrafficLog
from sandbox.x import FakeX, Feedback
from tests.databases import sqlite_in

T = TypeVar("T")

PACE = WorkerConfig(notify_after=0.3, poll_interval=0.05, interval_scale=0.01)
HASTY = replace(PACE, interval_scale=0.003)
"""For what comes by rounds that rest a minute."""
PRIVACY = "https://northwind.example/privacy"


@dataclass
class Clock:
    """A clock that moves with the machine's, and further when a test says so."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, **ahead: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**ahead)


@dataclass
class World:
    """A person at Slack, the app, and X."""

    workspace: Workspace
    x: FakeX
    clock: Clock
    url: str
    """Where the app's own HTTP routes are."""
    database_file: Path
    """The ledger's file, on SQLite."""
    database_url: str
    engine: sqlalchemy.Engine
    """The test's own way to the ledger."""
    settings: Settings

    async def opened(
        self, text: str = "/csat", user: str = fixtures.ADA, channel: str = fixtures.SUPPORT
    ) -> View:
        """Type a command and return the form that opens."""
        await self.workspace.run_command(user, channel, text)
        return await self.form(user)

    async def form(self, user: str = fixtures.ADA) -> View:
        """Return the form that is open, or about to be."""
        return await self.eventually(lambda: self.workspace.current_view(user))

    async def type_in(self, user: str = fixtures.ADA, **fields: str) -> None:
        """Type into the open form."""
        for action_id, text in fields.items():
            await self.workspace.type_text(user, action_id, text)

    async def sent(self, number: int = 1) -> Feedback:
        """Return the newest survey once X has so many."""
        await self.eventually(lambda: len(self.x.feedbacks) >= number)
        return self.x.feedbacks[-1]

    async def message(
        self, words: str, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA
    ) -> Message:
        """Return the app's message with these words in it, once the viewer sees it."""
        return await self.eventually(lambda: self.seen(words, channel, viewer))

    def seen(self, words: str, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA) -> Message | None:
        """Return the newest message of the app with these words in it, in the channel or a thread of it."""
        told = self.everything(channel, viewer)
        return next((message for message in reversed(told) if words in said(message)), None)

    def shown(self, words: str, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA) -> int:
        """Return how many messages of the app have these words in them."""
        return sum(words in said(message) for message in self.everything(channel, viewer))

    def everything(self, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA) -> list[Message]:
        """Return all that the app said in a channel, its threads included."""
        tops = self.workspace.messages(channel, viewer)
        threads = [self.workspace.messages(channel, viewer, thread_ts=top.ts) for top in tops]
        told = {message.ts: message for part in (tops, *threads) for message in part}
        return [told[ts] for ts in sorted(told) if told[ts].user == self.workspace.bot.id]

    async def forge(self, **changes: Any) -> Delivery:
        """Deliver the newest payload once more, changed, as if Slack had sent it."""
        newest = self.workspace.deliveries[-1]
        return await self.workspace.redeliver(replace(newest, payload={**newest.payload, **changes}))

    async def direct_message(self, words: str, user: str = fixtures.ADA) -> Message:
        """Return the app's direct message with these words in it, once it has come."""
        return await self.eventually(lambda: self.direct(words, user))

    def direct(self, words: str, user: str = fixtures.ADA) -> Message | None:
        """Return the app's direct message with these words in it."""
        rooms = [
            c.id
            for c in self.workspace.channels.values()
            if c.is_im and c.members == {user, self.workspace.bot.id}
        ]
        return next((found for room in rooms if (found := self.seen(words, room, user))), None)

    async def eventually(self, predicate: Callable[[], T | None]) -> T:
        """Return what becomes true within a moment."""
        found = await self.workspace.wait_until(predicate, timeout_seconds=20)
        assert found
        return found

    def database(self, query: str) -> list[Any]:
        """Return the rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]

    async def until(self, predicate: Callable[[], bool]) -> None:
        """Wait until the predicate is true, where no change is published, such as one in the ledger."""
        async with asyncio.timeout(20):
            while not predicate():  # noqa: ASYNC110 - nothing else would tell
                await asyncio.sleep(0.005)


def said(part: Any) -> str:
    """Return all words of a message's blocks, as a person reads them."""
    if isinstance(part, Message):
        return said(part.blocks)
    if isinstance(part, list):
        return "".join(said(item) for item in part)
    if not isinstance(part, dict):
        return ""
    own = part["text"] if isinstance(part.get("text"), str) else ""
    person = f"<@{part['user_id']}>" if part.get("type") == "user" else ""
    return own + person + "".join(said(inner) for inner in part.values())


def settings_for(workspace: Workspace, slack_url: str, x: FakeX, x_url: str, **others: Any) -> Settings:
    """Return settings that lead to the pretend Slack and X; `socket=False` for HTTP."""
    way = {"slack_app_token": workspace.app_token} if others.pop("socket", True) else {}
    values = {
        "slack_bot_token": workspace.bot_token,
        "slack_signing_secret": workspace.signing_secret,
        "slack_api_url": f"{slack_url}/api",
        "x_api_key": x.keys.consumer_key,
        "x_api_secret": x.keys.consumer_secret,
        "x_access_token": x.keys.token,
        "x_access_token_secret": x.keys.token_secret,
        "x_api_url": x_url,
        "port": 0,
        "csat_display_name": "Northwind",
        "csat_privacy_url": PRIVACY,
    }
    return Settings.given(**{**values, **way, **others})


@contextlib.asynccontextmanager
async def living(
    folder: Path,
    *,
    socket: bool = True,
    pace: WorkerConfig = PACE,
    **others: Any,
) -> AsyncIterator[World]:
    """Run Slack, X and the app until the block ends."""
    clock = Clock()
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    workspace = Workspace(manifest.load(), clock, pubsub, traffic, ack_timeout=10)
    x = FakeX(clock, pubsub, traffic)
    database_file = folder / "csat.db"
    async with workspace.serve() as slack_url, serve(x.app) as x_url:
        url = others.pop("database_url", None) or sqlite_in(folder)
        settings = settings_for(workspace, slack_url, x, x_url, socket=socket, database_url=url, **others)
        async with lifespan(settings, clock, pace) as address:
            if socket:
                await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=20)
            else:
                workspace.deliver_over_http(f"{address}{slack_events.PATH}")
            engine = sqlalchemy.create_engine(url)
            try:
                yield World(workspace, x, clock, address, database_file, url, engine, settings)
            finally:
                engine.dispose()
