"""Add the transport, and whether it was disowned, to the indexes in which reports count surveys."""

from csat.db.migrations.concurrent_indexes import create_index, drop_index

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
is_backward_compatible = True

COUNTS = [
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
]
COMMENTS = [
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
]


def upgrade() -> None:
    create_index("ix_surveys_report_counts", "surveys", COUNTS, "sent_at IS NOT NULL")
    create_index("ix_surveys_report_comments", "surveys", COMMENTS, "commented_at IS NOT NULL")
    # only now, as the instances that still run use them
    drop_index("ix_surveys_results", "surveys")
    drop_index("ix_surveys_comments", "surveys")
