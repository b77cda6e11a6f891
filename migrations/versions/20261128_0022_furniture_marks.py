"""Facts about copies: numbers that differ, and marks that are furniture."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

VIEW = "v_duplicates"
BEFORE = """
    SELECT d.article_id, a.title, a.source, a.sort_at,
           d.original_id, o.title AS original_title,
           o.source AS original_source, o.sort_at AS original_sort_at,
           d.kind, d.containment, d.resemblance, d.settled_at
"""
AFTER = f"""{BEFORE.rstrip()},
           CASE WHEN d.numbers_differ THEN 1 ELSE 0 END AS numbers_differ
"""
TABLES = """
    FROM duplicate d
    JOIN active_pipeline p
      ON p.stage = 'copies' AND p.pipeline_id = d.pipeline_id
    JOIN article a ON a.id = d.article_id
    JOIN article o ON o.id = d.original_id
"""
JUDGED = ("copy_pair", "duplicate")


def upgrade() -> None:
    op.add_column(
        "fingerprint",
        sa.Column(
            "numbers",
            sa.LargeBinary(),
            nullable=True,
            comment="Sorted 32-bit hashes of its numbers; NULL: not told",
        ),
    )
    for table in JUDGED:
        # A constant default is written into the catalogue, not into the rows.
        op.add_column(
            table,
            sa.Column(
                "numbers_differ",
                sa.Boolean(),
                nullable=False,
                server_default=sa.false(),
                comment="Each has numbers in place of the other's",
            ),
        )
    _make_furniture()
    if op.get_context().dialect.name == "postgresql":
        # Readers keep the view that they have; columns may only be added to its end.
        op.execute(f"CREATE OR REPLACE VIEW {VIEW} AS {AFTER} {TABLES}")
    else:
        _make_view(AFTER)


def downgrade() -> None:
    _make_view(BEFORE)
    op.drop_table("source_furniture")
    for table in reversed(JUDGED):
        op.drop_column(table, "numbers_differ")
    op.drop_column("fingerprint", "numbers")


def _make_view(select: str) -> None:
    op.execute(f"DROP VIEW {VIEW}")
    op.execute(f"CREATE VIEW {VIEW} AS {select} {TABLES}")


def _make_furniture() -> None:
    op.create_table(
        "source_furniture",
        sa.Column("source", sa.Text(), nullable=False, comment="The publisher"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What made the marks"),
        sa.Column(
            "marks",
            sa.LargeBinary(),
            nullable=False,
            comment="Sorted 64-bit marks, packed",
        ),
        sa.Column("n_marks", sa.Integer(), nullable=False, comment="So many they are"),
        sa.Column(
            "n_articles",
            sa.Integer(),
            nullable=False,
            comment="Newest articles that were looked at",
        ),
        sa.Column(
            "n_new",
            sa.Integer(),
            nullable=False,
            comment="Fingerprints stored since then",
        ),
        sa.Column(
            "n_to_judge",
            sa.Integer(),
            nullable=False,
            comment="Of those looked at, to be judged again",
        ),
        sa.Column(
            "learned_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When it was learned; NULL: not yet",
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_source_furniture_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "source", "pipeline_id", name=op.f("pk_source_furniture")
        ),
        comment="Marks that say nothing of copies, as those of a footer",
    )
