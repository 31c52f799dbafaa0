"""The app as it runs: every part made, connected, and at the end put away in the right order."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.routing import Route

import handlers
import manifest
from blocks.survey_form import SurveyForm
from handlers.desk import Desk
from ledger import accounts, feeds
from ledger.engine import Ledger
from ledger.limits import recipient_key
from results.digest import LOOKING, Digest
from results.fetching import Fetching
from results.homes import Homes
from results.intake import Intake
from results.rounds import Rounds, Work
from sender.alerts import Alerts
from sender.announcer import Announcer
from sender.delivery import Delivery
from sender.dispatcher import Dispatcher, Pace
from sender.pausing import Pausing
from sender.settler import Settler
from settings import Settings
from slack.errors import SlackError
from slack.files import Files
from slack.identity import Identity
from slack.members import Members
from slack.posting import Poster
from slack.response_url import ResponseUrls
from slack.runner import PromptRunner
from slack.side import Slack
from slack.socket import SocketMode
from slack.updates import ViewUpdates
from surveys.clock import Clock, utc_now
from surveys.prefill import load_tickets
from surveys.questions import load_catalogue
from tasks import Deadline, Tasks
from web import x_feedback
from web.health import Health
from web.server import serving
from web.slack_events import SlackEvents
from web.x_feedback import XFeedback
from x.client import XClient, open_http

SLACK_TIMEOUT = 5
"""Seconds for a call to Slack's Web API; a form must be open within three."""

STOPPING = 9.0
"""Seconds for everything that is under way when the app stops: a little more than a call to X."""

CHECKING_HOMES = 60.0
"""Seconds between two looks at who may still see the results in their Homes."""

