"""Opt-outs: customers who asked not to be surveyed."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Self

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.visible_text import is_blank

MAX_REASON_LENGTH = 200

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


class How(StrEnum):
    """How an opt-out came to be recorded."""

    AGENT = "agent"
    """An agent was asked by the customer."""
    RATING_PAGE = "rating page"
    """The customer chose it on the page on which they rate."""
    SLACK = "slack"
    """The customer chose it in the survey in Slack."""
    FILE = "file"
    """An operator imported a list."""


class OptOut(FrozenModel):
    """A customer's wish not to be surveyed, in force until it is lifted."""

    recorded_at: datetime
    how: How
    team: str
    """The workspace of the user who recorded it; "" if that was the customer or an operator."""
    by: str
    """The user who recorded it; "" for the customer."""
    reason: str = ""

    def seen_from(self, team: str) -> Self:
        """Return what a workspace may see of it: without the reason that was given in another one."""
        return self if self.team in ("", team) else self.model_copy(update={"reason": ""})


class InvalidReason(ValueError):
    """The reason can't be saved; `str()` says what to do."""


def parse_reason(text: str) -> str:
    """Return a reason on one line; raises `InvalidReason`."""
    reason = _CONTROL_CHARACTERS.sub(" ", text).strip()
    if is_blank(reason):
        raise InvalidReason("Write the reason.")
    if len(reason) > MAX_REASON_LENGTH:
        raise InvalidReason(f"Shorten the reason to {MAX_REASON_LENGTH} characters; it has {len(reason):,}.")
    return reason
