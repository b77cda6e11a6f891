"""Hosts of feeds: limits and pauses for all feeds of one server, moves, validators."""

from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
# Columns are a contract: a later migration may add to the end, never rename.
VIEWS = {
    "v_hosts": """
        SELECT f.host, COUNT(*) AS n_feeds,
               SUM(CASE WHEN f.lease_until IS NULL THEN 0 ELSE 1 END) AS n_polling,
               SUM(CASE WHEN f.n_errors > 0 THEN 1 ELSE 0 END) AS n_failing,
               MIN(CASE WHEN f.state = 'active' THEN f.next_poll_at END)
                   AS next_poll_at,
               MAX(f.last_polled_at) AS last_polled_at,
               p.until AS paused_until, p.since AS paused_since,
               p.reason AS pause_reason, p.feed_id AS pause_feed_id
        FROM feed f
        LEFT JOIN host_pause p ON p.host = f.host
        WHERE f.kind = 'web' AND f.state <> 'removed'
        GROUP BY f.host, p.until, p.since, p.reason, p.feed_id
    """,
    "v_feed_moves": """
        SELECT m.id, m.at, m.feed_id, m.kind, m.old_url, m.new_url, m.into_feed_id
        FROM feed_move m
    """,
}
DUE = "lease_until IS NOT NULL"


def upgrade() -> None:
    for column in columns():
        op.add_column("feed", column)
    fill_hosts()
    op.create_index("ix_feed_host", "feed", ["host"])
    op.create_index(
        "ix_feed_lease_until",
        "feed",
        ["lease_until"],
        sqlite_where=sa.text(DUE),
        postgresql_where=sa.text(DUE),
    )
    op.create_table(
        "host_pause",
        sa.Column("host", sa.Text(), nullable=False, comment="As in feed.host"),
        sa.Column("since", MOMENT, nullable=False, comment="When it last asked"),
        sa.Column(
            "until", MOMENT, nullable=False, comment="None of its feeds before that"
        ),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="One sentence for the operator"
        ),
        sa.Column("feed_id", BIG_ID, nullable=False, comment="Whose poll was told so"),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_host_pause_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_host_pause")),
        comment="A server that asked us to wait",
    )
    op.create_table(
        "feed_move",
        sa.Column("id", BIG_ID, nullable=False, comment="Surrogate key"),
        sa.Column("feed_id", BIG_ID, nullable=False, comment="The feed that moved"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="moved, or merged into a feed that was there already",
        ),
        sa.Column(
            "old_url", sa.Text(), nullable=False, comment="Where it was polled before"
        ),
        sa.Column("new_url", sa.Text(), nullable=False, comment="Where it is now"),
        sa.Column(
            "into_feed_id",
            BIG_ID,
            nullable=True,
            comment="The feed that polls that address, if merged",
        ),
        sa.Column("at", MOMENT, nullable=False, comment="When it was settled"),
        sa.CheckConstraint(
            "kind IN ('moved', 'merged')", name=op.f("ck_feed_move_kind")
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_feed_move_feed_id_feed")
        ),
        sa.ForeignKeyConstraint(
            ["into_feed_id"], ["feed.id"], name=op.f("fk_feed_move_into_feed_id_feed")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_move")),
        comment="A permanent redirect that was followed for good",
    )
    op.create_index("ix_feed_move_feed_id", "feed_move", ["feed_id"])
    for name, select in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {select}")


def columns() -> tuple["sa.Column[Any]", ...]:
    """Make the new columns of feed, anew for each table they are put into."""
    return (
        sa.Column(
            "host",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="Server of url; limits and pauses hold for all its feeds",
        ),
        sa.Column(
            "parser",
            sa.Text(),
            nullable=True,
            comment="What read the last body; another one needs it in full",
        ),
        sa.Column(
            "full_at", MOMENT, nullable=True, comment="When a body last came in full"
        ),
        sa.Column(
            "n_not_modified",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="304s in a row since then",
        ),
        sa.Column(
            "n_ignored",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Bodies without news in a row although validators were sent",
        ),
        sa.Column(
            "validators",
            sa.String(length=16),
            server_default="trusted",
            nullable=False,
            comment="trusted, ignored by its server, or lying and sent no more",
        ),
        sa.Column(
            "validators_reason",
            sa.Text(),
            nullable=True,
            comment="Why its validators are not trusted",
        ),
        sa.Column(
            "moved_since",
            MOMENT,
            nullable=True,
            comment="First poll that was redirected to moved_url",
        ),
        sa.Column(
            "n_moved",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="Polls in a row that were redirected to moved_url",
        ),
    )


def fill_hosts() -> None:
    """Give the feeds that are there their hosts; printed SQL knows none of them."""
    if context.is_offline_mode():
        return
    feed = sa.table("feed", sa.column("id"), sa.column("url"), sa.column("host"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(feed.c.id, feed.c.url)).all()
    values = [{"key": row.id, "value": host_of(row.url)} for row in rows]
    if values:
        query = sa.update(feed).where(feed.c.id == sa.bindparam("key"))
        connection.execute(query.values(host=sa.bindparam("value")), values)


def host_of(url: str) -> str:
    """Spell a host as the code of this revision does."""
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").rstrip("."), parts.port
        host = name if name.isascii() else name.encode("idna").decode()
    except ValueError:
        return ""
    host = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host if not host or port in {None, usual} else f"{host}:{port}"


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(f"DROP VIEW {name}")
    op.drop_index("ix_feed_move_feed_id", table_name="feed_move")
    op.drop_table("feed_move")
    op.drop_table("host_pause")
    op.drop_index("ix_feed_lease_until", table_name="feed")
    op.drop_index("ix_feed_host", table_name="feed")
    for column in reversed(columns()):
        op.drop_column("feed", column.name)
