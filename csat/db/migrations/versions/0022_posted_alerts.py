"""Note where alerts to operators were posted, to update them once X accepts the account again."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    op.add_column("accounts", sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "posted_alerts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("ts", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "operator", "ts", name=op.f("pk_posted_alerts")),
    )
