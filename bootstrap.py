"""The composition root: settings -> resources -> services -> Bolt, opened and closed in the right order."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from functools import partial

import aiohttp
from slack_bolt.async_app import AsyncApp
from starlette.routing import Route

import handlers
from blocks import slack_survey
from blocks.survey_form import SurveyForm
from csat.background_tasks import BackgroundTasks, Deadline
from csat.clock import Clock
from csat.db import account_pauses, account_scope
from csat.db.database import Database
from csat.db.database_clock import SYNC_INTERVAL, DatabaseClock
from csat.db.engines import describe
from csat.db.errors import suppress_db_errors
from csat.db.poll_budget_and_sweeps import ensure_feed
from csat.db.rating_link_secrets import load_rating_link_secrets
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.send_worker import SendWorker, WorkerConfig
from csat.feedback import expiry
from csat.feedback.poller import ResponsePoller
from csat.feedback.response_intake import Intake
from csat.library_logs import silence_libraries
from csat.metrics import Metrics
from csat.question_and_ticket_files import load_catalogue, load_ticket_patterns
from csat.rating_page.routes import RatingPageEndpoint
from csat.rating_page.tokens import make_link
from csat.scheduler import PeriodicTask, Scheduler
from csat.settings import Settings
from csat.shared_resources import Notify, Resources
from csat.slack_api.client import SlackClient
from csat.slack_api.dispatch_interface import Dispatch
from csat.slack_api.error_explanations import explain
from csat.slack_api.errors import SlackError, is_rejection
from csat.slack_api.socket_mode import SocketMode
from csat.slack_api.web_client import build_web_client, open_session
from csat.surveys.questions import Catalogue
from csat.surveys.transports import TransportName
from csat.transports.protocol import Transport, Transports
from csat.transports.slack_message import SlackMessage
from csat.transports.x_card import XCard
from csat.transports.x_link import XLink
from csat.values_from_settings import build_default_draft, build_limits, load_recipient_key, open_x
from csat.web import metrics_endpoint, paths, slack_events
from csat.web.health import HealthCheck, handle_liveness
from csat.web.metrics_endpoint import MetricsEndpoint
from csat.web.server import serve as serve_http
from csat.web.slack_events import SlackEndpoint
from csat.web.x_webhook import XWebhook
from csat.x_api.client import XClient
from handlers import bolt_adapter
from handlers.services import Services
from notifications.digest import WeeklyDigest
from notifications.home_publisher import AppHome
from notifications.notifier import Notifier

TOKEN_CHECK_INTERVAL = 60
"""Seconds between two questions to Slack whether it accepts the bot's token."""

OUTAGE_CHECK_INTERVAL = 10
"""Seconds between two write checks while the database takes no writes."""

SHUTDOWN_SECONDS = 9.0
"""For everything that is in progress when the app stops: a little more than a call to X takes."""

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def lifespan(
    settings: Settings, clock: Clock | None = None, config: WorkerConfig | None = None
) -> AsyncIterator[str]:
    """Run the app until the block ends, and yield the base URL of its HTTP routes.

    Without a `clock` the app goes by the database's. On exit it takes nothing new, and finishes what is in
    progress within `SHUTDOWN_SECONDS`.

    Raises:
        DatabaseError, CatalogueError, OSError: it can't start.
    """
    silence_libraries()
    config = config or WorkerConfig(concurrency=settings.csat_concurrency)
    shutdown = Deadline(SHUTDOWN_SECONDS)
    async with contextlib.AsyncExitStack() as stack:
        resources = await stack.enter_async_context(open_resources(settings, clock, shutdown))
        notifier = Notifier(resources, config.poll_interval, config.concurrency)
        breaker, intake = CircuitBreaker(resources), Intake(resources)
        worker = SendWorker(resources, breaker, notifier.start, config)
        services = build_services(resources, worker, breaker, notifier.start)
        scheduler = Scheduler(
            [*periodic_tasks(resources, intake, breaker, services.app_home), notifier.periodic_task()],
            resources.tasks,
            config.interval_scale,
        )
        resources.tasks.start(warm_up(resources.slack), "authenticating with Slack")
        resources.tasks.start(suppress_db_errors(breaker.check()), "checking the X account")
        counting = suppress_db_errors(log_other_accounts(resources))
        resources.tasks.start(counting, "counting what waits for other accounts")
        for loop in (worker.run(), notifier.run(), scheduler.run()):
            stack.callback(asyncio.create_task(loop).cancel)
        url = await stack.enter_async_context(
            serve(resources, worker, intake, partial(bolt_adapter.dispatch, build_bolt(services, resources)))
        )
        if settings.metrics_port is not None:
            await stack.enter_async_context(serve_metrics(resources, settings.metrics_port))
        if settings.csat_public_url:
            await stack.enter_async_context(serve_rating_page(resources))
        stack.callback(worker.stop)
        stack.callback(shutdown.begin)
        yield url


