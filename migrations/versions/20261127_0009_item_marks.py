"""What the last poll of a feed saw of its items, so that the next parses only news."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "item_marks",
        sa.Column(
            "feed_id", BIG_ID, autoincrement=False, nullable=False, comment="The feed"
        ),
        sa.Column(
            "packed",
            sa.LargeBinary(),
            nullable=False,
            comment="Short hashes of each item, under a seal (ingest/marks.py)",
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_item_marks_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_item_marks")),
        comment="What the last poll of a feed saw of its items; may be missing",
    )


def downgrade() -> None:
    op.drop_table("item_marks")
