"""Index the files that are there, and note by which readers stored bytes were read."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

IS_THERE = sa.text("gone_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_folder_file_there",
        "folder_file",
        ["feed_id", "spot"],
        postgresql_where=IS_THERE,
        sqlite_where=IS_THERE,
    )
    op.drop_index("ix_folder_file_feed_id_spot", table_name="folder_file")
    op.add_column(
        "run_file",
        sa.Column(
            "readers",
            sa.String(length=16),
            nullable=True,
            comment="Mark of the readers that its stored bytes were last read by",
        ),
    )


def downgrade() -> None:
    op.drop_column("run_file", "readers")
    op.create_index("ix_folder_file_feed_id_spot", "folder_file", ["feed_id", "spot"])
    op.drop_index("ix_folder_file_there", table_name="folder_file")
