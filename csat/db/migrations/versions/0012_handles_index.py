"""Create the index by which the surveys to a handle are found when the form opens."""

import sqlalchemy as sa

from csat.db.migrations.concurrent_indexes import create_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    create_index("ix_surveys_handle", "surveys", ["account", sa.text("lower(recipient_handle)"), "id"])
