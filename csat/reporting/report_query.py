"""What a supervisor asks of a report in their App Home."""

from datetime import date, datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from csat.reporting.periods import Period, custom, last_days
from csat.reporting.reports import Filters
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Catalogue, Metric

CUSTOM: Final = 0
DAYS: Final = (7, 30, 90, CUSTOM)
"""The periods to choose from; the last one is that between two dates."""


DEFAULT: Final = 30


class ReportQuery(FrozenModel):
    """A report's period, metric and filters; what is empty leaves nothing out."""

    days: int = DEFAULT
    since: date | None = None
    until: date | None = None
    """The last day, itself included."""
    metric: Metric = Metric.CSAT
    channel: str = Field("", pattern="^([CGD][A-Z0-9]{2,30})?$")
    agent: str = Field("", pattern="^([UW][A-Z0-9]{2,30})?$")
    variant: int | None = None
    cleared: int = 0
    """How often the filters were cleared: Slack keeps what is chosen in a block until its id changes."""

    @field_validator("days")
    @classmethod
    def _offered(cls, days: int) -> int:
        if days not in DAYS:
            raise PydanticCustomError("days", "a period that is not offered")
        return days

    @classmethod
    def read(cls, kept: str) -> Self:
        """Return choices as they were kept; the first ones where an older app kept others."""
        try:
            return cls.model_validate_json(kept or "{}")
        except ValidationError:
            return cls()

    def with_(self, **changes: object) -> Self:
        """Return the choices with some changed; the same where a change can't be."""
        try:
            return type(self).model_validate({**self.model_dump(), **changes})
        except ValidationError:
            return self

    def period(self, now: datetime, zone: ZoneInfo) -> Period:
        """Return the days to report on; raises `InvalidPeriod` where the two dates are none."""
        if self.days != CUSTOM or self.since is None or self.until is None:
            return last_days(self.days or DEFAULT, now, zone)
        return custom(self.since, self.until, now, zone)

    def filters(self, team: str, viewer: str) -> Filters:
        """Return which surveys a viewer's report is about: never their own."""
        same = {"channel": self.channel, "agent": self.agent, "variant": self.variant}
        return Filters(team=team, metric=self.metric, without=viewer, **same)

    def known_to(self, catalogue: Catalogue) -> Self:
        """Return the choices without a question that the catalogue does not have (any more)."""
        if self.variant is None or self.variant in catalogue.variants(self.metric):
            return self
        return self.with_(variant=None)

    def in_words(self) -> str:
        """Return what is asked for, for the record of who saw what."""
        period = f"{self.days} days" if self.days != CUSTOM else f"{self.since} to {self.until}"
        filters = {"channel": self.channel, "agent": self.agent, "variant": self.variant}
        chosen = [f"{name} {value}" for name, value in filters.items() if value not in ("", None)]
        return ", ".join([period, self.metric, *chosen])

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.channel or self.agent) or self.variant is not None
