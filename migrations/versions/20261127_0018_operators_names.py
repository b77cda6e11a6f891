"""What operators say of names, and which of it a pipeline goes by."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "name_rule",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column(
            "rule",
            sa.String(length=8),
            nullable=False,
            comment="alias, merge, split, stop or qid",
        ),
        sa.Column(
            "subject",
            sa.Text(),
            nullable=False,
            comment="A name; of merge, split and qid a key",
        ),
        sa.Column(
            "target",
            sa.Text(),
            nullable=False,
            comment="A key, or a number of Wikidata",
        ),
        sa.Column(
            "kind",
            sa.String(length=8),
            nullable=False,
            comment="Of an alias; of a stop name the only one, or empty",
        ),
        sa.Column(
            "detail",
            sa.Text(),
            nullable=False,
            comment="Language of an alias, word that splits; or empty",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was said",
        ),
        sa.Column("created_by", sa.Text(), nullable=False, comment="Who said it"),
        sa.CheckConstraint(
            "rule IN ('alias', 'merge', 'split', 'stop', 'qid')",
            name=op.f("ck_name_rule_rule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_rule")),
        sa.UniqueConstraint(
            "rule",
            "subject",
            "kind",
            "detail",
            name=op.f("uq_name_rule_rule_subject_kind_detail"),
        ),
        comment="One thing that an operator says of a name",
    )
    op.add_column(
        "pipeline",
        sa.Column(
            "names",
            sa.Text(),
            nullable=True,
            comment="What operators say of names, as a table, where it goes by one",
        ),
    )
    op.add_column(
        "job",
        sa.Column(
            "names",
            sa.Text(),
            nullable=True,
            comment="Table of names that comes into force with it; NULL: it has",
        ),
    )


def downgrade() -> None:
    op.drop_column("job", "names")
    op.drop_column("pipeline", "names")
    op.drop_table("name_rule")
