"""The app as it runs: opened, reachable, and at the end put away in the right order."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
from pydantic_core import to_json
from starlette.routing import Route

from csat.clock import Clock, utc_now
from csat.data_files import load_catalogue
from csat.db import accounts, feeds
from csat.db.database import Database
from csat.delivery.send_worker import WorkerConfig
from csat.settings import Settings
from csat.slack_api.errors import SlackError
from csat.slack_api.identity import Identity
from csat.slack_api.socket_mode import SocketMode
from csat.tasks import BackgroundTasks, Deadline
from csat.web import slack_events, x_webhook
from csat.web.health import Health
from csat.web.server import serving
from csat.web.slack_events import SlackEvents
from csat.web.x_webhook import XWebhook
from csat.x_api.client import XClient, open_http
from handlers.bolt import dispatch
from parts import Ground, Parts

STOPPING = 9.0
"""Seconds for everything that is under way when the app stops: a little more than a call to X."""

QUIET = ("slack_bolt", "slack_sdk", "httpx", "oauthlib", "aiohttp", "alembic", "uvicorn")
"""Libraries that log bodies, addresses or every step of theirs below ERROR."""

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def lifespan(
    settings: Settings, clock: Clock = utc_now, pace: WorkerConfig | None = None
) -> AsyncIterator[str]:
    """Run the app until the block ends, and yield the address of its own HTTP routes.

    Raises `DatabaseError`, `CatalogueError` or `OSError` if it can't start. At the end nothing new is taken
    on, and what is under way is finished.
    """
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.ERROR)
    stopping = Deadline(STOPPING)
    async with contextlib.AsyncExitStack() as stack:
        pace = pace or WorkerConfig(concurrency=settings.csat_concurrency)
        parts = Parts(await stack.enter_async_context(_ground(settings, clock, pace, stopping)))
        parts.ground.tasks.start(_warm_up(parts.slack.identity), "asking Slack who we are")
        for going_on in (parts.dispatcher.run(), parts.rounds.run()):
            stack.callback(asyncio.create_task(going_on).cancel)
        url = await stack.enter_async_context(_reachable(parts))
        stack.callback(parts.dispatcher.stop)
        stack.callback(stopping.begin)
        yield url


@contextlib.asynccontextmanager
async def _ground(
    settings: Settings, clock: Clock, pace: WorkerConfig, stopping: Deadline
) -> AsyncIterator[Ground]:
    """Open the ledger and the ways to Slack and X; at the end, finish what is under way and close them."""
    catalogue, tasks = load_catalogue(settings.csat_questions_file), BackgroundTasks()
    async with contextlib.AsyncExitStack() as stack:
        database = Database(settings.database_url.get_secret_value())
        stack.callback(database.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(json_serialize_bytes=to_json))
        x = XClient(await stack.enter_async_context(open_http(settings.x_keys, settings.x_api_url, clock)))
        stack.push_async_callback(lambda: tasks.finish(stopping.left()))
        await database.run(accounts.open_account, settings.x_account)
        await database.run(feeds.open_feed, settings.x_account)
        yield Ground(settings, clock, pace, catalogue, database, session, x, tasks)


async def _warm_up(identity: Identity) -> None:
    """Open the connection to Slack before anybody waits for it."""
    try:
        await identity.team()
    except SlackError as error:
        log.error("Slack does not know this app (%s): python app.py check tells more", error)  # noqa: TRY400


@contextlib.asynccontextmanager
async def _reachable(parts: Parts) -> AsyncIterator[str]:
    """Let Slack reach the app, over a socket where there is an app token, else over HTTP; let X too."""
    settings, database = parts.ground.settings, parts.ground.database
    async with contextlib.AsyncExitStack() as stack:
        if settings.slack_app_token:
            socket = SocketMode(
                partial(dispatch, parts.bolt), settings.slack_app_token.get_secret_value(), parts.slack.web
            )
            stack.push_async_callback(socket.close)
            stack.callback(asyncio.create_task(socket.connect()).cancel)
            health, routes = Health(database, parts.dispatcher, socket.alive), []
        else:
            health, routes = Health(database, parts.dispatcher, None), [_events(parts)]
        routes += [Route("/healthz", health.answer), *_webhook(parts)]
        yield await stack.enter_async_context(serving(routes, settings.host, settings.port))


def _events(parts: Parts) -> Route:
    """Return the way in for Slack over HTTP."""
    secret = parts.ground.settings.slack_signing_secret
    events = SlackEvents(
        partial(dispatch, parts.bolt), secret.get_secret_value() if secret else "", parts.ground.clock
    )
    return Route(slack_events.PATH, events.answer, methods=["POST"])


def _webhook(parts: Parts) -> list[Route]:
    """Return the way in for X; without a name and a password there is none."""
    settings = parts.ground.settings
    user, password = settings.x_webhook_user, settings.x_webhook_password.get_secret_value()
    if not (user and password):
        return []
    return [Route(x_webhook.PATH, XWebhook(parts.intake, user, password).answer, methods=["POST"])]
