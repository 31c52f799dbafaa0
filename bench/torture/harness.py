"""Test harness: a fake Slack, a fake X, a database, and the app's processes between them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

from bench.torture.app_processes import AppProcess, AppProcesses
from bench.torture.db_reader import DbReader, PendingCounts
from bench.torture.failpoints import Failpoint
from bench.torture.patched_app import AppOptions
from bench.torture.shared_clock import SharedClock
from blocks.slack_survey import INVITATION, THANKS_IN_THREAD
from cli import manifest
from csat.settings import Settings
from csat.surveys.transports import FACTS, TransportName
from csat.web import paths
from handlers.form_opening import SHORTCUT
from sandbox.local_asgi_server import serve
from sandbox.pubsub import PubSub
from sandbox.slack import ActionResult, Message, User, Workspace, fixtures
from sandbox.traffic_log import TrafficLog
from sandbox.x import Endpoint, FakeX, Fault, Webhook
from sandbox.x.accounts import Customer
from sandbox.x.rate_limits import RateLimit
from tests.databases import Databases
from tests.rating_page_kit import link_settings
from tests.world import settings_for

UNLIMITED: Final = 1_000_000
"""Rate limits are tested elsewhere."""
UNLIMITED_ENDPOINTS: Final = (
    Endpoint.CREATE,
    Endpoint.EVENTS,
    Endpoint.LOOKUP,
    Endpoint.SEND_MESSAGE,
    Endpoint.LIST_MESSAGES,
)
POST_MESSAGE: Final = "chat.postMessage"
ACK_TIMEOUT_SECONDS: Final = 1.5
WEBHOOK: Final = Webhook("/x/feedback", "x", "secret of the webhook")
LOG_FILE: Final = "app.log"
"""Log of all processes, in the harness's folder."""

UNEXPECTED_ERRORS: Final = ("Reference ", "Traceback (most recent call last)")

POLL_SECONDS: Final = 0.05
STALL_SECONDS: Final = 1.2
"""If nothing changes for so long, all pending work waits for the clock."""
LEASE_EXPIRY_SECONDS: Final = 61.0
"""Longer than any lease of a dead process."""
MAX_JUMPS: Final = 120
MAX_JUMP_SECONDS: Final = 1_800.0
RECONCILE_SECONDS: Final = 25 * 3_600.0
"""X lists feedback after 24 hours; by then uncertain surveys can be reconciled."""


