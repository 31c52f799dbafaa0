"""Answers, how they are fetched and followed up, and who saw them."""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = partial(sa.DateTime, timezone=True)


def upgrade() -> None:
    op.add_column("surveys", sa.Column("rating", sa.Integer(), nullable=True))
    op.add_column("surveys", sa.Column("rated_at", Moment(), nullable=True))
    op.add_column("surveys", sa.Column("comment", sa.Text(), nullable=True))
    op.add_column("surveys", sa.Column("commented_at", Moment(), nullable=True))
    op.add_column("surveys", sa.Column("ask_at", Moment(), nullable=True))
    op.execute("UPDATE surveys SET ask_at = sent_at WHERE state = 'sent'")
    op.create_index("ix_surveys_requester", "surveys", ["team", "requester", "accepted_at"], unique=False)
    _index("ix_surveys_feedback", ["feedback_id"], "feedback_id IS NOT NULL")
    _index("ix_surveys_ask", ["ask_at"], "ask_at IS NOT NULL")
    asked = ["state", "test", "requester", "channel", "variant"]
    counted = ["requester", "channel", "sent_at", "state", "test", "rating", "variant", "commented_at"]
    is_sqlite = op.get_context().dialect.name == "sqlite"
    day = sa.text("substr(sent_at, 1, 10)" if is_sqlite else "(CAST(sent_at AT TIME ZONE 'UTC' AS date))")
    _index("ix_surveys_results", ["team", "metric", day, *counted], "sent_at IS NOT NULL", include=["id"])
    _index("ix_surveys_sent", ["team", "metric", "sent_at"], "sent_at IS NOT NULL")
    _index(
        "ix_surveys_comments", ["team", "metric", "commented_at", "sent_at", *asked], "commented_at IS NOT NULL"
    )
    op.create_table(
        "unmatched",
        sa.Column("feedback_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("recipient_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("rated_at", Moment(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("commented_at", Moment(), nullable=True),
        sa.Column("received_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("feedback_id", name=op.f("pk_unmatched")),
    )
    op.create_index("ix_unmatched_received_at", "unmatched", ["received_at"], unique=False)
    op.create_table(
        "feeds",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asked_since", Moment(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("swept_until", Moment(), nullable=True),
        sa.Column("sweep_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_feeds")),
    )
    op.create_table(
        "follow_ups",
        sa.Column("survey_id", Id, nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("low_at", Moment(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("taken_at", Moment(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_follow_ups_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", name=op.f("pk_follow_ups")),
    )
    _index("ix_follow_ups_open", ["team", "low_at"], "closed_at IS NULL", "follow_ups")
    op.create_table(
        "digests",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("told_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("team", "week", name=op.f("pk_digests")),
    )
    op.create_table(
        "homes",
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("shows_results", sa.Boolean(), nullable=False),
        sa.Column("asks", sa.Text(), nullable=False),
        sa.Column("published_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("team", "person", name=op.f("pk_homes")),
    )
    op.create_table(
        "audit",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)


def _index(name: str, columns: list[Any], where: str, table: str = "surveys", **more: list[str]) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
        **{f"postgresql_{option}": value for option, value in more.items()},
    )
