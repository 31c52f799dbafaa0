"""`/csat status`: can this customer be asked, and what became of the last surveys to them."""

from blocks.kit import plain
from blocks.limits import status
from csat.db import limits
from csat.slack_api.payloads import Command
from csat.slack_api.permissions import MayNot
from csat.surveys.limits import why_not
from csat.surveys.recipients import Recipient
from csat.x_api.errors import Refused
from handlers.command_args import NotUnderstood, read_words
from handlers.look_up import look_up
from handlers.services import Desk

SHOWN = 5
"""How many of the last surveys are told."""
NOBODY = "Name the customer: /csat status @handle"
NOT_NOW = "X did not say in time who that is. Try again in a minute, or use the customer's numeric id."


async def tell_status(desk: Desk, given: Command) -> None:
    """Tell the person who asked, and nobody else."""
    origin = given.origin(desk.clock())
    try:
        await desk.slack.members.check(origin.requester)
        recipient = _named(given.text.partition(" ")[2])
        account = await look_up(desk.x, recipient)
    except (MayNot, NotUnderstood) as problem:
        await desk.tell(origin, plain(str(problem)))
        return
    except Refused as refusal:
        await desk.tell(origin, plain(refusal.sentence()))
        return
    known = account.recipient if account else recipient
    if known.id is None:
        await desk.tell(origin, plain(NOT_NOW))
        return
    await _tell(desk, given, known, known.id)


def _named(words: str) -> Recipient:
    recipient = read_words(words, "/csat status").recipient
    if recipient is None:
        raise NotUnderstood(NOBODY)
    return recipient


async def _tell(desk: Desk, given: Command, recipient: Recipient, recipient_id: str) -> None:
    now = desk.clock()
    asked = await desk.ledger.read(limits.history, desk.account, desk.key(recipient_id))
    standing = why_not(recipient, [one for one in asked if one.counts], desk.limits, now)
    link = await desk.slack.permalink(standing.last, given.channel) if standing and standing.last else ""
    await desk.tell(given.origin(now), status(recipient.typed, asked[:SHOWN], standing, link))
