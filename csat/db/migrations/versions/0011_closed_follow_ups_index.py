"""Create the index by which App Home lists the closed low ratings."""

from csat.db.migrations.concurrent_indexes import create_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    create_index(
        "ix_follow_ups_closed", "follow_ups", ["team", "closed_at", "survey_id"], "closed_at IS NOT NULL"
    )
