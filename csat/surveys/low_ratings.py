"""Low ratings and their follow-up."""

import re
from datetime import datetime

from pydantic import Field

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.survey import Origin, Survey

MAX_NOTE_LENGTH = 3_000
"""Slack's limit for a text input."""

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class FollowUp(FrozenModel):
    """The follow-up on a low rating: who took it, who closed it, and when."""

    opened_at: datetime
    taken_by: str | None = None
    taken_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None


class LowRating(FrozenModel):
    """A survey with a low rating, without the rating and the comment."""

    survey_id: int
    survey: Survey
    origin: Origin
    asked_at: datetime
    """When X sent the survey."""
    ts: str = ""
    """The message in the origin's channel that leads to the conversation; empty if there is none."""
    follow_up: FollowUp


class OpenLowRatings(FrozenModel):
    """How many low ratings are not closed, and since when the oldest of them waits."""

    number: int = 0
    unassigned: int = 0
    oldest: datetime | None = None


class ClosedLowRating(LowRating):
    """A closed low rating with its note, for supervisors who did not request the survey."""

    note: str | None = Field(None, repr=False)
    """How the follow-up was closed; may quote the customer. `None` once the customer was erased."""


class RevealedRating(LowRating):
    """A low rating with the rating and the comment, for supervisors who did not request the survey."""

    rating: int | None = Field(None, repr=False)
    comment: str | None = Field(None, repr=False)
    note: str | None = Field(None, repr=False)
    """How the follow-up was closed; may quote the customer."""


class InvalidNote(ValueError):
    """The note can't be saved; `str()` says what to do."""


def parse_note(text: str) -> str:
    """Return a note without control characters and surrounding whitespace; raises `InvalidNote`."""
    note = _CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n")).strip()
    if not note:
        raise InvalidNote("Write what was done about it.")
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidNote(f"Shorten the note to {MAX_NOTE_LENGTH:,} characters; it has {len(note):,}.")
    return note
