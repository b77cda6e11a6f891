"""Pipelines that go over a text twice, and which pass a result and work are of."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


# A constant default is kept beside the table, so that no row is touched.
def _number(name: str, comment: str) -> "sa.Column[int]":
    return sa.Column(
        name, sa.Integer(), server_default="1", nullable=False, comment=comment
    )


def upgrade() -> None:
    op.add_column(
        "pipeline",
        _number("n_passes", "How often it goes over a text; the last pass is the best"),
    )
    op.add_column(
        "enrichment",
        _number("pass_number", "Pass of the pipeline that the results are of"),
    )
    op.add_column(
        "enrich_work",
        _number("pass_number", "Pass that is wanted of pipelines that have several"),
    )


def downgrade() -> None:
    op.drop_column("enrich_work", "pass_number")
    op.drop_column("enrichment", "pass_number")
    op.drop_column("pipeline", "n_passes")
