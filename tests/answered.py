"""Surveys that customers answered some days ago, put into the ledger of a world at once."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from csat.db import follow_ups
from csat.db.survey_records import to_columns
from csat.db.tables import surveys
from csat.surveys.responses import is_low
from csat.surveys.states import State
from sandbox.slack import fixtures
from tests.samples import origin, survey
from tests.world import World

_numbers = itertools.count()


def answered(world: World, ratings: Iterable[int | None], **fields: Any) -> None:
    """Keep surveys with these ratings, None for no answer.

    `days_ago`, `comment`, `requester`, `channel` and `thread` say more, and so does all that a draft holds.
    """
    with world.engine.begin() as connection:
        for rating in ratings:
            row = _row(world, rating, **fields)
            survey_id = connection.execute(surveys.insert().returning(surveys.c.id), row).scalar_one()
            if rating is not None and is_low(row["metric"], rating):
                follow_ups.open_for(connection, survey_id, fixtures.TEAM, row["rated_at"])


def _row(
    world: World,
    rating: int | None,
    *,
    days_ago: float = 3,
    comment: str | None = None,
    requester: str = fixtures.ADA,
    channel: str = fixtures.SUPPORT,
    thread: str = "1700000000.000100",
    **drafted: Any,
) -> dict[str, Any]:
    sent_at = world.clock() - timedelta(days=days_ago)
    asked = origin(
        team=fixtures.TEAM, channel=channel, thread=thread, requester=requester, received_at=sent_at
    )
    return {
        **to_columns(survey(**drafted), asked),
        "view_id": f"V{next(_numbers)}",
        "account": "A1",
        "state": State.SENT if rating is None else State.ANSWERED,
        **dict.fromkeys(("accepted_at", "due_at", "sent_at", "quota_until"), sent_at),
        "attempts": 1,
        "rating": rating,
        "rated_at": None if rating is None else sent_at,
        "comment": comment,
        "commented_at": sent_at if comment else None,
    }
