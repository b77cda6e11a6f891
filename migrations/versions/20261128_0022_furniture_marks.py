"""The numbers of texts, and whether those of two copies differ."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

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
    if op.get_context().dialect.name == "postgresql":
        # Readers keep the view that they have; columns may only be added to its end.
        op.execute(f"CREATE OR REPLACE VIEW {VIEW} AS {AFTER} {TABLES}")
    else:
        _make_view(AFTER)


def downgrade() -> None:
    _make_view(BEFORE)
    for table in reversed(JUDGED):
        op.drop_column(table, "numbers_differ")
    op.drop_column("fingerprint", "numbers")


def _make_view(select: str) -> None:
    op.execute(f"DROP VIEW {VIEW}")
    op.execute(f"CREATE VIEW {VIEW} AS {select} {TABLES}")
