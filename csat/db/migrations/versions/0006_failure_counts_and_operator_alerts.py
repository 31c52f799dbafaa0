"""Count the failures of each poll and of sweeps, and keep an alert for each operator."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    failures = {"type_": sa.Integer(), "nullable": False, "server_default": "0"}
    op.add_column("surveys", sa.Column("poll_failures", **failures))
    op.add_column("feeds", sa.Column("sweep_failures", **failures))
    op.create_table(
        "operator_alerts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "operator", name=op.f("pk_operator_alerts")),
    )
