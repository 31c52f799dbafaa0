"""Open what all parts of the app share: the database, and the connections to Slack and X."""

import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

import aiohttp

from blocks import slack_survey
from bootstrap.values_from_settings import build_limits, load_recipient_key, open_x
from csat.background_tasks import BackgroundTasks, Deadline
from csat.clock import Clock
from csat.db import account_pauses
from csat.db.database import Database
from csat.db.database_clock import DatabaseClock
from csat.db.engines import describe
from csat.db.poll_budget_and_sweeps import ensure_feed
from csat.db.rating_link_secrets import ensure_rating_link_secret, load_rating_link_secrets
from csat.metrics import Metrics
from csat.question_and_ticket_files import load_catalogue
from csat.rating_page.tokens import make_link
from csat.settings import Settings
from csat.shared_resources import Resources
from csat.slack_api.client import SlackClient
from csat.slack_api.web_client import build_web_client, open_session
from csat.surveys.questions import Catalogue
from csat.surveys.transports import TransportName
from csat.transports.protocol import Transport, Transports
from csat.transports.slack_message import SlackMessage
from csat.transports.x_card import XCard
from csat.transports.x_link import XLink
from csat.x_api.client import XClient

log = logging.getLogger(__name__)


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
        _log_what_is_used(settings)
        database = Database(settings.database_url.get_secret_value(), settings.timeouts)
        stack.callback(database.close)
        clock = clock or await DatabaseClock.open(database)
        session = await stack.enter_async_context(open_session(settings.timeouts))
        x = await stack.enter_async_context(open_x(settings, clock, metrics.observe_x))
        stack.push_async_callback(lambda: tasks.finish(shutdown.left()))
        if x:
            await _insert_account(database, settings.x_account_id)
        if settings.csat_public_url:
            await database.run(ensure_rating_link_secret)
        slack = build_slack_client(settings, session, clock, metrics)
        yield Resources(
            settings=settings,
            clock=clock,
            catalogue=catalogue,
            database=database,
            slack=slack,
            x=x,
            transports={
                **build_x_transports(settings, x, database, clock),
                TransportName.SLACK: build_slack_transport(slack, catalogue, clock),
            },
            tasks=tasks,
            metrics=metrics,
            instance=secrets.token_hex(4),
            account=settings.x_account_id,
            limits=build_limits(settings),
            recipient_key=await load_recipient_key(settings, database, may_replace=True),
        )


def build_slack_transport(slack: SlackClient, catalogue: Catalogue, clock: Clock) -> Transport:
    """Return the transport in Slack, which needs no more than Slack's token."""
    build_survey = partial(slack_survey.survey_message, catalogue=catalogue)
    return SlackMessage(slack, build_survey, slack_survey.invitation, clock)


def build_x_transports(settings: Settings, x: XClient | None, database: Database, clock: Clock) -> Transports:
    """Return the transports on X that the settings allow, also those that new surveys do not use."""
    if x is None:
        return {}
    transports: dict[TransportName, Transport] = {TransportName.X_CARD: XCard(x)}
    if settings.csat_public_url:
        link = partial(find_rating_link, database, settings.csat_public_url)
        transports[TransportName.X_LINK] = XLink(x, link, clock)
    return transports


async def find_rating_link(database: Database, public_url: str, survey_id: int, accepted_at: datetime) -> str:
    """Return the link to a survey's page; raises `DatabaseError`."""
    return make_link(public_url, await database.read(load_rating_link_secrets), survey_id, accepted_at)


def build_slack_client(
    settings: Settings, session: aiohttp.ClientSession, clock: Clock, metrics: Metrics
) -> SlackClient:
    """Return the client of Slack's Web API, over a shared HTTP session."""
    return SlackClient(
        build_web_client(
            settings.slack_bot_token,
            settings.slack_api_url,
            session,
            settings.timeouts,
            metrics.observe_slack,
        ),
        session,
        settings.slack_api_url,
        clock,
        agents=settings.csat_agents,
        supervisors=settings.csat_supervisors,
    )


def _log_what_is_used(settings: Settings) -> None:
    log.info("Database: %s", describe(settings.database_url.get_secret_value()))
    names = ", ".join(settings.csat_transports)
    log.info("Transports: %s%s", names, "" if settings.x_account_id else "; there are no keys of X")


async def _insert_account(database: Database, account: str) -> None:
    """Insert the rows of an account on X that the database does not know yet; raises `DatabaseError`."""
    await database.run(account_pauses.ensure_account, account)
    await database.run(ensure_feed, account)
