"""`/csat status @handle`: show whether a customer can be asked, and the last surveys to them."""

from collections.abc import Sequence
from datetime import datetime

from blocks.customer_status import CustomerStatus, status_message
from blocks.elements import plain_message
from blocks.offered_transports import NOT_ASKED
from csat.db import account_pauses, limits, opt_outs
from csat.slack_api.payloads import SlashCommand
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.limits import Denial, PreviousSurvey, find_denial
from csat.surveys.networks import Network
from csat.surveys.recipients import Recipient
from csat.surveys.states import State
from csat.surveys.transports import TransportName
from csat.transports.slack_refusals import StrangerInSlack
from csat.x_api.errors import AccountRefused
from csat.x_api.refusals import ACCOUNT_REFUSALS, RECIPIENT_REFUSALS
from handlers import slack_customers
from handlers.named_customer import Customer, look_up_customer
from handlers.services import Services

MAX_SURVEYS = 5
CUSTOMER_REFUSALS = RECIPIENT_REFUSALS | {StrangerInSlack.__name__}
"""The reasons, of X or Slack, of surveys that were refused because of the customer."""
AGENTS_ONLY = "Only people who can send surveys can see whether a customer can be asked. {denial}"


async def send_status(services: Services, command: SlashCommand) -> None:
    """Reply with the customer's status, or with the problem with the command."""
    try:
        await services.slack.permissions.require_agent(command.user)
    except PermissionDenied as denial:
        problem = plain_message(AGENTS_ONLY.format(denial=denial))
        await services.reply(command.origin(services.clock()), problem)
        return
    if customer := await look_up_customer(services, command):
        await _reply(services, command, customer)


async def _reply(services: Services, command: SlashCommand, customer: Customer) -> None:
    origin = command.origin(now := services.clock())
    recipient = customer.recipient
    key = services.recipient_key(str(recipient.id))
    account = services.account_of(recipient)
    surveys = await services.database.read(limits.list_previous, account, key, recipient)
    counted = [survey for survey in surveys if survey.counts_toward_limits]
    opt_out = await services.database.read(opt_outs.find, key)
    denial = (
        Denial.from_opt_out(opt_out) if opt_out else find_denial(recipient, counted, services.limits, now)
    )
    other_transport = None
    if denial is None:
        denial, other_transport = await _find_quota_denial(services, account, recipient.network, now)
    link = await services.link_previous(denial, command.channel)
    cause = await services.database.read(account_pauses.get_pause_cause, account)
    status = CustomerStatus(
        customer=recipient,
        surveys=surveys[:MAX_SURVEYS],
        not_listed=len(surveys[MAX_SURVEYS:]),
        has_more=len(surveys) >= limits.MAX_PREVIOUS,
        denial=denial,
        other_transport=other_transport,
        link=link,
        last_failure=_find_last_failure(surveys),
        was_looked_up=customer.was_looked_up,
        receives_dm=customer.receives_dm,
        unfit=await _find_problem(services, recipient, command.user),
        pause_cause=ACCOUNT_REFUSALS.get(cause, AccountRefused).reason if cause else "",
    )
    await services.reply(origin, status_message(status, origin))


async def _find_problem(services: Services, recipient: Recipient, user: str) -> str:
    """Return why somebody can't be a customer; "" if they can."""
    if recipient.network not in services.networks:
        return NOT_ASKED[recipient.network]
    return await slack_customers.find_problem(services, recipient, user)


async def _find_quota_denial(
    services: Services, account: str, network: Network, now: datetime
) -> tuple[Denial | None, TransportName | None]:
    """Return the denial of a network's usual transport, and the first other one that the quotas leave."""
    offered = services.form.transports.on(network)
    if not offered:
        return None, None
    denials = [
        await services.database.read(limits.find_quota_denial, account, name, services.limits, now)
        for name in offered
    ]
    left = (name for name, denial in zip(offered, denials, strict=True) if denial is None)
    return denials[0], next(left, None) if denials[0] else None


def _find_last_failure(surveys: Sequence[PreviousSurvey]) -> PreviousSurvey | None:
    """Return the last survey that was to be sent, if that was refused because of the customer."""
    tried = (survey for survey in surveys if survey.state is not State.CANCELLED)
    last = next(tried, None)
    return last if last and last.reason in CUSTOMER_REFUSALS else None
