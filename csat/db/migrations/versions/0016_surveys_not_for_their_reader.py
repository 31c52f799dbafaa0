"""Note when a reader of the rating page says that the survey is not meant for them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
is_backward_compatible = True


def upgrade() -> None:
    op.add_column("surveys", sa.Column("disowned_at", sa.DateTime(timezone=True), nullable=True))
