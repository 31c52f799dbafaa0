"""The query of the report in an App Home: the period, metric and filters that a supervisor has chosen."""

from datetime import date, datetime
from typing import Final, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from csat.reporting.periods import Period, custom_period, last_days
from csat.reporting.report_model import Filters
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import Catalogue, Metric
from csat.surveys.transports import TransportName

CUSTOM_PERIOD: Final = 0
"""In place of a number of days: the period between two dates."""
PERIOD_DAYS: Final = (7, 30, 90, CUSTOM_PERIOD)
"""The periods to choose from."""
DEFAULT_DAYS: Final = 30


class ReportQuery(FrozenModel):
    """The period, metric and filters of a report; an empty filter excludes nothing."""

    days: int = DEFAULT_DAYS
    since: date | None = None
    until: date | None = None
    """The last day of a custom period, included."""
    metric: Metric = Metric.CSAT
    channel: str = Field("", pattern="^([CGD][A-Z0-9]{2,30})?$")
    agent: str = Field("", pattern="^([UW][A-Z0-9]{2,30})?$")
    variant: int | None = None
    transport: TransportName | None = None
    cleared: int = 0
    """How often the filters were cleared: Slack keeps a block's selection until its block id changes."""

    @field_validator("days")
    @classmethod
    def _check_days(cls, days: int) -> int:
        if days not in PERIOD_DAYS:
            raise PydanticCustomError("days", "a period that is not offered")
        return days

    @classmethod
    def from_json(cls, text: str, metric: Metric = Metric.CSAT) -> Self:
        """Return a stored query, with a metric in place of a missing one.

        If the text is empty or from an incompatible version, the query is the default.
        """
        default = cls(metric=metric)
        try:
            stored = cls.model_validate_json(text or "{}")
        except ValidationError:
            return default
        return stored if "metric" in stored.model_fields_set else stored.with_changes(metric=metric)

    def with_changes(self, **changes: object) -> Self:
        """Return the query with some fields changed, or unchanged if a value is invalid."""
        try:
            return type(self).model_validate({**self.model_dump(), **changes})
        except ValidationError:
            return self

    def drop_unknown_variant(self, catalogue: Catalogue) -> Self:
        """Return the query without its variant if the catalogue does not have it."""
        if self.variant is None or self.variant in catalogue.variants(self.metric):
            return self
        return self.with_changes(variant=None)

    def period(self, now: datetime, zone: ZoneInfo) -> Period:
        """Return the period of the report; raises `InvalidPeriod`."""
        if self.days != CUSTOM_PERIOD or self.since is None or self.until is None:
            return last_days(self.days or DEFAULT_DAYS, now, zone)
        return custom_period(self.since, self.until, now, zone)

    def filters(self, team: str, viewer: str) -> Filters:
        """Return the filters of a viewer's report, which excludes the viewer's own surveys."""
        return Filters(
            team=team,
            metric=self.metric,
            channel=self.channel,
            agent=self.agent,
            variant=self.variant,
            transport=self.transport,
            exclude_requesters=frozenset({viewer}),
        )

    def describe(self) -> str:
        """Return a description for the audit log."""
        period = f"{self.days} days" if self.days != CUSTOM_PERIOD else f"{self.since} to {self.until}"
        filters = {
            "channel": self.channel,
            "agent": self.agent,
            "variant": self.variant,
            "transport": self.transport,
        }
        chosen = [f"{name} {value}" for name, value in filters.items() if value not in ("", None)]
        return ", ".join([period, self.metric, *chosen])

    @property
    def has_filters(self) -> bool:
        """Whether a filter is set."""
        return bool(self.channel or self.agent or self.transport) or self.variant is not None
