"""Create the list of customers who are not to be asked again.

Older versions of the app would ask them, so they refuse the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "opt_outs",
        sa.Column("id", Id, nullable=False),
        sa.Column("recipient_key", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.Column("lifted_team", sa.Text()),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lift_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opt_outs")),
    )
    in_force = sa.text("lifted_at IS NULL")
    op.create_index(
        "ix_opt_outs_in_force",
        "opt_outs",
        ["recipient_key"],
        unique=True,
        sqlite_where=in_force,
        postgresql_where=in_force,
    )