@contextlib.asynccontextmanager
async def open_resources(
    settings: Settings, clock: Clock | None, shutdown: Deadline
) -> AsyncIterator[Resources]:
    """Open the database and the connections; on exit, finish the background tasks, then close them."""
    catalogue = load_catalogue(
        settings.csat_questions_file, settings.csat_questions, settings.csat_transports
    )
    tasks, metrics = BackgroundTasks(), Metrics()
    async with contextlib.AsyncExitStack() as stack:
        url = settings.database_url.get_secret_value()
        log.info("Database: %s", describe(url))
        names = ", ".join(settings.csat_transports)
        log.info("Transports: %s%s", names, "" if settings.x_account_id else "; there are no keys of X")
        database = Database(url)
        stack.callback(database.close)
        clock = clock or await DatabaseClock.open(database)
        session = await stack.enter_async_context(open_session())
        x = await stack.enter_async_context(open_x(settings, clock, metrics.observe_x))
        stack.push_async_callback(lambda: tasks.finish(shutdown.left()))
        if x:
            await database.run(account_pauses.ensure_account, settings.x_account_id)
            await database.run(ensure_feed, settings.x_account_id)
        has_page = bool(settings.csat_public_url)
        rating_link_secrets = await database.run(load_rating_link_secrets) if has_page else ()
        slack = build_slack_client(settings, session, clock, metrics)
        yield Resources(
            settings=settings,
            clock=clock,
            catalogue=catalogue,
            database=database,
            slack=slack,
            x=x,
            transports={
                **build_x_transports(settings, x, rating_link_secrets, clock),
                TransportName.SLACK: build_slack_transport(slack, catalogue, clock),
            },
            tasks=tasks,
            metrics=metrics,
            instance=secrets.token_hex(4),
            account=settings.x_account_id,
            limits=build_limits(settings),
            rating_link_secrets=rating_link_secrets,
            recipient_key=await load_recipient_key(settings, database),
        )


def build_slack_transport(slack: SlackClient, catalogue: Catalogue, clock: Clock) -> Transport:
    """Return the transport in Slack, which needs no more than Slack's token."""
    build_survey = partial(slack_survey.survey_message, catalogue=catalogue)
    return SlackMessage(slack, build_survey, slack_survey.invitation, clock)


def build_x_transports(
    settings: Settings, x: XClient | None, rating_link_secrets: Sequence[str], clock: Clock
) -> Transports:
    """Return the transports on X that the settings allow, also those that new surveys do not use."""
    if x is None:
        return {}
    transports: dict[TransportName, Transport] = {TransportName.X_CARD: XCard(x)}
    if rating_link_secrets:
        link = partial(make_link, settings.csat_public_url, rating_link_secrets[0])
        transports[TransportName.X_LINK] = XLink(x, link, clock)
    return transports


def build_slack_client(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock, metrics: Metrics
) -> SlackClient:
    """Return the client of Slack's Web API, over a shared HTTP session."""
    return SlackClient(
        build_web_client(settings.slack_bot_token, settings.slack_api_url, session, metrics.observe_slack),
        session,
        settings.slack_api_url,
        clock,
        agents=settings.csat_agents,
        supervisors=settings.csat_supervisors,
    )


def build_services(
    resources: Resources, worker: SendWorker, breaker: CircuitBreaker, notify: Notify
) -> Services:
    """Return what Slack's listeners work with."""
    defaults = build_default_draft(resources.settings)
    return Services(
        slack=resources.slack,
        x=resources.x,
        database=resources.database,
        worker=worker,
        breaker=breaker,
        notify=notify,
        metrics=resources.metrics,
        app_home=AppHome(resources),
        form=SurveyForm(
            resources.catalogue,
            defaults,
            resources.settings.csat_transports,
            f"{resources.settings.csat_public_url}/r/…",
        ),
        defaults=defaults,
        ticket_patterns=load_ticket_patterns(),
        account=resources.account,
        operators=resources.settings.csat_operators,
        instance=resources.instance,
        clock=resources.clock,
        limits=resources.limits,
        recipient_key=resources.recipient_key,
        timezone=resources.settings.csat_timezone,
    )


def build_bolt(services: Services, resources: Resources) -> AsyncApp:
    """Return the Bolt app with every listener; it is given verified requests only."""
    app = bolt_adapter.build_app(resources.slack.web, resources.tasks)
    handlers.register(app, services)
    return app


