"""A survey as its customer sees it, on the rating page or in Slack, and what it still takes."""

import re
from datetime import datetime, timedelta

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.origin import Origin
from csat.surveys.responses import Response
from csat.surveys.survey import Survey

ANSWER_WINDOW = timedelta(days=28)
"""How long after it was sent a survey can be answered."""

CHANGE_WINDOW = timedelta(minutes=15)
"""How long after it was given a rating can be changed, unless a comment was sent."""

MAX_COMMENT_LENGTH = 2_000

_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class CustomerSurvey(FrozenModel):
    """A survey whose answers come by themselves, not from X."""

    id: int
    survey: Survey
    origin: Origin
    accepted_at: datetime
    asked_at: datetime
    """When the survey was sent, or accepted while it is not known to be sent."""
    receipt_id: str
    """The id in its transport's receipt; "" if that is not known."""
    response: Response
    disowned_at: datetime | None
    """When somebody said that the survey is not meant for them."""
    has_opted_out: bool
    """Whether the customer is not to be asked again."""

    def is_closed(self, now: datetime) -> bool:
        """Return True once it is too late for an answer."""
        return now >= self.asked_at + ANSWER_WINDOW

    def takes_rating(self, now: datetime) -> bool:
        """Return True if the customer can give a rating, or another one."""
        if not self._is_open(now) or self.response.comment:
            return False
        return self.response.rating is None or now < self.response.rating.given_at + CHANGE_WINDOW

    def takes_comment(self, now: datetime) -> bool:
        """Return True if the customer can add a comment to their rating."""
        return self._is_open(now) and self.response.rating is not None and self.response.comment is None

    def can_be_disowned(self, now: datetime) -> bool:
        """Return True if the reader can say that the survey is not meant for them."""
        return self._is_open(now) and self.response == Response()

    def _is_open(self, now: datetime) -> bool:
        return not self.is_closed(now) and self.disowned_at is None


class CommentTooLong(ValueError):
    """The comment has more than `MAX_COMMENT_LENGTH` characters."""


def parse_comment(text: str) -> str:
    """Return a comment without control characters and surrounding whitespace; raises `CommentTooLong`."""
    comment = _CONTROL_CHARACTERS.sub("", text.replace("\r\n", "\n")).strip()
    if len(comment) > MAX_COMMENT_LENGTH:
        raise CommentTooLong
    return comment
