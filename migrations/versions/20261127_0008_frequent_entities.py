"""Say of each hour of an entity whether it came often, and index those hours.

On PostgreSQL the table is written anew under its lock, some 4 s for a million rows:
`ALTER TABLE` computes the column that way. Nothing but sums is in it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEX = "ix_entity_hour_hour_often"


def upgrade() -> None:
    # SQLite can add a computed column only where it is not stored.
    is_stored = op.get_context().dialect.name == "postgresql"
    op.add_column(
        "entity_hour",
        sa.Column(
            "is_often",
            sa.Boolean(),
            sa.Computed("n_articles >= 4", persisted=is_stored),
            nullable=False,
            comment="Whether many do; the database keeps it",
        ),
    )
    op.create_index(
        INDEX,
        "entity_hour",
        ["hour"],
        postgresql_where=sa.text("is_often"),
        sqlite_where=sa.text("is_often = 1"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, table_name="entity_hour")
    op.drop_column("entity_hour", "is_often")
