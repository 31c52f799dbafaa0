"""`/csat status`: can this customer be asked, and what became of the last surveys to them."""

from blocks.kit import plain
from blocks.limits import status
from handlers.desk import Desk
from handlers.look_up import look_up
from ledger import limits
from slack.members import MayNot
from slack.payloads import Command
from surveys.customers import Recipient
from surveys.limits import why_not
from surveys.words import NotUnderstood, read_words
from x.errors import Refused

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
