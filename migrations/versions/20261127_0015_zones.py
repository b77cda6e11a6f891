"""The zone in which a feed writes its dates, where an operator knows it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "feed",
        sa.Column(
            "zone",
            sa.String(length=64),
            nullable=True,
            comment="Zone of dates that name none, or UTC; NULL: UTC",
        ),
    )


def downgrade() -> None:
    op.drop_column("feed", "zone")
