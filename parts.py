"""The parts of the app, each made when it is first asked for: what works with what is said here, once."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import handlers
from blocks.survey_form import SurveyForm
from csat.clock import Clock
from csat.data_files import load_ticket_patterns
from csat.db.database import Database
from csat.db.limits import recipient_key
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.delivery import Delivery
from csat.delivery.reconciler import Reconciler
from csat.delivery.send_worker import SendWorker, WorkerConfig
from csat.feedback.intake import Intake
from csat.feedback.poller import ResponsePoller
from csat.scheduler import PeriodicTask, Scheduler
from csat.settings import Settings
from csat.slack_api.client import SlackClient
from csat.slack_api.files import Files
from csat.slack_api.identity import Identity
from csat.slack_api.permissions import Permissions
from csat.slack_api.posting import Poster
from csat.slack_api.response_urls import ResponseUrls
from csat.slack_api.view_updates import ViewUpdates
from csat.surveys.questions import Catalogue
from csat.tasks import BackgroundTasks
from csat.x_api.client import XClient
from handlers.bolt import build_app
from handlers.services import Services
from notifications.app_home import Homes
from notifications.digest import LOOKING, Digest
from notifications.low_ratings import LowRatingAlerts
from notifications.notifier import Notifier

SLACK_TIMEOUT = 5
"""Seconds for a call to Slack's Web API; a form must be open within three."""

CHECKING_HOMES = 60.0
"""Seconds between two looks at who may still see the results in their Homes."""


@dataclass(frozen=True)
class Ground:
    """What the parts stand on: opened before them, and closed after."""

    settings: Settings
    clock: Clock
    pace: WorkerConfig
    catalogue: Catalogue
    database: Database
    session: aiohttp.ClientSession
    x: XClient
    tasks: BackgroundTasks


class Parts:
    """One running instance of the app."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.instance = secrets.token_hex(4)

    @cached_property
    def key(self) -> Callable[[str], str]:
        """Makes the key by which the ledger knows a customer from their id."""
        return partial(recipient_key, self.ground.settings.x_api_secret.get_secret_value().encode())

    @cached_property
    def slack(self) -> SlackClient:
        """Slack, as it was told to us."""
        settings, session = self.ground.settings, self.ground.session
        web = AsyncWebClient(
            settings.slack_bot_token.get_secret_value(),
            base_url=f"{settings.slack_api_url}/",
            timeout=SLACK_TIMEOUT,
            session=session,
            logger=logging.getLogger("slack_sdk"),  # its own has no level, and formats each call for nobody
        )
        identity = Identity(web)
        return SlackClient(
            web=web,
            identity=identity,
            permissions=Permissions(web, identity, settings.csat_agents, settings.csat_supervisors),
            poster=Poster(web, ResponseUrls(session, settings.slack_api_url), self.ground.clock),
            updates=ViewUpdates(web),
            files=Files(web, session),
        )

    @cached_property
    def announcer(self) -> Notifier:
        """Tells Slack what became of a survey."""
        on = self.ground
        alerts = LowRatingAlerts(
            on.database, self.slack, on.catalogue, on.clock, on.settings.csat_results_channel
        )
        return Notifier(on.database, self.slack.poster, alerts, on.catalogue, on.clock, on.tasks)

    @cached_property
    def pausing(self) -> CircuitBreaker:
        """Pauses an account in trouble."""
        on = self.ground
        return CircuitBreaker(on.database, on.x, self.slack.poster, on.settings.csat_operators, on.clock)

    @cached_property
    def delivery(self) -> Delivery:
        """Sends one survey."""
        on, limits = self.ground, self.ground.settings.limits
        return Delivery(
            on.database, on.x, self.announcer, self.pausing, on.clock, self.instance, limits, self.key
        )

    @cached_property
    def dispatcher(self) -> SendWorker:
        """Gives each survey its turn."""
        on = self.ground
        settler = Reconciler(on.database, on.x, self.delivery, on.clock)
        return SendWorker(
            on.database,
            self.announcer,
            self.delivery,
            self.pausing,
            settler,
            on.clock,
            on.tasks,
            self.instance,
            on.pace,
        )

    @cached_property
    def intake(self) -> Intake:
        """Takes what customers answer."""
        return Intake(self.ground.database, self.ground.settings.x_account, self.key, self.ground.clock)

    @cached_property
    def homes(self) -> Homes:
        """Shows everybody their Home."""
        on = self.ground
        return Homes(on.database, self.slack, on.catalogue, on.clock, on.settings.csat_timezone)

    @cached_property
    def rounds(self) -> Scheduler:
        """Does what comes round again and again."""
        on, settings = self.ground, self.ground.settings
        works = ResponsePoller(on.database, on.x, self.intake, settings.x_account, on.clock).works()
        works.append(PeriodicTask("looking who still sees results", self.homes.check, CHECKING_HOMES))
        if channel := settings.csat_results_channel:
            weekly = Digest(on.database, self.slack, on.clock, channel, settings.csat_timezone)
            works.append(PeriodicTask("telling of last week", weekly.look, LOOKING))
        return Scheduler(works, on.tasks, on.pace.interval_scale)

    @cached_property
    def services(self) -> Services:
        """What the journeys work with."""
        on, settings = self.ground, self.ground.settings
        return Services(
            slack=self.slack,
            x=on.x,
            database=on.database,
            dispatcher=self.dispatcher,
            homes=self.homes,
            form=SurveyForm(on.catalogue),
            defaults=settings.defaults,
            tickets=load_ticket_patterns(),
            account=settings.x_account,
            instance=self.instance,
            clock=on.clock,
            limits=settings.limits,
            key=self.key,
            zone=settings.csat_timezone,
        )

    @cached_property
    def bolt(self) -> AsyncApp:
        """Bolt, with every journey connected; requests are verified before they get here."""
        app = build_app(self.slack.web, self.ground.tasks)
        handlers.register(app, self.services)
        return app