def periodic_tasks(
    resources: Resources, intake: Intake, breaker: CircuitBreaker, app_home: AppHome
) -> list[PeriodicTask]:
    """Return what the scheduler repeats."""
    checking = PeriodicTask("checking Slack's token", resources.slack.check_token, TOKEN_CHECK_INTERVAL)
    outage = PeriodicTask(
        "checking for the end of an outage", resources.database.check_outage, OUTAGE_CHECK_INTERVAL
    )
    tasks = [app_home.periodic_task(), expiry.periodic_task(resources), checking, outage]
    if resources.x:
        poller = ResponsePoller(resources, resources.x, intake, breaker.pause_if_refused)
        tasks += poller.periodic_tasks()
    if isinstance(resources.clock, DatabaseClock):
        tasks.append(PeriodicTask("setting the clock", resources.clock.synchronize, SYNC_INTERVAL))
    if resources.settings.csat_results_channel:
        tasks.append(WeeklyDigest(resources).periodic_task())
    return tasks


async def log_other_accounts(resources: Resources) -> None:
    """Log how many surveys wait for other accounts, once Slack names its own; raises `DatabaseError`."""
    try:
        await resources.slack.team_id()
    except SlackError:
        return
    waiting = await resources.database.read(account_scope.count_waiting_for_others, resources.accounts)
    for account, number in waiting.items():
        log.warning(
            "Surveys that wait for %s: %d. Only an instance with its keys or token sends them",
            account_scope.describe(account),
            number,
        )


async def warm_up(slack: SlackClient) -> None:
    """Open the connection to Slack before somebody waits for it."""
    try:
        await slack.team_id()
    except SlackError as error:
        if is_rejection(error):
            log.error("Slack rejects this app: %s. Run python app.py check", explain(error))  # noqa: TRY400
        else:
            log.warning("Can't reach Slack, retrying: %s", explain(error))


@contextlib.asynccontextmanager
async def serve(
    resources: Resources, worker: SendWorker, intake: Intake, dispatch: Dispatch
) -> AsyncIterator[str]:
    """Accept requests of Slack, in Socket Mode if there is an app-level token, else over HTTP; and of X."""
    settings = resources.settings
    async with contextlib.AsyncExitStack() as stack:
        if settings.slack_app_token:
            socket = SocketMode(dispatch, settings.slack_app_token.get_secret_value(), resources.slack.web)
            stack.push_async_callback(socket.close)
            stack.callback(asyncio.create_task(socket.connect()).cancel)
            health, routes = HealthCheck(resources, worker, socket.find_problem), []
        else:
            health, routes = HealthCheck(resources, worker, None), _slack_routes(resources, dispatch)
        routes += [
            Route("/livez", handle_liveness),
            Route("/readyz", health.handle),
            Route("/healthz", health.handle),
            *(_webhook_routes(settings, intake) if resources.x else []),
        ]
        yield await stack.enter_async_context(serve_http(routes, settings.host, settings.port))


@contextlib.asynccontextmanager
async def serve_metrics(resources: Resources, port: int) -> AsyncIterator[None]:
    """Serve the metrics on a port of their own until the block ends."""
    routes = [Route(metrics_endpoint.PATH, MetricsEndpoint(resources).handle)]
    async with serve_http(routes, resources.settings.metrics_host, port, "METRICS_PORT") as url:
        log.info("Metrics at %s%s", url, metrics_endpoint.PATH)
        yield


@contextlib.asynccontextmanager
async def serve_rating_page(resources: Resources) -> AsyncIterator[None]:
    """Serve the page on which customers rate, and nothing else, on a port of its own until the block ends."""
    settings = resources.settings
    routes = RatingPageEndpoint(resources, resources.rating_link_secrets).routes()
    host, port = settings.csat_public_host, settings.csat_public_port
    async with serve_http(routes, host, port, "CSAT_PUBLIC_PORT") as url:
        log.info("The rating page for %s is at %s", settings.csat_public_url, url)
        yield


def _slack_routes(resources: Resources, dispatch: Dispatch) -> list[Route]:
    secret = resources.settings.slack_signing_secret
    endpoint = SlackEndpoint(dispatch, secret.get_secret_value() if secret else "", resources.clock)
    return [
        Route(paths.SLACK_EVENTS, endpoint.handle, methods=["POST"]),
        Route(paths.SLACK_EVENTS, slack_events.handle_get, methods=["GET"]),
    ]


def _webhook_routes(settings: Settings, intake: Intake) -> list[Route]:
    """Return the route of X's webhook; without a name and a password there is none."""
    user, password = settings.x_webhook_user, settings.x_webhook_password.get_secret_value()
    if not (user and password):
        return []
    return [Route(paths.X_FEEDBACK, XWebhook(intake, user, password).handle, methods=["POST"])]
