"""`/csat status @handle`: show whether a customer can be asked, and the last surveys to them."""

from blocks.customer_status import CustomerStatus, status_message
from blocks.elements import plain_message
from csat.db import account_pauses, limits
from csat.slack_api.payloads import SlashCommand
from csat.slack_api.user_permissions import PermissionDenied
from csat.surveys.limits import find_denial
from csat.surveys.recipients import Recipient
from csat.x_api.errors import ACCOUNT_REFUSALS, AccountRefused, Refused
from csat.x_api.wire import Account
from handlers.command_args import InvalidArguments, parse_command_args
from handlers.services import Services

MAX_SURVEYS = 5
NO_CUSTOMER = "Add the customer's handle: /csat status @handle"
AGENTS_ONLY = "Only people who can send surveys can see whether a customer can be asked. {denial}"
LOOKUP_TIMED_OUT = (
    "X couldn't be reached, or is busy. Try again in a minute, or use the customer's numeric ID."
)
LOOKUP_REFUSED = (
    "X can't be asked about that handle: {reason}. "
    "Use the customer's numeric ID, or ask an admin of this app."
)


async def send_status(services: Services, command: SlashCommand) -> None:
    """Reply with the customer's status, or with the problem with the command."""
    origin = command.origin(services.clock())
    try:
        await services.slack.permissions.require_agent(origin.requester)
        recipient = _parse_recipient(command.text.partition(" ")[2])
        account = await services.look_up_account(recipient)
    except PermissionDenied as denial:
        await services.reply(origin, plain_message(AGENTS_ONLY.format(denial=denial)))
    except InvalidArguments as problem:
        await services.reply(origin, plain_message(str(problem)))
    except AccountRefused as refusal:
        await services.reply(origin, plain_message(LOOKUP_REFUSED.format(reason=refusal.reason)))
    except Refused as refusal:
        await services.reply(origin, plain_message(refusal.sentence()))
    else:
        await _reply(services, command, recipient, account)


def _parse_recipient(text: str) -> Recipient:
    recipient = parse_command_args(text, "/csat status").recipient
    if recipient is None:
        raise InvalidArguments(NO_CUSTOMER)
    return recipient


async def _reply(
    services: Services, command: SlashCommand, typed: Recipient, account: Account | None
) -> None:
    origin = command.origin(now := services.clock())
    recipient = account.recipient if account else typed
    if recipient.id is None:
        await services.reply(origin, plain_message(LOOKUP_TIMED_OUT))
        return
    key = services.recipient_key(recipient.id)
    surveys = await services.database.read(limits.list_previous, services.account, key)
    counted = [survey for survey in surveys if survey.counts_toward_limits]
    denial = find_denial(recipient, counted, services.limits, now)
    link = await services.link_previous(denial, command.channel)
    cause = await services.database.read(account_pauses.get_pause_cause, services.account)
    status = CustomerStatus(
        customer=recipient.label,
        surveys=surveys[:MAX_SURVEYS],
        denial=denial,
        link=link,
        receives_dm=account.receives_dm if account else None,
        pause_cause=ACCOUNT_REFUSALS.get(cause, AccountRefused).reason if cause else "",
    )
    await services.reply(origin, status_message(status, origin))
