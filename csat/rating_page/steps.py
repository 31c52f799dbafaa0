"""The steps of the rating page."""

from datetime import datetime
from enum import StrEnum
from http import HTTPStatus

from csat.surveys.customer_survey import CustomerSurvey


class Step(StrEnum):
    """A step of the page; the values are the names of templates."""

    RATE = "rate"
    COMMENT = "comment"
    THANKS = "thanks"
    LATE = "late"
    DISOWNED = "disowned"
    CLOSED = "closed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


STATUSES = {
    Step.CLOSED: HTTPStatus.GONE,
    Step.UNKNOWN: HTTPStatus.NOT_FOUND,
    Step.REFUSED: HTTPStatus.BAD_REQUEST,
    Step.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    Step.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The statuses of the steps that are not shown with 200."""

TEMPORARY = (Step.TOO_MANY, Step.UNAVAILABLE)
"""The steps after which the same request may work."""


def choose_step(page: CustomerSurvey, wanted: str, now: datetime) -> Step:
    """Return the step to show of those that a page has now; `wanted` is where its reader wants to go."""
    if page.is_closed(now):
        return Step.CLOSED
    if page.disowned_at:
        return Step.DISOWNED
    if page.response.rating is None:
        return Step.RATE
    if wanted in (Step.RATE, Step.LATE) and not page.takes_rating(now):
        return Step.LATE
    if page.response.comment or wanted == Step.THANKS:
        return Step.THANKS
    return Step.RATE if wanted != Step.COMMENT and page.takes_rating(now) else Step.COMMENT
