"""Note the command that each export was made for, so that a replay of it makes no other."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("trigger_id", sa.Text(), nullable=True))
    op.create_index("ix_audit_trigger", "audit", ["trigger_id"], unique=True)
