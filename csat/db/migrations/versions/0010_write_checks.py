"""Add the table by which the health check tries whether the database takes writes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    op.create_table("write_checks", sa.Column("text", sa.Text(), nullable=False))
