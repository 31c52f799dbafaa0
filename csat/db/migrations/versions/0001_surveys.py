"""Surveys, their attempts, and what Slack is to be told of them."""

from functools import partial

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = partial(sa.DateTime, timezone=True)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("paused_at", Moment(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("told_at", Moment(), nullable=True),
        sa.Column("probe_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "surveys",
        sa.Column("id", Id, nullable=False),
        sa.Column("view_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("in_thread", sa.Boolean(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("response_url", sa.Text(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("variant", sa.Integer(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("recipient_handle", sa.Text(), nullable=True),
        sa.Column("recipient_id", sa.Text(), nullable=True),
        sa.Column("recipient_key", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("privacy_url", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("accepted_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("editable", sa.Boolean(), nullable=True),
        sa.Column("feedback_id", sa.Text(), nullable=True),
        sa.Column("sent_at", Moment(), nullable=True),
        sa.Column("counts_until", Moment(), nullable=False),
        sa.Column("settle_at", Moment(), nullable=True),
        sa.Column("again_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surveys")),
        sa.UniqueConstraint("view_id", name=op.f("uq_surveys_view_id")),
    )
    op.create_index("ix_surveys_due", "surveys", ["state", "due_at"], unique=False)
    op.create_index("ix_surveys_quota", "surveys", ["account", "counts_until"], unique=False)
    op.create_index("ix_surveys_recipient", "surveys", ["account", "recipient_key", "id"], unique=False)
    op.create_index(
        "ix_surveys_response_url",
        "surveys",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("response_url <> ''"),
        postgresql_where=sa.text("response_url <> ''"),
    )
    op.create_index("ix_surveys_settle", "surveys", ["settle_at"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("survey_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_attempts_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", "number", name=op.f("pk_attempts")),
    )
    op.create_table(
        "notices",
        sa.Column("survey_id", Id, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("told_at", Moment(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["surveys.id"], name=op.f("fk_notices_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", "kind", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_due", "notices", ["due_at"], unique=False)
