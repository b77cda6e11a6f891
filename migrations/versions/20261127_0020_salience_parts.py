"""What the weight of an entity is made of."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "article_entity",
        sa.Column(
            "in_title",
            sa.Boolean(),
            nullable=True,
            comment="Part of the weight: the title names it; NULL: not told",
        ),
    )
    op.add_column(
        "article_entity",
        sa.Column(
            "in_opening",
            sa.Boolean(),
            nullable=True,
            comment="Part of the weight: the first paragraph names it",
        ),
    )
    op.add_column(
        "article_entity",
        sa.Column(
            "lateness",
            sa.Float(),
            nullable=True,
            comment="Part of the weight: share of the text before its first mention",
        ),
    )


def downgrade() -> None:
    op.drop_column("article_entity", "lateness")
    op.drop_column("article_entity", "in_opening")
    op.drop_column("article_entity", "in_title")
