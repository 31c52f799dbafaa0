"""Low ratings, and who takes care of them."""

import re
from datetime import datetime

from pydantic import Field

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.survey import Origin, Survey

MAX_NOTE_LENGTH = 3_000
"""What an input of Slack's holds."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class FollowUp(FrozenModel):
    """Who takes care of a low rating, and since when."""

    opened_at: datetime
    """When it was known to be low."""
    taken_by: str | None = None
    taken_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None


class LowRating(FrozenModel):
    """A survey whose rating is low, and no more of its answer than that."""

    survey_id: int
    survey: Survey
    origin: Origin
    asked_at: datetime
    """When X took the survey."""
    ts: str = ""
    """The message in the origin's channel that leads to the conversation; empty where there is none."""
    follow_up: FollowUp


class RevealedRating(LowRating):
    """The same with its answer, for supervisors who did not ask for it themselves."""

    rating: int | None = Field(None, repr=False)
    comment: str | None = Field(None, repr=False)
    note: str | None = Field(None, repr=False)
    """What became of it; it may quote the customer."""


class InvalidNote(ValueError):
    """A note can't be kept as it is; `str()` says what to do."""


def parse_note(typed: str) -> str:
    """Return a note as it is kept; raises `InvalidNote`."""
    note = _UNSEEN.sub("", typed.replace("\r\n", "\n")).strip()
    if not note:
        raise InvalidNote("Write what became of it.")
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidNote(f"Shorten the note to {MAX_NOTE_LENGTH:,} characters; it has {len(note):,}.")
    return note
