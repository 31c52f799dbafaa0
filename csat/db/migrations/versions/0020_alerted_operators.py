"""Note the last alert of each operator, as the instances of several workspaces have operators of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    op.create_table(
        "alerted_operators",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("alerted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "operator", name=op.f("pk_alerted_operators")),
    )
