"""Add the transport of a survey; those before it were X's feedback cards.

Older versions of the app would send as a card what waits to be sent as a link, so they refuse the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
is_backward_compatible = False


def upgrade() -> None:
    op.add_column("surveys", sa.Column("transport", sa.Text, nullable=False, server_default="x_card"))