class Harness:
    """The environment of one case."""

    def __init__(
        self,
        workspace: Workspace,
        x: FakeX,
        processes: AppProcesses,
        databases: Databases,
        settings: Settings,
        log_file: Path,
        transport: TransportName,
        *,
        in_thread: bool,
    ) -> None:
        self.workspace = workspace
        self.x = x
        self.databases = databases
        self.settings = settings
        self.db = DbReader(settings.database_url.get_secret_value())
        self.transport = transport
        self.endpoint = Endpoint.SEND_MESSAGE if transport is TransportName.X_LINK else Endpoint.CREATE
        """Where surveys reach X."""
        self.in_thread = in_thread
        """Whether Slack refuses direct messages to customers, so that they are invited in their thread."""
        self._processes = processes
        self._log_file = log_file
        self._typed: dict[str, str] = {}

    @property
    def sqlite_file(self) -> str:
        """Path of the SQLite file."""
        return self.settings.database_url.get_secret_value().removeprefix("sqlite:///")

    @property
    def log(self) -> str:
        """The logs of all processes."""
        return self._log_file.read_text(encoding="utf-8", errors="replace")

    def unexpected_errors(self) -> list[str]:
        """Return the lines of the log that announce an unexpected error."""
        return [line for line in self.log.splitlines() if any(mark in line for mark in UNEXPECTED_ERRORS)]

    @property
    def clock(self) -> SharedClock:
        """The clock of all processes, of Slack and of X."""
        return self._processes.clock

    async def start_app(
        self,
        failpoint: Failpoint | None = None,
        **options: Any,  # noqa: ANN401 - the fields of `AppOptions`
    ) -> AppProcess:
        """Start a process of the app, with any of `AppOptions`, and connect Slack to it."""
        settings = self._without_taken_port()
        app = await self._processes.start(AppOptions(settings, self._log_file, failpoint, **options))
        if app.url and not self.settings.slack_app_token:
            self.workspace.deliver_over_http(f"{app.url}{paths.SLACK_EVENTS}")
        return app

    def _without_taken_port(self) -> Settings:
        """Return the settings; an instance beside another has its rating page where no customer looks."""
        try:
            socket.create_server(("127.0.0.1", self.settings.csat_public_port)).close()
        except OSError:
            return self.settings.model_copy(update={"csat_public_port": 0})
        return self.settings

    def slow_down(self, seconds: float) -> None:
        """Let each survey take this long, until `recover`."""
        if self.transport is TransportName.SLACK:
            self.workspace.faults.delay(POST_MESSAGE, seconds)
        self.x.delay_seconds = seconds
        self.x.fail(Fault.SLOW, self.endpoint)

    def recover(self) -> None:
        """Let X and Slack work as usual again."""
        self.x.recover()
        self.workspace.faults.clear()

    def delivered_to(self) -> list[str]:
        """Return the recipient, as typed, of each survey that X has recorded or that is in Slack."""
        recipients = [feedback.to_user_id for feedback in self.x.feedbacks]
        recipients += [message.recipient_id for message in self.x.messages.sent]
        recipients += [person for person, _ in self.slack_surveys()]
        return [self.as_typed(recipient) for recipient in recipients]

    def slack_surveys(self) -> Iterator[tuple[str, Message]]:
        """Yield the customers in Slack with each direct message to them, and with each invitation."""
        for channel in self.workspace.channels.values():
            for person in channel.members & self._typed.keys() if channel.is_im else ():
                for message in channel.messages:
                    if not message.visible_to:  # replies to a press are
                        yield person, message
        yield from self._invitations() if self.in_thread else ()

    def _invitations(self) -> Iterator[tuple[str, Message]]:
        """Yield the customers with the invitations in the threads that they have begun."""
        messages = self.workspace.channels[fixtures.SUPPORT].messages
        authors = {message.ts: message.user for message in messages if not message.is_reply}
        for message in messages:
            if any(words in message.text for words in (INVITATION, THANKS_IN_THREAD)):
                yield authors[message.thread_ts], message

    async def ask_for_form(self, agent: str, recipient: str) -> ActionResult:
        """Let an agent ask for the form: by a command, or by the shortcut on a message of the customer."""
        if not self.in_thread:
            return await self.workspace.run_command(agent, fixtures.SUPPORT, f"/csat {recipient}")
        author = next(person for person, typed in self._typed.items() if typed == recipient)
        message = await self.workspace.post_message(author, fixtures.SUPPORT, "Thank you, it works again.")
        return await self.workspace.run_shortcut(agent, fixtures.SUPPORT, message.ts, SHORTCUT)

    def as_typed(self, recipient: str) -> str:
        """Return what an agent typed for a recipient, by what the database, Slack or X calls them."""
        name = recipient.removeprefix(f"{self.workspace.team.id}/")
        return self._typed.get(name.removeprefix("<@").removesuffix(">"), recipient)

    def add_recipient(self, number: int, *, with_handle: bool) -> str:
        """Add a customer to X or to Slack, and return what an agent types to survey them."""
        if self.transport is TransportName.SLACK:
            return self._add_person(number)
        customer = Customer(f"77{number:010}", f"t{number:07}", f"Customer {number}")
        if with_handle:
            self.x.customers.append(customer)
            self.x.allowlist.add(customer.handle)
            self._typed[customer.id] = f"@{customer.handle}"
            return f"@{customer.handle}"
        self.x.allowlist.add(f"u{customer.id}")  # X must record a duplicate instead of rejecting it
        return customer.id

    def _add_person(self, number: int) -> str:
        team = fixtures.TEAM if self.in_thread else fixtures.OTHER_TEAM  # a confirmation names its own people
        user = User(f"U77{number:08}", f"t{number:07}", f"@t{number:07}", team)
        if self.in_thread:
            user.is_restricted, user.accepts_dms = True, False
            self.workspace.channels[fixtures.SUPPORT].members.add(user.id)
        self.workspace.users[user.id] = user
        self._typed[user.id] = f"@{user.name}"
        return f"@{user.name}"

    async def settle(self) -> None:
        """Advance the clock until the app is idle, and then a day, until no survey is uncertain."""
        await self.wait_until_idle()
        self.clock.advance(RECONCILE_SECONDS)
        await self.wait_until_idle(allow_uncertain=False)

    async def wait_until_idle(self, *, allow_uncertain: bool = True) -> None:
        """Advance the clock in growing jumps until nothing is pending, or up to `MAX_JUMPS` times."""
        jump = LEASE_EXPIRY_SECONDS
        for _ in range(MAX_JUMPS):
            if await self._wait_until_idle_or_stalled(allow_uncertain=allow_uncertain):
                return
            self.clock.advance(jump)
            jump = min(jump * 1.5, MAX_JUMP_SECONDS)

    async def _wait_until_idle_or_stalled(self, *, allow_uncertain: bool) -> bool:
        """Wait while pending work changes; return True if none is left, False if it stalls."""
        loop, before = asyncio.get_running_loop(), None
        changed_at = loop.time()
        while loop.time() < changed_at + STALL_SECONDS:
            counts = self.db.count_pending()
            if counts and _is_idle(counts, allow_uncertain=allow_uncertain):
                return True
            if counts is None or counts != before:
                before, changed_at = counts, loop.time()
            await asyncio.sleep(POLL_SECONDS)
        return False


