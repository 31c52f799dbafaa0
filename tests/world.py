"""The running app between the sandboxes of Slack and X, all on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy

from blocks.form_inputs import TEST
from blocks.survey_form import MORE_OPTIONS_ACTION, OPTIONS
from bootstrap.lifespan import lifespan
from cli import manifest
from csat.db.database import Database
from csat.db.outbox import NotificationKind
from csat.db.tables import attempts, outbox, surveys
from csat.delivery.send_worker import WorkerConfig
from csat.settings import Settings
from csat.web import paths
from sandbox.local_asgi_server import serve
from sandbox.pubsub import PubSub
from sandbox.slack import ActionResult, Delivery, Message, View, Workspace, fixtures
from sandbox.traffic_log import TrafficLog
from sandbox.x import Account, FakeX, Feedback
from tests.databases import sqlite_in
from tests.factories import insert_rated
from tests.timeouts import GENEROUS, WAIT_SECONDS

T = TypeVar("T")

PACE = WorkerConfig(poll_interval=0.02, interval_scale=0.01)
HASTY = replace(PACE, interval_scale=0.003)
"""For work that is polled every minute."""
MANIFEST = manifest.load()
PRIVACY = "https://northwind.example/privacy"
WITHOUT_X: Mapping[str, Any] = dict.fromkeys(
    ("x_api_key", "x_api_secret", "x_access_token", "x_access_token_secret")
)
"""The settings of a team that has Slack alone."""
OTHER_BRAND = Account("1810000000000000002", "ContosoHelp", "Contoso")
LOW_RATING_ALERT = "gave a low rating"

POLL_SECONDS = 0.003

UNDER_LEASE = (
    "sending survey",
    "reconciling survey",
    "notifying of survey",
    "alerting operator",
    "answering",
    "polling the send queue",
    "polling the outbox",
    "polling X",
)
"""The names of the app's tasks that hold a lease or lead to one."""


@dataclass
class Clock:
    """A clock that follows the machine's, and can be advanced and stopped."""

    ahead: timedelta = field(default_factory=timedelta)
    stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.ahead

    def stop(self) -> None:
        """Follow the machine's clock no longer: time passes only as the clock is advanced."""
        self.stopped_at = datetime.now(UTC)

    def advance(self, **ahead: float) -> None:
        """Advance the clock."""
        self.ahead += timedelta(**ahead)


