"""Rename the outbox and other tables, columns and stored values to the terms of the field, and simplify the index of reports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)

COLUMNS = {
    "accounts": {"told_at": "alerted_at"},
    "surveys": {
        "tries": "attempts",
        "counts_until": "quota_until",
        "settle_at": "reconcile_at",
        "again_at": "retry_at",
        "ask_at": "poll_at",
    },
    "feeds": {"asked_since": "window_started_at", "asked": "requests_used"},
    "follow_ups": {"low_at": "opened_at"},
    "digests": {"tries": "attempts", "told_at": "sent_at"},
    "homes": {"person": "user_id", "asks": "query"},
    "audit": {"person": "viewer"},
}
KINDS = {"low": "low_rating", "followed": "follow_up"}
REASONS = {"Wait": "RetryLater", "Disconnected": "InvalidCredentials", "ClockOff": "ClockSkew"}
RESULTS = [
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
]


def upgrade() -> None:
    # recreated, as SQLite would quote the renamed columns in them, unlike the indexes of a new database
    op.drop_index("ix_surveys_quota", "surveys")
    op.drop_index("ix_surveys_settle", "surveys")
    op.drop_index("ix_surveys_ask", "surveys")
    op.drop_index("ix_surveys_results", "surveys")
    op.drop_index("ix_surveys_sent", "surveys")
    op.drop_index("ix_follow_ups_open", "follow_ups")
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.alter_column(table, old, new_column_name=new)
    op.create_index("ix_surveys_quota", "surveys", ["account", "quota_until"])
    op.create_index("ix_surveys_reconcile", "surveys", ["reconcile_at"])
    _create_partial_index("ix_surveys_poll", "surveys", ["poll_at"], "poll_at IS NOT NULL")
    _create_partial_index("ix_surveys_results", "surveys", RESULTS, "sent_at IS NOT NULL")
    _create_partial_index("ix_follow_ups_open", "follow_ups", ["team", "opened_at"], "closed_at IS NULL")
    op.add_column("accounts", sa.Column("alert_due_at", Moment, nullable=True))
    _rename_notices()
    _rename_unmatched()
    for old, new in REASONS.items():
        op.execute(f"UPDATE surveys SET reason = '{new}' WHERE reason = '{old}'")
        op.execute(f"UPDATE accounts SET cause = '{new}' WHERE cause = '{old}'")


def _rename_notices() -> None:
    # copied, as SQLite can't rename constraints
    op.create_table(
        "outbox",
        sa.Column("survey_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", Moment, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", Moment, nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_outbox_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", "kind", name=op.f("pk_outbox")),
    )
    cases = " ".join(f"WHEN '{old}' THEN '{new}'" for old, new in KINDS.items())
    op.execute(
        "INSERT INTO outbox (survey_id, kind, due_at, attempts, sent_at, channel, ts) "
        f"SELECT survey_id, CASE kind {cases} ELSE kind END, due_at, tries, told_at, channel, ts FROM notices"
    )
    op.drop_table("notices")
    op.create_index("ix_outbox_due", "outbox", ["due_at"])


def _rename_unmatched() -> None:
    op.create_table(
        "unmatched_responses",
        sa.Column("feedback_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("recipient_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rated_at", Moment, nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("commented_at", Moment, nullable=True),
        sa.Column("received_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", name=op.f("pk_unmatched_responses")),
    )
    columns = (
        "feedback_id, account, recipient_key, external_id, metric, created_at, "
        "rating, rated_at, comment, commented_at, received_at"
    )
    op.execute(f"INSERT INTO unmatched_responses ({columns}) SELECT {columns} FROM unmatched")
    op.drop_table("unmatched")
    op.create_index("ix_unmatched_responses_received_at", "unmatched_responses", ["received_at"])


def _create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
