"""Note when a customer chose the rating that holds, as requests of Slack can arrive late or again.

Older versions of the app can't read surveys in Slack, so they refuse the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
is_backward_compatible = False


def upgrade() -> None:
    op.add_column("surveys", sa.Column("rating_chosen_at", sa.DateTime(timezone=True), nullable=True))
