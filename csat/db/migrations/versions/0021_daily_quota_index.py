"""Replace the index by which an account's daily quota is counted: each transport has one of its own."""

from csat.db.migrations.concurrent_indexes import create_index, drop_index

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    create_index("ix_surveys_daily_quota", "surveys", ["account", "transport", "quota_until"])
    drop_index("ix_surveys_quota", "surveys")
