"""Reviews of stories: what articles are about, and which stories have changed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
DUE = sa.text("is_due")
MERGED = sa.text("merged_into IS NOT NULL")
OTHER = sa.text("other_story_id IS NOT NULL")
# Columns are a contract: a later migration may add to the end, never rename.
EVENTS = """
    SELECT e.id, e.at, e.story_id, e.kind, e.article_id, e.other_story_id
    FROM story_event e
    JOIN story s ON s.id = e.story_id
    JOIN active_pipeline p
      ON p.stage = 'stories' AND p.pipeline_id = s.pipeline_id
"""


def upgrade() -> None:
    # Of stories of older clusterers, which nothing joins any more, it is left empty.
    op.drop_column("story", "centroid")
    op.add_column(
        "story",
        sa.Column(
            "centroid",
            sa.LargeBinary(),
            server_default="",
            nullable=False,
            comment="Mean of its members' vectors, packed as they are",
        ),
    )
    op.add_column(
        "story",
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When an article last joined, left or changed; NULL: not told",
        ),
    )
    op.add_column(
        "story",
        sa.Column(
            "is_due",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="It has changed since it was last reviewed",
        ),
    )
    for table, column, name, which in (
        ("story", "changed_at", "ix_story_due", DUE),
        ("story", "merged_into", "ix_story_merged_into", MERGED),
        ("story_event", "other_story_id", "ix_story_event_other_story_id", OTHER),
    ):
        op.create_index(
            name, table, [column], sqlite_where=which, postgresql_where=which
        )
    op.create_table(
        "story_vector",
        sa.Column("article_id", BIG_ID, nullable=False, comment="The article"),
        sa.Column("pipeline_id", BIG_ID, nullable=False, comment="What made it"),
        sa.Column(
            "terms",
            sa.LargeBinary(),
            nullable=False,
            comment="Terms and weights, heaviest first, packed",
        ),
        sa.Column(
            "stored_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was stored",
        ),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["article.id"],
            name=op.f("fk_story_vector_article_id_article"),
        ),
        sa.ForeignKeyConstraint(
            ["pipeline_id"],
            ["pipeline.id"],
            name=op.f("fk_story_vector_pipeline_id_pipeline"),
        ),
        sa.PrimaryKeyConstraint(
            "article_id", "pipeline_id", name=op.f("pk_story_vector")
        ),
        comment="What an article is about, kept while its story may be reviewed",
    )
    op.create_index("ix_story_vector_stored_at", "story_vector", ["stored_at"])
    op.execute(f"CREATE VIEW v_story_events AS {EVENTS}")


def downgrade() -> None:
    op.execute("DROP VIEW v_story_events")
    op.drop_table("story_vector")
    op.drop_index("ix_story_event_other_story_id", table_name="story_event")
    op.drop_index("ix_story_merged_into", table_name="story")
    op.drop_index("ix_story_due", table_name="story")
    op.drop_column("story", "is_due")
    op.drop_column("story", "changed_at")
    op.drop_column("story", "centroid")
    op.add_column(
        "story",
        sa.Column(
            "centroid",
            JSON,
            server_default="[]",
            nullable=False,
            comment="Mean of its members' features",
        ),
    )
