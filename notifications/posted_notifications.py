"""Finds the message that a notification became, to update it."""

from datetime import datetime

from csat.db import outbox
from csat.db.database import Database
from csat.db.outbox import NotificationKind
from csat.slack_api.posting import Posted


class NothingToUpdate(Exception):
    """There is nobody to tell, or no message that can be updated."""


class NotPostedYet(Exception):
    """The message that is to be updated was not posted yet."""


class Postponed(Exception):
    """Slack refuses the message for a reason that operators can repair: it is posted again later."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


async def find_posted(database: Database, survey_id: int, kind: NotificationKind) -> Posted:
    """Return where a notification was posted; raises `NotPostedYet` or `NothingToUpdate`."""
    status = await database.read(outbox.get_status, survey_id, kind)
    if status.is_due:
        raise NotPostedYet
    if not status.ts:
        raise NothingToUpdate
    return Posted(status.channel, status.ts)
