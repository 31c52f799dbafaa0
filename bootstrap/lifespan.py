"""Run the app: its workers, its periodic tasks, Slack's listeners and the servers."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

from slack_bolt.async_app import AsyncApp

import handlers
from blocks.survey_form import SurveyForm
from bootstrap.resources import open_resources
from bootstrap.servers import bind_listeners, serve
from bootstrap.values_from_settings import build_default_draft
from csat.background_tasks import Deadline
from csat.clock import Clock
from csat.db import account_scope
from csat.db.database_clock import SYNC_INTERVAL, DatabaseClock
from csat.db.errors import suppress_db_errors
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.send_worker import SendWorker, WorkerConfig
from csat.feedback import expiry
from csat.feedback.poller import ResponsePoller
from csat.feedback.x_update_intake import Intake
from csat.library_logs import silence_libraries
from csat.question_and_ticket_files import load_ticket_patterns
from csat.rating_page import secret_expiry
from csat.scheduler import PeriodicTask, Scheduler
from csat.settings import Settings
from csat.shared_resources import Notify, Resources
from csat.slack_api.errors import SlackError
from csat.slack_api.token_watch import TokenWatch
from handlers import bolt_dispatch
from handlers.services import Services
from notifications.digest import WeeklyDigest
from notifications.home_publisher import AppHome
from notifications.notifier import Notifier

TOKEN_CHECK_INTERVAL = 60
"""Seconds between two questions to Slack whether it accepts the bot's token."""

OUTAGE_CHECK_INTERVAL = 10
"""Seconds between two write checks while the database takes no writes."""

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def lifespan(
    settings: Settings, clock: Clock | None = None, config: WorkerConfig | None = None
) -> AsyncIterator[str]:
    """Run the app until the block ends, and yield the base URL of its HTTP routes.

    Without a `clock` the app goes by the database's. On exit it takes nothing new, and finishes what is in
    progress within `timeouts.shutdown` seconds.

    Raises:
        DatabaseError, CatalogueError, OSError: it can't start.
    """
    silence_libraries()
    config = config or WorkerConfig(concurrency=settings.csat_concurrency)
    shutdown = Deadline(settings.timeouts.shutdown)
    async with contextlib.AsyncExitStack() as stack:
        listeners = stack.enter_context(bind_listeners(settings))
        resources = await stack.enter_async_context(open_resources(settings, clock, shutdown))
        notifier = Notifier(resources, config.poll_interval, config.concurrency)
        breaker, intake = CircuitBreaker(resources), Intake(resources)
        worker = SendWorker(resources, breaker, notifier.start, config)
        services = build_services(resources, worker, breaker, notifier.start)
        tasks = periodic_tasks(resources, intake, breaker, services.app_home)
        scheduler = Scheduler([*tasks, notifier.periodic_task()], resources.tasks, config.interval_scale)
        start_checks(resources, breaker)
        for loop in (worker.run(), notifier.run(), scheduler.run()):
            stack.callback(asyncio.create_task(loop).cancel)
        dispatch = partial(bolt_dispatch.dispatch, build_bolt(services, resources))
        url = await stack.enter_async_context(serve(resources, listeners, worker, intake, dispatch))
        stack.callback(worker.stop)
        stack.callback(shutdown.begin)
        yield url


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
        timeouts=resources.settings.timeouts,
        timezone=resources.settings.csat_timezone,
    )


def build_bolt(services: Services, resources: Resources) -> AsyncApp:
    """Return the Bolt app with every listener; it is given verified requests only."""
    app = bolt_dispatch.build_app(resources.slack.web, resources.tasks)
    handlers.register(app, services)
    return app


def periodic_tasks(
    resources: Resources, intake: Intake, breaker: CircuitBreaker, app_home: AppHome
) -> list[PeriodicTask]:
    """Return what the scheduler repeats."""
    checking = PeriodicTask("checking Slack's token", TokenWatch(resources.slack).run, TOKEN_CHECK_INTERVAL)
    outage = PeriodicTask(
        "checking for the end of an outage", resources.database.check_outage, OUTAGE_CHECK_INTERVAL
    )
    expiring = (expiry.periodic_task(resources), secret_expiry.periodic_task(resources))
    tasks = [app_home.periodic_task(), *expiring, checking, outage]
    if resources.x:
        poller = ResponsePoller(resources, resources.x, intake, breaker.pause_if_refused)
        tasks += poller.periodic_tasks()
    if isinstance(resources.clock, DatabaseClock):
        tasks.append(PeriodicTask("setting the clock", resources.clock.synchronize, SYNC_INTERVAL))
    if resources.settings.csat_results_channel:
        tasks.append(WeeklyDigest(resources).periodic_task())
    return tasks


def start_checks(resources: Resources, breaker: CircuitBreaker) -> None:
    """Ask X and the database in the background what stands in the way of sending, and log it."""
    tasks = resources.tasks
    tasks.start(suppress_db_errors(breaker.check()), "checking the X account")
    counting = suppress_db_errors(log_other_accounts(resources))
    tasks.start(counting, "counting what waits for other accounts")


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
