"""Messages that say something else later: where they are, or why there is nothing to change."""

from csat.db import outbox
from csat.db.database import Ledger
from csat.db.outbox import Notice
from csat.slack_api.posting import Posted


class Unwanted(Exception):
    """There is nobody to tell, or no message that can be changed."""


class NotYet(Exception):
    """The message that is to be changed was not posted yet."""


async def posted_as(ledger: Ledger, survey_id: int, kind: Notice) -> Posted:
    """Return where a notice was posted; raises `NotYet` or `Unwanted`."""
    standing = await ledger.read(outbox.standing, survey_id, kind)
    if standing.is_due:
        raise NotYet
    if not standing.ts:
        raise Unwanted
    return Posted(standing.channel, standing.ts)
