"""Prometheus metrics; no label names a person, a team or an account."""

import math

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from csat.db.backlog import Backlog
from csat.db.outbox import Notification
from csat.surveys.questions import Metric

DURATION_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""In seconds; every request ends within 8."""


class Metrics:
    """The metrics of one instance, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._accepted = self._counter("csat_surveys_accepted", "Surveys accepted from the form.", "type")
        self._notified = self._counter(
            "csat_surveys_notified",
            "Surveys that were sent, were refused, had to wait, or are uncertain: requesters are told.",
            "outcome",
            "cause",
        )
        self._answered = self._counter("csat_surveys_answered", "First ratings that came back.", "type")
        self._pauses = self._counter("csat_x_pauses", "Pauses of the X account.", "cause")
        self._x = self._histogram("csat_x_request_seconds", "Requests to X.", "endpoint")
        self._slack = self._histogram("csat_slack_request_seconds", "Requests to Slack.", "method")
        self._waiting = self._gauge(
            "csat_surveys_waiting", "Surveys of this app's accounts that wait to be sent."
        )
        self._backlog = self._gauge("csat_outbox_backlog", "Messages to Slack that were not posted yet.")
        self._paused = self._gauge("csat_x_paused", "1 while the X account is paused, else 0.")
        self._database_up = self._gauge("csat_database_up", "1 if the database could be read, else 0.")
        for metric in Metric:  # so that the first survey is an increase too
            self._accepted.labels(metric)
            self._answered.labels(metric)

    def count_accepted(self, metric: str) -> None:
        """Count a survey of a type, csat or nps."""
        self._accepted.labels(metric).inc()

    def count_notification(self, notification: Notification) -> None:
        """Count what became of a survey."""
        refusal = notification.survey.refusal
        self._notified.labels(notification.kind.value, refusal.reason if refusal else "").inc()

    def count_answer(self, metric: str) -> None:
        """Count the first rating of a survey of a type."""
        self._answered.labels(metric).inc()

    def count_pause(self, cause: str) -> None:
        """Count a pause of the account."""
        self._pauses.labels(cause).inc()

    def observe_x(self, endpoint: str, outcome: str, seconds: float) -> None:
        """Observe a request to X."""
        self._x.labels(endpoint, outcome).observe(seconds)

    def observe_slack(self, method: str, outcome: str, seconds: float) -> None:
        """Observe a request to Slack."""
        self._slack.labels(method, outcome).observe(seconds)

    def set_backlog(self, backlog: Backlog | None) -> None:
        """Show what waits in the database; `None` if it could not be read."""
        self._database_up.set(backlog is not None)
        self._waiting.set(backlog.waiting if backlog else math.nan)
        self._backlog.set(backlog.unposted if backlog else math.nan)
        self._paused.set(bool(backlog.pause_cause) if backlog else math.nan)

    def _counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(name, description, labels, registry=self.registry)

    def _histogram(self, name: str, description: str, label: str) -> Histogram:
        labels = (label, "outcome")
        return Histogram(name, description, labels, registry=self.registry, buckets=DURATION_BUCKETS)

    def _gauge(self, name: str, description: str) -> Gauge:
        return Gauge(name, description, registry=self.registry)