def _is_idle(counts: PendingCounts, *, allow_uncertain: bool) -> bool:
    return not any(counts._replace(uncertain=0) if allow_uncertain else counts)


@contextlib.asynccontextmanager
async def open_harness(
    processes: AppProcesses,
    databases: Databases,
    kind: str,
    folder: Path,
    *,
    socket_mode: bool = False,
    transport: TransportName = TransportName.X_CARD,
    in_thread: bool = False,
) -> AsyncIterator[Harness]:
    """Serve a fake Slack and a fake X for a new database; kill the app's processes at the end."""
    pubsub = PubSub()
    traffic = TrafficLog(pubsub)
    workspace = Workspace(manifest.load(), processes.clock, pubsub, traffic, ack_timeout=ACK_TIMEOUT_SECONDS)
    x = FakeX(processes.clock, pubsub, traffic)
    x.accepts_any_recipient = True
    for endpoint in UNLIMITED_ENDPOINTS:
        x.rate_limits[endpoint] = RateLimit(UNLIMITED)
    async with workspace.serve() as slack_url, serve(x.app) as x_url:
        settings = settings_for(
            workspace,
            slack_url,
            x,
            x_url,
            socket=socket_mode,
            database_url=databases.make(kind, folder),
            csat_cooldown_days=0,
            x_webhook_user=WEBHOOK.user,
            x_webhook_password=WEBHOOK.password,
            **(link_settings() if transport is TransportName.X_LINK else {"csat_transports": (transport,)}),
        )
        # more than an operator may set
        settings = settings.model_copy(update={FACTS[transport].quota_setting.lower(): UNLIMITED})
        try:
            log_file = folder / LOG_FILE
            yield Harness(
                workspace, x, processes, databases, settings, log_file, transport, in_thread=in_thread
            )
        finally:
            await processes.kill_all()
