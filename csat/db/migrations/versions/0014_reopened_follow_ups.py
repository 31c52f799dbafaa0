"""Store who reopened the follow-up of a low rating."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    op.add_column("follow_ups", sa.Column("reopened_by", sa.Text(), nullable=True))
    op.add_column("follow_ups", sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True))
