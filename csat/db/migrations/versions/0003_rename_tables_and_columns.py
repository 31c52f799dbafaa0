"""Rename the outbox and other tables, columns and stored values to the terms of the field."""

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


def upgrade() -> None:
    # recreated, as SQLite would quote the renamed columns in them, unlike the indexes of a new database;
    # those of the surveys by 0007, as that blocks nobody on PostgreSQL
    op.drop_index("ix_surveys_quota", "surveys")
    op.drop_index("ix_surveys_settle", "surveys")
    op.drop_index("ix_surveys_ask", "surveys")
    op.drop_index("ix_surveys_results", "surveys")
    op.drop_index("ix_surveys_sent", "surveys")
    op.drop_index("ix_follow_ups_open", "follow_ups")
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.alter_column(table, old, new_column_name=new)
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_follow_ups_open", "follow_ups", ["team", "opened_at"], sqlite_where=is_open, postgresql_where=is_open
    )
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