QUIET = ("slack_bolt", "slack_sdk", "httpx", "oauthlib", "aiohttp", "alembic", "uvicorn")
"""Libraries that log bodies, addresses or every step of theirs below ERROR."""

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def running(settings: Settings, clock: Clock = utc_now, pace: Pace | None = None) -> AsyncIterator[str]:
    """Run the app until the block ends, and yield the address of its own HTTP routes.

    Raises `LedgerError`, `CatalogueError` or `OSError` where it can't begin. At the end nothing new is taken
    on, and what is under way is finished.
    """
    for library in QUIET:
        logging.getLogger(library).setLevel(logging.ERROR)
    catalogue, tasks, instance = load_catalogue(settings.csat_questions_file), Tasks(), secrets.token_hex(4)
    pace = pace or Pace(concurrency=settings.csat_concurrency)
    async with contextlib.AsyncExitStack() as stack:
        ledger = Ledger(settings.database_url.get_secret_value())
        stack.callback(ledger.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        x = XClient(await stack.enter_async_context(open_http(settings.x_keys, settings.x_api_url, clock)))
        stopping = Deadline(STOPPING)
        stack.push_async_callback(lambda: tasks.finish(stopping.left()))
        slack = _slack(settings, session, clock)
        alerts = Alerts(ledger, slack, catalogue, clock, settings.csat_results_channel)
        announcer = Announcer(ledger, slack.poster, alerts, catalogue, clock)
        await ledger.run(accounts.open_account, settings.x_account)
        key = partial(recipient_key, settings.x_api_secret.get_secret_value().encode())
        pausing = Pausing(ledger, x, slack.poster, settings.csat_operators, clock)
        delivery = Delivery(ledger, x, announcer, pausing, clock, instance, settings.limits, key)
        dispatcher = Dispatcher(
            ledger,
            announcer,
            delivery,
            pausing,
            Settler(ledger, x, delivery, clock),
            clock,
            tasks,
            instance,
            pace,
        )
        homes = Homes(ledger, slack, catalogue, clock, settings.csat_timezone)
        desk = Desk(
            slack=slack,
            x=x,
            ledger=ledger,
            dispatcher=dispatcher,
            homes=homes,
            form=SurveyForm(catalogue),
            defaults=settings.defaults,
            tickets=load_tickets(),
            account=settings.x_account,
            instance=instance,
            clock=clock,
            limits=settings.limits,
            key=key,
            zone=settings.csat_timezone,
        )
        bolt = _bolt(slack, tasks)
        handlers.register(bolt, desk)
        tasks.start(_warm_up(slack.identity), "asking Slack who we are")
        intake = Intake(ledger, settings.x_account, key, clock)
        await ledger.run(feeds.open_feed, settings.x_account)
        works = Fetching(ledger, x, intake, settings.x_account, clock).works()
        works.append(Work("looking who still sees results", homes.check, CHECKING_HOMES))
        if channel := settings.csat_results_channel:
            weekly = Digest(ledger, slack, clock, channel, settings.csat_timezone)
            works.append(Work("telling of last week", weekly.look, LOOKING))
        for going_on in (dispatcher.run(), Rounds(works, tasks, pace.haste).run()):
            stack.callback(asyncio.create_task(going_on).cancel)
        reachable = _reachable(settings, bolt, slack, ledger, dispatcher, intake, clock)
        url = await stack.enter_async_context(reachable)
        stack.callback(dispatcher.stop)
        stack.callback(stopping.begin)
        yield url


async def _warm_up(identity: Identity) -> None:
    """Open the connection to Slack before anybody waits for it."""
    try:
        await identity.team()
    except SlackError as error:
        log.error("Slack does not know this app (%s): python app.py check tells more", error)  # noqa: TRY400


def _slack(settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> Slack:
    web = AsyncWebClient(
        settings.slack_bot_token.get_secret_value(),
        base_url=f"{settings.slack_api_url}/",
        timeout=SLACK_TIMEOUT,
        session=session,
        logger=logging.getLogger("slack_sdk"),  # its own one has no level, and formats each call for nobody
    )
    identity = Identity(web)
    return Slack(
        web=web,
        identity=identity,
        members=Members(web, identity, settings.csat_agents, settings.csat_supervisors),
        poster=Poster(web, ResponseUrls(session, settings.slack_api_url), clock),
        updates=ViewUpdates(web),
        files=Files(web, session),
    )


def _bolt(slack: Slack, tasks: Tasks) -> AsyncApp:
    # requests are verified in `web`, or came through our own socket
    bolt = AsyncApp(
        name="csat-slack",
        logger=logging.getLogger("slack_bolt"),
        client=slack.web,
        authorize=slack.identity,
        signing_secret="",
        request_verification_enabled=False,
    )
    bolt._async_listener_runner = PromptRunner(bolt.listener_runner, tasks)  # noqa: SLF001 - Bolt has no other way
    return bolt


@contextlib.asynccontextmanager
async def _reachable(
    settings: Settings,
    bolt: AsyncApp,
    slack: Slack,
    ledger: Ledger,
    dispatcher: Dispatcher,
    intake: Intake,
    clock: Clock,
) -> AsyncIterator[str]:
    """Let Slack reach the app, over a socket where there is an app token, else over HTTP; let X too."""
    async with contextlib.AsyncExitStack() as stack:
        if settings.slack_app_token:
            socket = SocketMode(bolt, settings.slack_app_token.get_secret_value(), slack.web)
            stack.push_async_callback(socket.close)
            stack.callback(asyncio.create_task(socket.connect()).cancel)
            routes = [Route("/healthz", Health(ledger, dispatcher, socket.alive).answer)]
        else:
            secret = settings.slack_signing_secret
            events = SlackEvents(bolt, secret.get_secret_value() if secret else "", clock)
            routes = [
                Route(manifest.EVENTS, events.answer, methods=["POST"]),
                Route("/healthz", Health(ledger, dispatcher, None).answer),
            ]
        routes += _webhook(settings, intake)
        yield await stack.enter_async_context(serving(routes, settings.host, settings.port))


def _webhook(settings: Settings, intake: Intake) -> list[Route]:
    """Return the way in for X; without a name and a password there is none."""
    user, password = settings.x_webhook_user, settings.x_webhook_password.get_secret_value()
    if not (user and password):
        return []
    return [Route(x_feedback.PATH, XFeedback(intake, user, password).answer, methods=["POST"])]
