"""What a supervisor asks of a report in their App Home."""

from datetime import date
from typing import Self

from pydantic import Field, ValidationError

from surveys.questions import Metric
from surveys.value import Value

DAYS = (7, 30, 90)
"""The periods to choose from, beside two dates."""


DEFAULT = 30


class Choices(Value):
    """A report's period, metric and filters; what is empty leaves nothing out."""

    days: int = DEFAULT
    """One of `DAYS`, or 0 for the dates."""
    since: date | None = None
    until: date | None = None
    """The last day, itself included."""
    metric: Metric = Metric.CSAT
    channel: str = Field("", pattern="^([CGD][A-Z0-9]{2,30})?$")
    agent: str = Field("", pattern="^([UW][A-Z0-9]{2,30})?$")
    variant: int | None = None
    cleared: int = 0
    """How often the filters were cleared: Slack keeps what is chosen in a block until its id changes."""

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

    def in_words(self) -> str:
        """Return what is asked for, for the record of who saw what."""
        period = f"{self.days} days" if self.days else f"{self.since} to {self.until}"
        filters = {"channel": self.channel, "agent": self.agent, "variant": self.variant}
        chosen = [f"{name} {value}" for name, value in filters.items() if value not in ("", None)]
        return ", ".join([period, self.metric, *chosen])

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.channel or self.agent) or self.variant is not None
