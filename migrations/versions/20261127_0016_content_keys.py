"""What a file is known by where it was moved, also without its bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

IN_FOLDERS = sa.text("feed_id IS NOT NULL")


def upgrade() -> None:
    op.add_column(
        "run_file",
        sa.Column(
            "content_key",
            sa.String(length=64),
            nullable=True,
            comment="What it is known by where it was moved",
        ),
    )
    op.create_index(
        "ix_run_file_content_key",
        "run_file",
        ["content_key"],
        postgresql_where=IN_FOLDERS,
        sqlite_where=IN_FOLDERS,
    )


def downgrade() -> None:
    op.drop_index("ix_run_file_content_key", table_name="run_file")
    op.drop_column("run_file", "content_key")
