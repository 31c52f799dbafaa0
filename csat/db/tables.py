"""The tables; `csat.db.migrations` creates them.

Moments named `..._at` are when something happened or is due, and `..._until` when it ends.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, also on SQLite, which stores no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert a parameter to UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware datetime in UTC."""
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC) if value else None


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
Id = BigInteger().with_variant(Integer, "sqlite")


def _partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("paused_at", UtcDateTime),
    Column("cause", Text),
    Column("advice", Text),
    Column("alert_due_at", UtcDateTime),
    Column("alerted_at", UtcDateTime),
    Column("probe_at", UtcDateTime),
    Column("resumed_at", UtcDateTime),
)
"""The accounts on X that send surveys; a row is locked while the surveys of its account are counted."""

operator_alerts = Table(
    "operator_alerts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("operator", Text, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
)
"""Alerts to operators that an account is paused, until they are posted."""

alerted_operators = Table(
    "alerted_operators",
    metadata,
    Column("account", Text, primary_key=True),
    Column("operator", Text, primary_key=True),
    Column("alerted_at", UtcDateTime, nullable=False),
)
"""The `alerted_at` of the account for which an alert to each operator was last enqueued."""

posted_alerts = Table(
    "posted_alerts",
    metadata,
    Column("account", Text, primary_key=True),
    Column("operator", Text, primary_key=True),
    Column("ts", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
)
"""Where alerts to operators were posted, until they are updated as the outage is over."""

surveys = Table(
    "surveys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("view_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    # its origin in Slack
    Column("team", Text, nullable=False),
    Column("enterprise", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("in_thread", Boolean, nullable=False),
    Column("requester", Text, nullable=False),
    Column("response_url", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    # the survey
    Column("account", Text, nullable=False),
    Column("transport", Text, nullable=False, server_default="x_card"),
    Column("metric", Text, nullable=False),
    Column("variant", Integer, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("recipient_handle", Text),
    Column("recipient_id", Text),
    Column("recipient_key", Text),
    Column("message", Text, nullable=False),
    Column("privacy_url", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("test", Boolean, nullable=False),
    # its delivery
    Column("accepted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text),
    Column("advice", Text),
    Column("editable", Boolean),
    Column("feedback_id", Text),
    Column("sent_at", UtcDateTime),
    Column("quota_until", UtcDateTime, nullable=False),
    Column("reconcile_at", UtcDateTime),
    Column("retry_at", UtcDateTime),
    # its response, which only supervisors may see
    Column("rating", Integer),
    Column("rated_at", UtcDateTime),
    Column("comment", Text),
    Column("commented_at", UtcDateTime),
    Column("disowned_at", UtcDateTime),
    Column("rating_chosen_at", UtcDateTime),
    Column("poll_at", UtcDateTime),
    Column("poll_failures", Integer, nullable=False, server_default="0"),
    Index("ix_surveys_due", "state", "due_at"),
    Index("ix_surveys_recipient", "account", "recipient_key", "id"),
    Index("ix_surveys_handle", "account", text("lower(recipient_handle)"), "id"),
    Index("ix_surveys_daily_quota", "account", "transport", "quota_until"),
    Index("ix_surveys_reconcile", "reconcile_at"),
    Index("ix_surveys_requester", "team", "requester", "accepted_at"),
    _partial_index("ix_surveys_response_url", "received_at", where="response_url <> ''"),
    _partial_index("ix_surveys_feedback", "feedback_id", where="feedback_id IS NOT NULL"),
    _partial_index("ix_surveys_poll", "poll_at", where="poll_at IS NOT NULL"),
    # covers the counts of a report, and has the order of an export
    _partial_index(
        "ix_surveys_report_counts",
        "team",
        "metric",
        "sent_at",
        "id",
        "requester",
        "channel",
        "state",
        "test",
        "rating",
        "variant",
        "commented_at",
        "transport",
        "disowned_at",
        where="sent_at IS NOT NULL",
    ),
    # covers the filters of a report, to skip comments without reading their surveys
    _partial_index(
        "ix_surveys_report_comments",
        "team",
        "metric",
        "commented_at",
        "sent_at",
        "state",
        "test",
        "requester",
        "channel",
        "variant",
        "transport",
        where="commented_at IS NOT NULL",
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("survey_id", Id, ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text),
    Column("detail", Text),
)

outbox = Table(
    "outbox",
    metadata,
    Column("survey_id", Id, ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("channel", Text),
    Column("ts", Text),
    Index("ix_outbox_due", "due_at"),
)
"""Notifications about surveys; `due_at` is empty once one was posted or dropped."""

unmatched_responses = Table(
    "unmatched_responses",
    metadata,
    Column("feedback_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("recipient_key", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("rating", Integer),
    Column("rated_at", UtcDateTime),
    Column("comment", Text),
    Column("commented_at", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False),
    Index("ix_unmatched_responses_received_at", "received_at"),
)
"""Responses whose survey is not known to be sent yet."""

feeds = Table(
    "feeds",
    metadata,
    Column("account", Text, primary_key=True),
    Column("window_started_at", UtcDateTime),
    Column("requests_used", Integer, nullable=False),
    Column("swept_until", UtcDateTime),
    Column("sweep_at", UtcDateTime),
    Column("sweep_failures", Integer, nullable=False, server_default="0"),
)
"""By account, the budget of polls in the current window, and how far the events were swept."""

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("survey_id", Id, ForeignKey("surveys.id", ondelete="CASCADE"), primary_key=True),
    Column("team", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("taken_by", Text),
    Column("taken_at", UtcDateTime),
    Column("closed_by", Text),
    Column("closed_at", UtcDateTime),
    Column("note", Text),
    Column("reopened_by", Text),
    Column("reopened_at", UtcDateTime),
    _partial_index("ix_follow_ups_open", "team", "opened_at", where="closed_at IS NULL"),
    _partial_index("ix_follow_ups_closed", "team", "closed_at", "survey_id", where="closed_at IS NOT NULL"),
)
"""Follow-ups of low ratings."""

digests = Table(
    "digests",
    metadata,
    Column("team", Text, primary_key=True),
    Column("week", Text, primary_key=True),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
)
"""The weekly digests, by the Monday of the week; `due_at` is empty once one was posted or is not needed."""

homes = Table(
    "homes",
    metadata,
    Column("team", Text, primary_key=True),
    Column("user_id", Text, primary_key=True),
    Column("shows_results", Boolean, nullable=False),
    Column("query", Text, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
)
"""The App Homes: whether they show results, and the query of their report, as JSON."""

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("team", Text, nullable=False),
    Column("viewer", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("trigger_id", Text),
    Index("ix_audit_at", "at"),
    Index("ix_audit_trigger", "trigger_id", unique=True),
)
"""The access to results, and changes to opt-outs.

`viewer` is a user, a channel, "operator", or how a customer opted out; `trigger_id` is that of a command:
one run each.
"""

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("recipient_key", Text, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("how", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("lifted_at", UtcDateTime),
    Column("lifted_team", Text),
    Column("lifted_by", Text),
    Column("lift_reason", Text),
    _partial_index("ix_opt_outs_in_force", "recipient_key", where="lifted_at IS NULL", unique=True),
)
"""The customers who are not to be asked again, over all accounts; lifted ones keep their row."""

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Secrets that the app has made at random and must keep; the fingerprint of that of the recipient keys."""

rating_link_secrets = Table(
    "rating_link_secrets",
    metadata,
    Column("since", UtcDateTime, primary_key=True),
    Column("value", Text, nullable=False),
)
"""See `csat.db.rating_link_secrets`."""

compatibility = Table(
    "compatibility",
    metadata,
    Column("oldest_revision", Text, primary_key=True),
)
"""One row: the oldest revision whose version of the app works with this schema."""

write_checks = Table("write_checks", metadata, Column("text", Text, nullable=False))
"""Always empty: a check of the database writes a row and deletes it in the same transaction."""
