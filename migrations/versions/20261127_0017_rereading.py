"""Index what is there, note who read stored bytes, and learn from plain text alone."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

IS_THERE = sa.text("gone_at IS NULL")
OF_PLAIN_TEXT = """
    UPDATE revision_lines SET teaches = true WHERE EXISTS (
        SELECT 1 FROM revision
        WHERE revision.article_id = revision_lines.article_id
        AND revision.number = revision_lines.number
        AND revision.extractor LIKE 'text-seed/%'
    )
"""


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

    learn_from_plain_text()


def learn_from_plain_text() -> None:
    op.add_column(
        "revision_lines",
        sa.Column(
            "teaches",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Of plain text, from which furniture is learned",
        ),
    )
    op.execute(OF_PLAIN_TEXT)
    op.execute("UPDATE revision_lines SET is_new = false WHERE NOT teaches")
    op.drop_index("ix_revision_lines_source_article_id", table_name="revision_lines")
    op.create_index(
        "ix_revision_lines_teaches",
        "revision_lines",
        ["source", "article_id"],
        postgresql_where=sa.text("teaches"),
        sqlite_where=sa.text("teaches = 1"),
    )


def downgrade() -> None:
    op.drop_index("ix_revision_lines_teaches", table_name="revision_lines")
    op.create_index(
        "ix_revision_lines_source_article_id",
        "revision_lines",
        ["source", "article_id"],
    )
    op.drop_column("revision_lines", "teaches")
    op.drop_column("run_file", "readers")
    op.create_index("ix_folder_file_feed_id_spot", "folder_file", ["feed_id", "spot"])
    op.drop_index("ix_folder_file_there", table_name="folder_file")
