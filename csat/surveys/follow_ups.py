"""Low ratings and their follow-up."""

import re
from datetime import datetime

from pydantic import Field

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.origin import Origin
from csat.surveys.survey import Survey
from csat.surveys.visible_text import is_blank

MAX_NOTE_LENGTH = 3_000
"""Slack's limit for a text input."""

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class FollowUp(FrozenModel):
    """The follow-up on a low rating: who took it, who closed it, who reopened it, and when."""

    opened_at: datetime
    taken_by: str | None = None
    taken_at: datetime | None = None
    closed_by: str | None = None
    """The supervisor who closed it last, also once it is reopened."""
    closed_at: datetime | None = None
    """Empty while it is open."""
    reopened_by: str | None = None
    """The supervisor who reopened it last."""
    reopened_at: datetime | None = None


class LowRating(FrozenModel):
    """A survey with a low rating, without the rating and the comment."""

    survey_id: int
    key: str
    """The survey's key in the value of a button."""
    survey: Survey
    origin: Origin
    asked_at: datetime
    """When X sent the survey."""
    ts: str = ""
    """The message in the origin's channel that leads to the conversation; empty if there is none."""
    is_low: bool = True
    """False once the customer has changed it to one that is not low."""
    follow_up: FollowUp


class OpenLowRatings(FrozenModel):
    """How many low ratings are neither closed nor changed, and since when the oldest of them waits."""

    number: int = 0
    unassigned: int = 0
    oldest: datetime | None = None


class NotedLowRating(LowRating):
    """A low rating with its note, for supervisors who did not request the survey."""

    note: str | None = Field(None, repr=False)
    """How it was closed, each time; may quote the customer. `None` before, and once they were erased."""


class RevealedRating(NotedLowRating):
    """A low rating with the rating and the comment, for supervisors who did not request the survey."""

    rating: int | None = Field(None, repr=False)
    comment: str | None = Field(None, repr=False)
    is_comment_erased: bool = False
    """Whether there was a comment, which was erased with the customer."""


class InvalidNote(ValueError):
    """The note can't be saved; `str()` says what to do."""


def append_note(earlier: str | None, note: str) -> str:
    """Return the note of a follow-up that is closed, after the notes of the times before."""
    return f"{earlier}\n\n{note}" if earlier else note


def parse_note(text: str) -> str:
    """Return a note without control characters and surrounding whitespace; raises `InvalidNote`."""
    note = _CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n")).strip()
    if is_blank(note):
        raise InvalidNote("Write what was done about it.")
    if len(note) > MAX_NOTE_LENGTH:
        raise InvalidNote(f"Shorten the note to {MAX_NOTE_LENGTH:,} characters; it has {len(note):,}.")
    return note
