"""The customer whom a subcommand of `/csat` names, with their id on X."""

from typing import NamedTuple

from blocks.elements import plain_message
from csat.slack_api.payloads import SlashCommand
from csat.surveys.recipients import Recipient
from csat.x_api.errors import AccountRefused, Refused
from handlers.command_args import InvalidArguments, parse_command_args
from handlers.services import Services

NO_CUSTOMER = "Add the customer's handle: {command} @handle"
LOOKUP_TIMED_OUT = (
    "X couldn't be reached, or is busy. Try again in a minute, or use the customer's numeric ID."
)
LOOKUP_REFUSED = (
    "X can't be asked about that handle: {reason}. "
    "Use the customer's numeric ID, or ask an admin of this app."
)


class Customer(NamedTuple):
    """A customer with their id."""

    recipient: Recipient
    receives_dm: bool | None
    """Whether X says that they can be messaged; None if it did not say."""


async def look_up_customer(services: Services, command: SlashCommand) -> Customer | None:
    """Return the customer whom a command names, or tell the person why there is none and return `None`."""
    try:
        recipient = _parse_recipient(command.text)
        account = await services.look_up_account(recipient)
    except InvalidArguments as error:
        problem = str(error)
    except AccountRefused as refusal:
        problem = LOOKUP_REFUSED.format(reason=refusal.reason)
    except Refused as refusal:
        problem = refusal.sentence()
    else:
        if account:
            return Customer(account.recipient, account.receives_dm)
        if recipient.id:
            return Customer(recipient, None)
        problem = LOOKUP_TIMED_OUT
    await services.reply(command.origin(services.clock()), plain_message(problem))
    return None


def _parse_recipient(text: str) -> Recipient:
    subcommand, _, typed = text.strip().partition(" ")
    command = f"/csat {subcommand.lower()}"
    recipient = parse_command_args(typed, command).recipient
    if recipient is None:
        raise InvalidArguments(NO_CUSTOMER.format(command=command))
    return recipient
