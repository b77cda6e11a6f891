"""What a feed says of an entry beside its article: dates, authors, files, words."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)
MOMENT = sa.DateTime(timezone=True)
# All of them may be empty, so that no row is touched and no reader waits.
COLUMNS = (
    ("published_at", MOMENT, "When it says it was published"),
    ("published_raw", sa.Text(), "That date as spelt"),
    ("published_from", sa.String(24), "Which field or line said so"),
    ("published_confidence", sa.Float(), "Trust in that date, 0 to 1"),
    ("updated_at", MOMENT, "When it says it was changed last"),
    ("updated_raw", sa.Text(), "That date as spelt"),
    ("language", sa.String(64), "Language it declares, verbatim"),
    ("authors", JSON, "Names of its authors, a list"),
    ("categories", JSON, "Its categories, a list"),
    ("enclosures", JSON, "Files that come with it: url, media_type, n_bytes"),
)
# A constant default is kept beside the table, so that no row is touched either.
CHURNED = sa.Column(
    "n_churned",
    sa.Integer(),
    server_default="0",
    nullable=False,
    comment="Polls in a row with new ids on known entries",
)


def upgrade() -> None:
    """Add the columns."""
    for name, kind, comment in COLUMNS:
        op.add_column("entry", sa.Column(name, kind, nullable=True, comment=comment))
    op.add_column("feed", CHURNED)


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("feed", "n_churned")
    for name, _, _ in reversed(COLUMNS):
        op.drop_column("entry", name)
