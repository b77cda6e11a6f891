"""What the schedule knows of a feed, and how the feed does by its own measure."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

VIEW = "v_feed_health"
BEFORE = """
    SELECT f.id AS feed_id, f.url, f.title, f.kind, f.state, f.reason,
           f.last_outcome, f.last_error, f.last_polled_at, f.last_ok_at,
           f.next_poll_at, f.interval_seconds, f.n_errors, f.n_unchanged,
           (SELECT COUNT(*) FROM entry e WHERE e.feed_id = f.id) AS n_entries,
           (SELECT COUNT(*) FROM article a WHERE a.feed_id = f.id) AS n_articles
"""
AFTER = f"""{BEFORE.rstrip()},
           f.liveness, f.cause, f.unusual, f.unusual_since, f.unusual_reason
"""


def upgrade() -> None:
    for column in columns():
        op.add_column("feed", column)
    op.add_column(
        "poll_part",
        sa.Column(
            "news",
            JSON,
            nullable=True,
            comment="When its new entries came, for the poll's last part to count",
        ),
    )
    if op.get_context().dialect.name == "postgresql":
        # Readers keep the view that they have; columns may only be added to its end.
        op.execute(f"CREATE OR REPLACE VIEW {VIEW} AS {AFTER} FROM feed f")
    else:
        _make_view(AFTER)


def downgrade() -> None:
    _make_view(BEFORE)
    op.drop_column("poll_part", "news")
    for column in reversed(columns()):
        op.drop_column("feed", column.name)


def _make_view(select: str) -> None:
    op.execute(f"DROP VIEW {VIEW}")
    op.execute(f"CREATE VIEW {VIEW} AS {select} FROM feed f")


def columns() -> list[sa.Column[Any]]:
    """Return the new columns of a feed, made anew for each use."""
    # A constant default is written into the catalogue, not into the rows.
    return [
        sa.Column(
            "liveness",
            sa.String(length=16),
            nullable=False,
            server_default="live",
            comment="live, failing, dead (probed weekly) or gone, as polls have shown",
        ),
        sa.Column(
            "cause",
            sa.String(length=16),
            nullable=True,
            comment="What decided when it is due; NULL: a person, or nothing yet",
        ),
        sa.Column(
            "asked_seconds",
            sa.Integer(),
            nullable=True,
            comment="Wait that its server or publisher asked for at the last poll",
        ),
        sa.Column(
            "hints",
            JSON,
            nullable=True,
            comment="What its document says on when to come: distance, hours, days",
        ),
        sa.Column(
            "rhythm",
            JSON,
            nullable=True,
            comment="What its entries let expect, by hour and day of the week",
        ),
        sa.Column(
            "unusual",
            sa.String(length=16),
            nullable=True,
            comment="quiet or spiking, against its own hours of the week",
        ),
        sa.Column(
            "unusual_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When that was noticed",
        ),
        sa.Column(
            "unusual_reason", sa.Text(), nullable=True, comment="What it was noticed by"
        ),
    ]
