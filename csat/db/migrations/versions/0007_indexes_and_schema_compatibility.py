"""Create the indexes that 0003 leaves out, and note which versions of the app work with the schema."""

import sqlalchemy as sa
from alembic import op

from csat.db.migrations.concurrent_indexes import create_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

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
    create_index("ix_surveys_quota", "surveys", ["account", "quota_until"])
    create_index("ix_surveys_reconcile", "surveys", ["reconcile_at"])
    create_index("ix_surveys_poll", "surveys", ["poll_at"], "poll_at IS NOT NULL")
    create_index("ix_surveys_results", "surveys", RESULTS, "sent_at IS NOT NULL")
    compatibility = op.create_table(
        "compatibility",
        sa.Column("oldest_revision", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("oldest_revision", name=op.f("pk_compatibility")),
    )
    op.bulk_insert(compatibility, [{"oldest_revision": "0007"}])
