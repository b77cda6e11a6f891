"""Full text over title and lead: FTS5 on SQLite, documents under GIN on PostgreSQL.

On both, `fts_article` is a table that triggers on `article` keep in step.
"""

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
        tokenize='unicode61 remove_diacritics 0')""",
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

# Which of the server's stemmers speaks which language. A server lacks some of them.
STEMMERS = """
    ar arabic, ca catalan, da danish, de german, el greek, en english, es spanish,
    eu basque, fi finnish, fr french, ga irish, hi hindi, hu hungarian, hy armenian,
    id indonesian, it italian, lt lithuanian, nb norwegian, ne nepali, nl dutch,
    nn norwegian, no norwegian, pt portuguese, ro romanian, ru russian, sr serbian,
    sv swedish, ta tamil, tr turkish, yi yiddish
"""
# PostgreSQL takes bbc.co.uk, news-desk and a/b for one token each. Without these it
# splits words where FTS5 does.
JOINERS = ".-/@_:+<&"


def spaced(text: str) -> str:
    """Return SQL for a text without what joins words."""
    for joiner in JOINERS:
        text = f"replace({text}, '{joiner}', ' ')"
    return text


SPELT = spaced("a.title || ' ' || a.lead")
# Words as they are spelt weigh D. Day, month and language are words too, with a space
# in front that no text can have: so the index can look at one month of one language.
WORDS = f"""to_tsvector('simple', {SPELT}) || array_to_tsvector(array_remove(ARRAY[
    ' ' || to_char(a.sort_at AT TIME ZONE 'UTC', 'YYYY-MM'),
    ' ' || to_char(a.sort_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
    ' ' || a.language], NULL))"""
# Stems weigh A; a server that knows no stemmer for the language adds nothing.
STEMS = f"""COALESCE(
    setweight(to_tsvector(l.configuration::regconfig, {SPELT}), 'A'), '')"""
# That the language has become known is the rule, and the words stay what they are.
WRITE = f"""
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO fts_article (article_id, sort_at, document)
        SELECT a.id, a.sort_at, {WORDS} || {STEMS}
        FROM new_rows a LEFT JOIN fts_language l ON l.code = a.language;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE fts_article f SET sort_at = a.sort_at, document = CASE
            WHEN o.language IS NULL
                AND (a.title, a.lead, a.sort_at) = (o.title, o.lead, o.sort_at)
            THEN f.document || array_to_tsvector(ARRAY[' ' || a.language]) || {STEMS}
            ELSE {WORDS} || {STEMS} END
        FROM new_rows a JOIN old_rows o ON o.id = a.id
        LEFT JOIN fts_language l ON l.code = a.language
        WHERE f.article_id = a.id AND (a.title, a.lead, a.sort_at, a.language)
            IS DISTINCT FROM (o.title, o.lead, o.sort_at, o.language);
    ELSE
        DELETE FROM fts_article f USING old_rows o WHERE f.article_id = o.id;
    END IF;
    RETURN NULL;
END"""  # noqa: S608  # our own texts, as below
# What triggers have missed, as in a load that skips them.
REBUILD = f"""
    DELETE FROM fts_article;
    INSERT INTO fts_article (article_id, sort_at, document)
    SELECT a.id, a.sort_at, {WORDS} || {STEMS}
    FROM article a LEFT JOIN fts_language l ON l.code = a.language
    ORDER BY a.sort_at, a.id;"""  # noqa: S608
POSTGRESQL_UP = (
    """CREATE TABLE fts_language (
        code text CONSTRAINT pk_fts_language PRIMARY KEY,
        configuration text NOT NULL)""",
    "COMMENT ON TABLE fts_language IS 'Languages that the server has a stemmer for'",
    "COMMENT ON COLUMN fts_language.code IS 'ISO 639-1'",
    "COMMENT ON COLUMN fts_language.configuration IS 'Its text search configuration'",
    # Not as regconfig: pg_upgrade refuses tables with such a column.
    f"""INSERT INTO fts_language (code, configuration)
        SELECT split_part(trim(pair), ' ', 1), c.cfgname
        FROM unnest(string_to_array(
            '{" ".join(STEMMERS.split())}', ',')) AS pair
        JOIN pg_ts_config c ON c.cfgname = split_part(trim(pair), ' ', 2)
            AND c.cfgnamespace = 'pg_catalog'::regnamespace""",  # noqa: S608
    # A table of its own: an article that gets its language is not written anew with
    # all its indexes. Documents are read far more often than they are written, so
    # that they are not compressed.
    """CREATE TABLE fts_article (
        article_id bigint CONSTRAINT pk_fts_article PRIMARY KEY,
        sort_at timestamptz NOT NULL,
        document tsvector NOT NULL)
        WITH (toast_tuple_target = 8160)""",
    "COMMENT ON TABLE fts_article IS 'The words of titles and leads, for search'",
    "COMMENT ON COLUMN fts_article.article_id IS 'The article'",
    "COMMENT ON COLUMN fts_article.sort_at IS 'sort_at of the article'",
    "COMMENT ON COLUMN fts_article.document IS 'Words, stems, day, month, language'",
    f"CREATE FUNCTION fts_write() RETURNS trigger LANGUAGE plpgsql AS $${WRITE}$$",
    f"CREATE FUNCTION fts_rebuild() RETURNS void LANGUAGE sql AS $${REBUILD}$$",
    "SELECT fts_rebuild()",
    "CREATE INDEX ix_fts_article_sort_at ON fts_article (sort_at, article_id)",
    "CREATE INDEX ix_fts_article_document ON fts_article USING gin (document)",
    """CREATE TRIGGER fts_article_insert AFTER INSERT ON article
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION fts_write()""",
    """CREATE TRIGGER fts_article_update AFTER UPDATE ON article
        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION fts_write()""",
    """CREATE TRIGGER fts_article_delete AFTER DELETE ON article
        REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION fts_write()""",
)
POSTGRESQL_DOWN = (
    "DROP TRIGGER fts_article_delete ON article",
    "DROP TRIGGER fts_article_update ON article",
    "DROP TRIGGER fts_article_insert ON article",
    "DROP FUNCTION fts_rebuild()",
    "DROP FUNCTION fts_write()",
    "DROP TABLE fts_article",
    "DROP TABLE fts_language",
)


def upgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_UP if on_sqlite else POSTGRESQL_UP:
        op.execute(statement)


def downgrade() -> None:
    on_sqlite = op.get_context().dialect.name == "sqlite"
    for statement in SQLITE_DOWN if on_sqlite else POSTGRESQL_DOWN:
        op.execute(statement)