@dataclass
class World:
    """A person in Slack, the app, and X."""

    workspace: Workspace
    x: FakeX
    clock: Clock
    url: str
    """The base URL of the app's own HTTP routes."""
    database_file: Path
    """The database file, on SQLite."""
    database_url: str
    engine: sqlalchemy.Engine
    """The test's own connections to the app's database."""
    settings: Settings
    notify_after: asyncio.Event
    """Set this event to let requesters be notified that their surveys are waiting."""

    async def send_survey(self, command: str = "/csat @mira_k", *args: Any, **kwargs: Any) -> Feedback:
        """Submit the form, wait until the confirmation is posted, and return X's record of the survey.

        Takes the arguments of `submit_survey`.
        """
        number, confirmed = len(self.x.feedbacks), self.count_sent_notifications(NotificationKind.SENT)
        await self.submit_survey(command, *args, **kwargs)
        await self.wait_until(lambda: self.count_sent_notifications(NotificationKind.SENT) > confirmed)
        return self.x.feedbacks[number]

    async def submit_survey(
        self,
        command: str = "/csat @mira_k",
        user: str = fixtures.ADA,
        channel: str = fixtures.SUPPORT,
        *,
        is_test: bool = False,
        **fields: str,
    ) -> ActionResult:
        """Open the form with a command, fill it in, and submit it."""
        await self.open_form(command, user, channel)
        await self.fill_in(user, **fields)
        if is_test:
            await self.show_options(user)
            await self.workspace.select(user, TEST, [TEST])
        return await self.workspace.submit_view(user)

    async def open_form(
        self, command: str = "/csat", user: str = fixtures.ADA, channel: str = fixtures.SUPPORT
    ) -> View:
        """Run a command and return the form that it opens."""
        await self.workspace.run_command(user, channel, command)
        return await self.wait_for_form(user)

    async def wait_for_form(self, user: str = fixtures.ADA) -> View:
        """Return the user's form once one is open."""
        return await self.wait_until(lambda: self.workspace.current_view(user))

    async def fill_in(self, user: str = fixtures.ADA, **fields: str) -> None:
        """Type into fields of the open form."""
        if fields.keys() & set(OPTIONS):
            await self.show_options(user)
        for action_id, text in fields.items():
            await self.workspace.type_text(user, action_id, text)

    async def show_options(self, user: str = fixtures.ADA) -> View:
        """Press the button for more options, unless they are shown, and return the form."""
        if self._hides_options(user):
            await self.workspace.click(user, MORE_OPTIONS_ACTION)
            await self.wait_until(lambda: not self._hides_options(user))
        return await self.wait_for_form(user)

    def _hides_options(self, user: str) -> bool:
        view = self.workspace.current_view(user)
        return MORE_OPTIONS_ACTION in str(view.blocks if view else "")

    async def open_home(self, user: str = fixtures.ADA) -> View:
        """Open the app's Home and return the view that the app publishes for it."""
        before = self.workspace.home_view(user)
        await self.workspace.open_home(user)
        return await self.wait_for_home(before.hash if before else "", user)

    async def choose_in_home(self, action_id: str, choice: str | None, user: str = fixtures.CLEO) -> View:
        """Use a control of the Home and return the view that the app publishes then."""
        before = self.workspace.home_view(user)
        await self.workspace.select(user, action_id, choice, home=True)
        return await self.wait_for_home(before.hash if before else "", user)

    async def wait_for_home(self, shown: str, user: str = fixtures.CLEO) -> View:
        """Return the user's Home once it differs from the one with the hash `shown`."""

        def newer() -> View | None:
            view = self.workspace.home_view(user)
            return view if view and view.hash != shown else None

        return await self.wait_until(newer)

    async def wait_for_feedback(self, number: int = 1) -> Feedback:
        """Return the newest survey once X has this many."""
        await self.wait_until(lambda: len(self.x.feedbacks) >= number)
        return self.x.feedbacks[-1]

    async def wait_for_message(
        self, text: str, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA
    ) -> Message:
        """Return the app's newest message with this text once the viewer sees it."""
        return await self.wait_until(lambda: self.find_message(text, channel, viewer))

    def find_message(
        self, text: str, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA
    ) -> Message | None:
        """Return the app's newest message with this text in a channel or its threads."""
        messages = self.app_messages(channel, viewer)
        return next((message for message in reversed(messages) if text in visible_text(message)), None)

    def count_messages(self, text: str, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA) -> int:
        """Return how many of the app's messages have this text."""
        return sum(text in visible_text(message) for message in self.app_messages(channel, viewer))

    def app_messages(self, channel: str = fixtures.SUPPORT, viewer: str = fixtures.ADA) -> list[Message]:
        """Return the app's messages in a channel and its threads, oldest first."""
        tops = self.workspace.messages(channel, viewer)
        threads = [self.workspace.messages(channel, viewer, thread_ts=top.ts) for top in tops]
        messages = {message.ts: message for part in (tops, *threads) for message in part}
        return [messages[ts] for ts in sorted(messages) if messages[ts].user == self.workspace.bot.id]

    async def wait_for_waiting_message(self, viewer: str = fixtures.ADA) -> Message:
        """Return the message that a survey waits for X, which is sent after its first attempt has ended."""
        ended_at = attempts.c.ended_at
        await self.wait_until(lambda: self.rows(ended_at, where=ended_at.is_not(None)))
        self.notify_after.set()
        return await self.wait_for_dm("Queued", viewer)

    async def wait_for_dm(self, text: str, user: str = fixtures.ADA) -> Message:
        """Return the app's newest direct message with this text once it has arrived."""
        return await self.wait_until(lambda: self.find_dm(text, user))

    def find_dm(self, text: str, user: str = fixtures.ADA) -> Message | None:
        """Return the app's newest direct message with this text."""
        rooms = [
            channel.id
            for channel in self.workspace.channels.values()
            if channel.is_im and channel.members == {user, self.workspace.bot.id}
        ]
        return next((found for room in rooms if (found := self.find_message(text, room, user))), None)

    async def forge(self, **changes: Any) -> Delivery:
        """Deliver the newest payload again with changes, as if Slack had sent it."""
        newest = self.workspace.deliveries[-1]
        return await self.workspace.redeliver(replace(newest, payload={**newest.payload, **changes}))

    def insert_rated(self, ratings: Iterable[int | None], *, days_ago: float = 3, **fields: Any) -> None:
        """Insert surveys sent some days ago, one for each rating; see `factories.insert_rated`."""
        with self.engine.begin() as connection:
            insert_rated(connection, ratings, self.clock() - timedelta(days=days_ago), **fields)

    async def delete_surveys(self) -> None:
        """Delete all surveys and what refers to them; the next one gets an id that there was on SQLite."""
        await self.run_transaction(lambda connection: connection.execute(surveys.delete()))

    async def run_transaction(self, transaction: Callable[..., Any], *args: Any) -> None:
        """Run a transaction as another instance would."""
        with contextlib.closing(Database(self.database_url, GENEROUS)) as database:
            await database.run(transaction, *args)

    def rows(self, *columns: Any, where: Any = True) -> list[tuple[Any, ...]]:
        """Return columns of a table's rows, or a whole table's, in the order of its primary key."""
        table = columns[0] if isinstance(columns[0], sqlalchemy.Table) else columns[0].table
        query = sqlalchemy.select(*columns).where(where).order_by(*table.primary_key)
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def states(self) -> list[str]:
        """Return each survey's state."""
        return [state for (state,) in self.rows(surveys.c.state)]

    def attempts(self, kind: str) -> list[int]:
        """Return how often each notification of a kind was tried and put off."""
        return [number for (number,) in self.rows(outbox.c.attempts, where=outbox.c.kind == kind)]

    def count_sent_notifications(self, kind: NotificationKind) -> int:
        """Return how many notifications of a kind Slack has accepted."""
        is_sent = (outbox.c.kind == kind) & outbox.c.sent_at.is_not(None)
        return len(self.rows(outbox.c.survey_id, where=is_sent))

    def is_outbox_empty(self) -> bool:
        """True if no notification is still to be posted."""
        return not self.rows(outbox.c.survey_id, where=outbox.c.due_at.is_not(None))

    async def advance(self, **delta: float) -> None:
        """Advance the clock while the app is idle, so that no lease expires during its work."""
        await self.wait_until(is_app_idle)
        self.clock.advance(**delta)

    async def wait_until(self, predicate: Callable[[], T | None]) -> T:
        """Return the predicate's first true result."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not (result := predicate()):  # noqa: ASYNC110 - no event covers every change
                await asyncio.sleep(POLL_SECONDS)
        return result


@contextlib.asynccontextmanager
async def other_workspace(world: World, **others: Any) -> AsyncIterator[World]:
    """Serve a second Slack workspace, whose app (see `running_app`) has the same database and X account."""
    workspace = Workspace(MANIFEST, world.clock, ack_timeout=WAIT_SECONDS, team=fixtures.SKYLINKER)
    async with workspace.serve() as slack_url:
        x_url, database_url = world.settings.x_api_url, world.database_url
        settings = settings_for(workspace, slack_url, world.x, x_url, database_url=database_url, **others)
        yield replace(world, workspace=workspace, settings=settings)


@contextlib.asynccontextmanager
async def other_brand(world: World) -> AsyncIterator[World]:
    """Serve X as another account sees it, and yield the world of an operator who has swapped the keys."""
    x = FakeX(world.clock, account=OTHER_BRAND)
    async with serve(x.app) as x_url:
        keys = x_settings(x, x_url)
        settings = change_settings(world.settings, **keys)
        yield replace(world, x=x, settings=settings)


@contextlib.asynccontextmanager
async def running_app(world: World, pace: WorkerConfig = PACE) -> AsyncIterator[None]:
    """Run one more instance of a workspace's app, in Socket Mode, until the block ends.

    It does not notify requesters that their surveys are waiting once it stops.
    """
    connections, timers = world.workspace.connection_count, list[asyncio.Task[Any]]()

    def sleep(_: float) -> asyncio.Task[Any]:
        timers.append(asyncio.create_task(world.notify_after.wait()))
        return timers[-1]

    async with lifespan(world.settings, world.clock, replace(pace, sleep=sleep)):
        await world.wait_until(lambda: world.workspace.connection_count > connections)
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()


def is_running(name: str) -> bool:
    """True while a background task of the app with this name runs."""
    return any(task.get_name() == name for task in asyncio.all_tasks())


def is_app_idle() -> bool:
    """True if the app is not sending, posting, responding or polling."""
    return not any(task.get_name().startswith(UNDER_LEASE) for task in asyncio.all_tasks())


def visible_text(part: Any) -> str:
    """Return the text that a person reads in a message, a view or their blocks."""
    if isinstance(part, Message):
        return visible_text(part.blocks) or part.text
    if isinstance(part, View):
        return visible_text(part.blocks)
    if isinstance(part, list):
        return "".join(visible_text(item) for item in part)
    if not isinstance(part, dict):
        return ""
    own = part["text"] if isinstance(part.get("text"), str) else ""
    person = f"<@{part['user_id']}>" if part.get("type") == "user" else ""
    return own + person + "".join(visible_text(inner) for inner in part.values())


def settings_for(workspace: Workspace, slack_url: str, x: FakeX, x_url: str, **others: Any) -> Settings:
    """Return settings that point to the sandboxes of Slack and X; `socket=False` for HTTP.

    The others can include `timeouts`.
    """
    way = {"slack_app_token": workspace.app_token} if others.pop("socket", True) else {}
    values = {
        "slack_bot_token": workspace.bot_token,
        "slack_signing_secret": workspace.signing_secret,
        "slack_api_url": f"{slack_url}/api",
        "port": 0,
        "csat_display_name": "Northwind",
        "csat_privacy_url": PRIVACY,
    }
    timeouts = others.pop("timeouts", GENEROUS)
    return Settings(**{**values, **x_settings(x, x_url), **way, **others}).with_timeouts(timeouts)


def change_settings(settings: Settings, **changes: Any) -> Settings:
    """Return settings, checked again, with some changes."""
    return Settings(**{**settings.model_dump(), **changes}).with_timeouts(settings.timeouts)


def x_settings(x: FakeX, x_url: str) -> dict[str, str]:
    """Return the settings that point to a sandbox of X, with its keys."""
    return {
        "x_api_key": x.keys.consumer_key,
        "x_api_secret": x.keys.consumer_secret,
        "x_access_token": x.keys.token,
        "x_access_token_secret": x.keys.token_secret,
        "x_api_url": x_url,
    }


@contextlib.asynccontextmanager
async def running_world(
    folder: Path, *, socket: bool = True, pace: WorkerConfig = PACE, **others: Any
) -> AsyncIterator[World]:
    """Run Slack, X and the app until the block ends; takes the arguments of `idle_world` too."""
    async with idle_world(folder, socket=socket, **others) as world:
        workspace, config = world.workspace, replace(pace, sleep=lambda _: world.notify_after.wait())
        async with lifespan(world.settings, world.clock, config) as address:
            if socket:
                await workspace.wait_until(lambda: workspace.connection_count, timeout_seconds=WAIT_SECONDS)
            else:
                workspace.deliver_over_http(f"{address}{paths.SLACK_EVENTS}")
            try:
                yield replace(world, url=address)
            finally:
                world.notify_after.set()


@contextlib.asynccontextmanager
async def idle_world(
    folder: Path, *, socket: bool = True, direct_url: str = "", **others: Any
) -> AsyncIterator[World]:
    """Run Slack and X until the block ends; the app is not running yet (see `running_app`).

    The test itself connects to the database at `direct_url` if that is another than the app's.
    """
    clock, pubsub = Clock(), PubSub()
    traffic = TrafficLog(pubsub)
    workspace = Workspace(MANIFEST, clock, pubsub, traffic, ack_timeout=WAIT_SECONDS)
    x = FakeX(clock, pubsub, traffic)
    database_file = folder / "csat.db"
    async with workspace.serve() as slack_url, serve(x.app) as x_url:
        url = others.pop("database_url", None) or sqlite_in(folder)
        settings = settings_for(workspace, slack_url, x, x_url, socket=socket, database_url=url, **others)
        engine = sqlalchemy.create_engine(direct_url or url)
        try:
            yield World(workspace, x, clock, "", database_file, url, engine, settings, asyncio.Event())
        finally:
            engine.dispose()


def field_value(view: View, action_id: str) -> str:
    """Return the value of a form field."""
    for block in view.blocks:
        element = block.get("element", {})
        if element.get("action_id") == action_id:
            chosen = element.get("initial_option") or {}
            return element.get("initial_value") or chosen.get("value") or ""
    raise AssertionError(f"no field {action_id}")
