"""The services that the listeners use."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from blocks.elements import Message
from blocks.form_state import Form
from blocks.survey_form import SurveyForm
from csat.clock import Clock
from csat.db import audit_log
from csat.db.audit_log import AuditAction
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.db.form_context import FormContext, read_form_context
from csat.db.survey_records import SurveyRecord, find_survey
from csat.delivery.circuit_breaker import CircuitBreaker
from csat.delivery.send_worker import SendWorker
from csat.metrics import Metrics
from csat.shared_resources import Notify
from csat.slack_api.client import SlackClient
from csat.slack_api.errors import SlackError, SlackRefused
from csat.slack_api.payloads import SlashCommand
from csat.surveys.customers_in_message import TicketPattern
from csat.surveys.limits import Denial, Limits
from csat.surveys.networks import Network
from csat.surveys.origin import Origin
from csat.surveys.recipients import InvalidRecipient, Recipient, SlackPerson
from csat.surveys.survey import Draft
from csat.surveys.transport_errors import RetryLater
from csat.timeouts import Timeouts
from csat.x_api.client import XClient
from csat.x_api.wire import Account
from notifications.home_publisher import AppHome

GONE = "This survey is no longer on file, so there's nothing left to do."
OWN_ACCOUNT = "You can't send a survey to your own account on X. Choose the customer."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """Everything that a listener may need."""

    slack: SlackClient
    x: XClient | None
    """None without an account on X."""
    database: Database
    worker: SendWorker
    breaker: CircuitBreaker
    notify: Notify
    metrics: Metrics
    app_home: AppHome
    form: SurveyForm
    defaults: Draft
    """The form's initial values."""
    ticket_patterns: Sequence[TicketPattern]
    account: str
    """The id of the X account that sends surveys on X, or ""."""
    operators: Collection[str]
    """The users who are told about a paused X account, and can resume it."""
    instance: str
    clock: Clock
    limits: Limits
    recipient_key: Callable[[str], str]
    """Returns the keyed hash of a recipient's id, by which the database knows them."""
    timeouts: Timeouts
    timezone: ZoneInfo
    """The time zone of reports' days."""
    survey_locks: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """While the messages of a survey in Slack are updated, by its id."""

    @property
    def accounts(self) -> frozenset[str]:
        """The accounts whose surveys this instance sends: on X, and its workspace once Slack has named it."""
        return frozenset(filter(None, (self.account, self.slack.known_team_id)))

    @property
    def networks(self) -> frozenset[Network]:
        """Where customers can be asked."""
        return self.form.transports.networks

    def account_of(self, recipient: Recipient) -> str:
        """Return the account that sends surveys to a recipient: that on X, or the recipient's workspace."""
        return recipient.team if isinstance(recipient, SlackPerson) else self.account

    async def reply(self, origin: Origin, message: Message) -> None:
        """Post a message that only the requester sees, if they can be reached; raises `SlackUnavailable`."""
        try:
            await self.slack.poster.post_ephemeral(origin, *message)
        except SlackRefused as error:
            log.warning("%s can't be reached: %s", origin.requester, error)

    async def replace(self, origin: Origin, message: Message) -> None:
        """Replace the message whose button was pressed, or reply if Slack refuses that."""
        try:
            await self.slack.poster.replace_original(origin, *message)
        except SlackError:
            await self.reply(origin, message)

    async def audit(self, command: SlashCommand, action: AuditAction, detail: str) -> bool:
        """Log that a command is about to show results; return False if an earlier delivery of it did."""
        logged = (command.team, command.user, action, detail, command.trigger_id, self.clock())
        is_first = await self.database.run(audit_log.record_command, *logged)
        if not is_first:
            log.info("Slack delivered a command again: %s", action)
        return is_first

    def is_own_account(self, recipient: Recipient) -> bool:
        """Return True if a recipient is known to be the account on X that sends the surveys."""
        has_own_handle = self.x is not None and str(recipient.handle).lower() == self.x.own_handle
        return recipient.id == self.account or has_own_handle

    async def look_up_account(self, recipient: Recipient) -> Account | None:
        """Return the account of a handle; `None` for an id, or if X is slow or busy.

        Raises `Refused`, and `InvalidRecipient` for the account that sends the surveys.
        """
        if recipient.id == self.account:
            raise InvalidRecipient(OWN_ACCOUNT)
        if recipient.id or self.x is None:
            return None
        try:
            async with asyncio.timeout(self.timeouts.x_look_up):
                account = await self.x.look_up_user(recipient)
        except (RetryLater, TimeoutError):
            return None
        if account.id == self.account:
            raise InvalidRecipient(OWN_ACCOUNT)
        return account

    async def read_form_context(self, form: Form, recipient: Recipient | None) -> FormContext:
        """Return what the database knows for a form about a customer; nothing if it is slow."""
        account = self.account_of(recipient) if recipient else ""
        recipient_id = recipient.id if recipient else None
        if recipient and self.x:
            recipient_id = self.x.find_known_id(recipient)
        key = self.recipient_key(recipient_id) if recipient_id else None
        requester, transport = (form.origin.team, form.origin.requester), self.form.transports.fitting(form)
        customer = (self.account, account, recipient, key, transport)
        known = (*requester, *customer, form.edited_id, self.limits, self.clock())
        with contextlib.suppress(DatabaseError, TimeoutError):
            async with asyncio.timeout(self.timeouts.form_context):
                return await self.database.read(read_form_context, *known)
        return FormContext()

    async def find_survey(self, key: str | None) -> SurveyRecord | None:
        """Return the survey that a button names, or `None` if it is not on file any more."""
        return await self.database.read(find_survey, key or "")

    async def link_previous(self, denial: Denial | None, channel: str) -> str:
        """Return a link to the survey that caused a denial, if a reader in `channel` may see it."""
        if denial is None or denial.previous is None:
            return ""
        return await self.slack.find_permalink(denial.previous, channel)
