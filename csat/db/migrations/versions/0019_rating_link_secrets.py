"""Keep several secrets of the links to the rating page, each for the surveys accepted from a moment on.

Older versions of the app do not find the secret any more, so they refuse the database.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
is_backward_compatible = False


def upgrade() -> None:
    secrets = sa.table("secrets", sa.column("name", sa.Text), sa.column("value", sa.Text))
    rating_link_secrets = op.create_table(
        "rating_link_secrets",
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("since", name=op.f("pk_rating_link_secrets")),
    )
    is_kept = secrets.c.name == "rating links"
    value = op.get_bind().execute(sa.select(secrets.c.value).where(is_kept)).scalar()
    if value:
        op.bulk_insert(rating_link_secrets, [{"since": datetime.fromtimestamp(0, UTC), "value": value}])
        op.execute(secrets.delete().where(is_kept))
