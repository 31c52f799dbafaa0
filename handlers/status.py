"""`/csat status`: can this customer be asked, and what became of the last surveys to them."""

from blocks.elements import plain_message
from blocks.status import status_message
from csat.db import limits
from csat.slack_api.payloads import Command
from csat.slack_api.permissions import PermissionDenied
from csat.surveys.limits import find_denial
from csat.surveys.recipients import Recipient
from csat.x_api.errors import Refused
from handlers.command_args import InvalidArguments, parse_command_args
from handlers.look_up import look_up
from handlers.services import Services

SHOWN = 5
"""How many of the last surveys are told."""
NOBODY = "Name the customer: /csat status @handle"
NOT_NOW = "X did not say in time who that is. Try again in a minute, or use the customer's numeric id."


async def tell_status(services: Services, given: Command) -> None:
    """Tell the person who asked, and nobody else."""
    origin = given.origin(services.clock())
    try:
        await services.slack.permissions.check(origin.requester)
        recipient = _named(given.text.partition(" ")[2])
        account = await look_up(services.x, recipient)
    except (PermissionDenied, InvalidArguments) as problem:
        await services.tell(origin, plain_message(str(problem)))
        return
    except Refused as refusal:
        await services.tell(origin, plain_message(refusal.sentence()))
        return
    known = account.recipient if account else recipient
    if known.id is None:
        await services.tell(origin, plain_message(NOT_NOW))
        return
    await _tell(services, given, known, known.id)


def _named(words: str) -> Recipient:
    recipient = parse_command_args(words, "/csat status").recipient
    if recipient is None:
        raise InvalidArguments(NOBODY)
    return recipient


async def _tell(services: Services, given: Command, recipient: Recipient, recipient_id: str) -> None:
    now = services.clock()
    asked = await services.database.read(
        limits.list_previous, services.account, services.recipient_key(recipient_id)
    )
    counted = [survey for survey in asked if survey.counts_toward_limits]
    denial = find_denial(recipient, counted, services.limits, now)
    previous = denial.previous if denial else None
    link = await services.slack.permalink(previous, given.channel) if previous else ""
    await services.tell(given.origin(now), status_message(recipient.label, asked[:SHOWN], denial, link))
