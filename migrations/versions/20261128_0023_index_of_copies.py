"""The index of copies: made of fingerprints alone, smaller, and with an end in time."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXED = sa.text("indexed_at IS NOT NULL")
BEFORE = "Sorted 64-bit marks, packed"
AFTER = "64-bit marks, packed: those of the lead, then the others"


# The keys of fingerprints made before cannot be told from them, and nobody looks for
# them any more: articles are done again by the version that comes with this. So the
# table is made anew, empty, both ways.
def upgrade() -> None:
    op.drop_table("fingerprint_key")
    op.create_table(
        "fingerprint_key",
        *_columns(),
        sa.PrimaryKeyConstraint(
            "pipeline_id", "key", "article_id", name=op.f("pk_fingerprint_key")
        ),
        comment="The index of copies, made of fingerprints",
        sqlite_with_rowid=False,
    )
    op.add_column(
        "fingerprint",
        sa.Column(
            "n_lead_marks",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="So many are of the lead",
        ),
    )
    op.add_column(
        "fingerprint",
        sa.Column(
            "indexed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Since when it is in the index of copies; NULL: it is not",
        ),
    )
    op.create_index(
        "ix_fingerprint_indexed_at",
        "fingerprint",
        ["indexed_at"],
        postgresql_where=INDEXED,
        sqlite_where=INDEXED,
    )
    _describe_marks(AFTER)


def downgrade() -> None:
    _describe_marks(BEFORE)
    op.drop_index("ix_fingerprint_indexed_at", table_name="fingerprint")
    op.drop_column("fingerprint", "indexed_at")
    op.drop_column("fingerprint", "n_lead_marks")
    op.drop_table("fingerprint_key")
    op.create_table(
        "fingerprint_key",
        *_columns(),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_fingerprint_key_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_fingerprint_key_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "pipeline_id", "key", "article_id", name=op.f("pk_fingerprint_key")
        ),
        comment="The index of thinned marks, to find candidates",
    )
    op.create_index(
        "ix_fingerprint_key_article_id", "fingerprint_key", ["article_id"], unique=False
    )


def _describe_marks(comment: str) -> None:
    if op.get_context().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("fingerprint", "marks", comment=comment)


def _columns() -> "list[sa.Column[int]]":
    return [
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What made it"),
        sa.Column("key", sa.BigInteger(), nullable=False, comment="A mark"),
        sa.Column(
            "article_id", BIG_ID, nullable=False, comment="An article that has it"
        ),
    ]
