"""Messages that say something else later: where they are, or why there is nothing to change."""

from csat.db import outbox
from csat.db.database import Database
from csat.db.outbox import NotificationKind
from csat.slack_api.posting import Posted


class NothingToUpdate(Exception):
    """There is nobody to tell, or no message that can be changed."""


class NotPostedYet(Exception):
    """The message that is to be changed was not posted yet."""


async def find_posted(database: Database, survey_id: int, kind: NotificationKind) -> Posted:
    """Return where a notice was posted; raises `NotPostedYet` or `NothingToUpdate`."""
    standing = await database.read(outbox.get_status, survey_id, kind)
    if standing.is_due:
        raise NotPostedYet
    if not standing.ts:
        raise NothingToUpdate
    return Posted(standing.channel, standing.ts)
