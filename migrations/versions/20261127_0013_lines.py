"""Lines of pages, what was learned from them, and articles that are to be reviewed."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
TO_REVIEW = sa.text("review = 'open'")


def upgrade() -> None:
    make_revision_lines()
    make_learned_line()
    for column in file_columns():
        op.add_column("run_file", column)
    op.add_column(
        "article",
        sa.Column(
            "review",
            sa.String(length=16),
            nullable=True,
            comment="open: little trusted, to be looked at; or accepted",
        ),
    )
    op.create_index(
        "ix_article_to_review",
        "article",
        ["sort_at", "id"],
        postgresql_where=TO_REVIEW,
        sqlite_where=TO_REVIEW,
    )


def make_revision_lines() -> None:
    op.create_table(
        "revision_lines",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Number of the revision",
        ),
        sa.Column(
            "source",
            sa.Text(),
            nullable=False,
            comment="Publisher its file was filed under",
        ),
        sa.Column(
            "packed",
            sa.LargeBinary(),
            nullable=False,
            comment="Kind and text of each line (ingest/packedlines.py)",
        ),
        sa.Column(
            "is_new",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="Nothing has been learned from them so far",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_revision_lines_article_id_article"),
        ),
        sa.PrimaryKeyConstraint("article_id", "number", name=op.f("pk_revision_lines")),
        comment="Lines of the page of a text; missing where all of them are text",
    )
    op.create_index(
        "ix_revision_lines_source_article_id",
        "revision_lines",
        ["source", "article_id"],
    )
    op.create_index(
        "ix_revision_lines_news",
        "revision_lines",
        ["source"],
        postgresql_where=sa.text("is_new"),
        sqlite_where=sa.text("is_new = 1"),
    )


def make_learned_line() -> None:
    op.create_table(
        "learned_line",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key, ascending"),
        sa.Column("source", sa.Text(), nullable=False, comment="The publisher"),
        sa.Column(
            "hash",
            sa.String(length=16),
            nullable=False,
            comment="Of the line in lower case, without marks around it",
        ),
        sa.Column(
            "text",
            sa.Text(),
            nullable=False,
            comment="The line, as one of the pages has it",
        ),
        sa.Column(
            "n_texts",
            sa.BigInteger(),
            nullable=False,
            comment="Different texts it stood with when last looked at",
        ),
        sa.Column(
            "first_seen_at", MOMENT, nullable=False, comment="When it was learned"
        ),
        sa.Column(
            "last_seen_at",
            MOMENT,
            nullable=False,
            comment="When it was last found on so many pages",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learned_line")),
        sa.UniqueConstraint("source", "hash", name=op.f("uq_learned_line_source_hash")),
        comment="A line that is furniture on the pages of a source",
        sqlite_autoincrement=True,
    )


def file_columns() -> list[sa.Column[Any]]:
    """Return the new columns of a file, made anew for each use."""
    return [
        sa.Column(
            "from_document",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="To be read from its stored bytes, not from its path",
        ),
        sa.Column(
            "learned_up_to",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="Highest number of a learned line that its last reading knew",
        ),
    ]


def downgrade() -> None:
    op.drop_index("ix_article_to_review", table_name="article")
    op.drop_column("article", "review")
    for column in reversed(file_columns()):
        op.drop_column("run_file", column.name)
    op.drop_table("learned_line")
    op.drop_table("revision_lines")
