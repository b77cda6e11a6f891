"""Pages behind teasers: the work of fetching them, and what a text of an article is."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# SQLite gives automatic row ids to INTEGER keys only.
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "kind IN ('feed', 'file', 'entry', 'article', 'message')"
# Open to operators, as the other views of docs/sql.md.
VIEW = """
    CREATE VIEW v_pages AS
    SELECT p.article_id, p.feed_id, p.url, p.host, p.state, p.outcome, p.error,
           p.ask AS n_wanted, p.attempts, p.asked_at, p.due_at, p.fetched_at,
           p.http_status, p.final_url, p.n_words, p.n_words_said
    FROM page p
"""
AFTER = "kind IN ('feed', 'file', 'entry', 'article', 'page', 'message')"


def upgrade() -> None:
    op.add_column(
        "feed",
        sa.Column(
            "pages",
            sa.String(length=8),
            server_default="auto",
            nullable=False,
            comment="auto, always or never: whether pages of its entries are fetched",
        ),
    )
    op.add_column(
        "article",
        sa.Column(
            "is_teaser",
            sa.Boolean(),
            nullable=True,
            comment="Its text is what a feed teased it with; NULL: nobody looked",
        ),
    )
    _make_pages()
    op.execute(VIEW)
    _change_kinds(BEFORE, AFTER)


def downgrade() -> None:
    op.execute("DELETE FROM quarantine WHERE kind = 'page'")
    _change_kinds(AFTER, BEFORE)
    op.execute("DROP VIEW v_pages")
    op.drop_table("page")
    op.drop_column("article", "is_teaser")
    op.drop_column("feed", "pages")


def _make_pages() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "page",
        _column("article_id", BIG_ID, "The article", autoincrement=False),
        _column("feed_id", BIG_ID, "Feed whose entry wanted it"),
        _column("url", sa.Text(), "Canonical address"),
        _column("host", sa.Text(), "Server of url; one asks it at a time"),
        _column("state", sa.String(length=16), "pending, done or quarantined"),
        _maybe("outcome", sa.String(length=24), "Its single named end"),
        _maybe("error", sa.Text(), "One sentence for the operator"),
        _column("ask", sa.Integer(), "Times it was wanted"),
        _column("revision", sa.Integer(), "Text of the feed that wanted it"),
        _column("attempts", sa.Integer(), "Claims since then"),
        _column("leased", sa.Boolean(), "A worker has it until due_at"),
        _column("due_at", moment, "When it may be dispatched"),
        _column("asked_at", moment, "When it was last wanted"),
        _maybe("fetched_at", moment, "When a server was last asked for it"),
        _maybe("http_status", sa.Integer(), "Status of the last hop"),
        _maybe("final_url", sa.Text(), "Where redirects led"),
        _maybe("n_words", sa.Integer(), "Words of its text"),
        _maybe("n_words_said", sa.Integer(), "Words the feed gave"),
        _maybe(
            "content_hash",
            sa.String(length=64),
            "Hash of title and text that were accepted last",
        ),
        _maybe(
            "document_sha256",
            sa.String(length=64),
            "Its bytes, where it was accepted",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'quarantined')", name=op.f("ck_page_state")
        ),
        sa.CheckConstraint(
            "state <> 'done' OR outcome IS NOT NULL", name=op.f("ck_page_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_page_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feed.id"], name=op.f("fk_page_feed_id_feed")
        ),
        sa.ForeignKeyConstraint(
            ["document_sha256"],
            ["document.sha256"],
            name=op.f("fk_page_document_sha256_document"),
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_page")),
        comment="The page of an article; where its full text was looked for",
    )
    op.create_index("ix_page_state_due_at", "page", ["state", "due_at"])
    op.create_index("ix_page_feed_id_asked_at", "page", ["feed_id", "asked_at"])
    op.create_index(
        "ix_page_document_sha256",
        "page",
        ["document_sha256"],
        postgresql_using="hash",
    )


def _column(name: str, kind: Any, comment: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, comment=comment, **options)


def _maybe(name: str, kind: Any, comment: str) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True, comment=comment)


def _change_kinds(before: str, after: str) -> None:
    """Let quarantine hold other kinds of work."""
    if op.get_context().dialect.name == "sqlite":
        _change_check(before, after)
        return
    # What waits for an operator are few rows, looked at in no time.
    op.execute("ALTER TABLE quarantine DROP CONSTRAINT ck_quarantine_kind")
    op.execute(
        f"ALTER TABLE quarantine ADD CONSTRAINT ck_quarantine_kind CHECK ({after})"
    )
    kinds = after.partition("(")[2].rstrip(")").replace("'", "")
    op.execute(f"COMMENT ON COLUMN quarantine.kind IS '{kinds}'")


def _change_check(before: str, after: str) -> None:
    """Change the text of the table's definition, as the manual of SQLite has it."""
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = replace(sql, ?, ?)"
        " WHERE type = 'table' AND name = 'quarantine'",
        (before, after),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
    if changed.rowcount != 1:
        raise RuntimeError("the definition of quarantine is not where it should be")
