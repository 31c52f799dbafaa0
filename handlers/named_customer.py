"""The customer whom a subcommand of `/csat` names, with their id on X."""

from collections.abc import Collection
from typing import NamedTuple

from blocks.elements import plain_message
from blocks.help import name_example
from csat.db import limits
from csat.db.survey_records import find_recipient
from csat.slack_api.payloads import SlashCommand
from csat.surveys.networks import Network
from csat.surveys.recipients import InvalidRecipient, Recipient
from csat.surveys.transport_errors import Refused
from csat.x_api.errors import AccountRefused
from handlers.command_args import InvalidArguments, parse_command_args
from handlers.services import Services

NO_CUSTOMER = "Add the customer: {command} {example}"
NO_HANDLE = "Add the customer's handle: {command} @handle"
NO_PERSON = "Add the customer: type {command} @ and choose them from Slack's list."
LOOKUP_TIMED_OUT = (
    "X couldn't be reached, or is busy. Try again in a minute, or use the customer's numeric ID."
)
LOOKUP_REFUSED = (
    "X can't be asked about that handle: {reason}. "
    "Use the customer's numeric ID, or ask an admin of this app."
)
ID_WORKS = "Their numeric ID works, as in /csat {subcommand} 783214."


class Customer(NamedTuple):
    """A customer with their id."""

    recipient: Recipient
    was_looked_up: bool
    """Whether X was asked about them; there is nothing to ask of people in Slack."""
    receives_dm: bool | None = None
    """Whether X says that they can be messaged; None if it did not say."""


class _Unresolved(Exception):
    """X did not say who has a handle; `str()` is for the person."""


class _XNotAsked(_Unresolved):
    """X could not be asked, and another customer may have the handle by now."""


async def look_up_customer(services: Services, command: SlashCommand) -> Customer | None:
    """Return the customer whom a command names, or tell the person why there is none and return `None`."""
    try:
        return await _look_up(services, await _parse_recipient(services, command))
    except (InvalidRecipient, InvalidArguments, _Unresolved) as problem:
        await _reply(services, command, str(problem))
    return None


async def identify_customer(
    services: Services, command: SlashCommand, unchanged: str, *, needs_x: bool
) -> Recipient | None:
    """Return the customer, with their id, about whom a command changes something; else say why not.

    Where X doesn't say who has the handle, it is the customer of the last survey to it, unless the command
    `needs_x` and X could not be asked. `unchanged` is the sentence that nothing was changed.
    """
    try:
        recipient = await _parse_recipient(services, command)
    except InvalidArguments as problem:
        await _reply(services, command, str(problem))
        return None
    try:
        return (await _look_up(services, recipient)).recipient
    except InvalidRecipient as problem:
        await _reply(services, command, str(problem))
    except _Unresolved as problem:
        if not (needs_x and isinstance(problem, _XNotAsked)):
            handle = str(recipient.handle)
            if known := await services.database.read(find_recipient, services.account, handle):
                return known
        example = command.text.strip().partition(" ")[0].lower()
        await _reply(services, command, f"{problem} {unchanged} {ID_WORKS.format(subcommand=example)}")
    return None


async def _look_up(services: Services, recipient: Recipient) -> Customer:
    try:
        account = await services.look_up_account(recipient)
    except AccountRefused as refusal:
        raise _XNotAsked(LOOKUP_REFUSED.format(reason=refusal.reason)) from refusal
    except Refused as refusal:
        raise _Unresolved(refusal.sentence()) from refusal
    if account:
        return Customer(account.recipient, was_looked_up=True, receives_dm=account.receives_dm)
    if recipient.id:
        return Customer(recipient, was_looked_up=recipient.network is Network.SLACK)
    raise (_XNotAsked if services.x else _Unresolved)(LOOKUP_TIMED_OUT)


async def _parse_recipient(services: Services, command: SlashCommand) -> Recipient:
    subcommand, _, typed = command.text.strip().partition(" ")
    line, networks = f"/csat {subcommand.lower()}", services.networks
    try:
        recipient = parse_command_args(typed, line, networks=networks, team=command.team).recipient
    except InvalidArguments:
        recipient = await _find_asked_before(services, typed, command.team)
        if recipient is None:
            raise
    if recipient is None:
        raise InvalidArguments(
            _ask_for_customer(networks).format(command=line, example=name_example(networks))
        )
    return recipient


async def _find_asked_before(services: Services, typed: str, team: str) -> Recipient | None:
    """Return a customer where the app asks none any more, if surveys to them are on file."""
    try:
        recipient = parse_command_args(typed, networks=frozenset(Network), team=team).recipient
    except InvalidArguments:
        return None
    if recipient is None or recipient.network in services.networks:
        return None
    return recipient if await _was_asked(services, recipient) else None


async def _was_asked(services: Services, recipient: Recipient) -> bool:
    account, key = services.account_of(recipient), ""
    if recipient.id:
        key = services.recipient_key(recipient.id)
    elif await services.database.read(find_recipient, account, str(recipient.handle)):
        return True
    return bool(await services.database.read(limits.list_previous, account, key, recipient))


def _ask_for_customer(networks: Collection[Network]) -> str:
    if len(networks) > 1:
        return NO_CUSTOMER
    return NO_HANDLE if Network.X in networks else NO_PERSON


async def _reply(services: Services, command: SlashCommand, problem: str) -> None:
    await services.reply(command.origin(services.clock()), plain_message(problem))
