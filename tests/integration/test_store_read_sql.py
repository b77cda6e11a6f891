"""An operator's SQL reads within its limits and can do nothing else."""

import time
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from support.rows import Rows, writing

from store.errors import BadQuery
from store.readonly import SqlResult, run_sql

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

ENDLESS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT count(*) FROM n
"""
# For each way to write, or to loosen the limits, what both engines must refuse.
FORBIDDEN = [
    "INSERT INTO job (state, created_at) VALUES ('done', '2026-01-01')",
    "UPDATE article SET title = 'x'",
    "DELETE FROM article",
    "DROP TABLE article",
    "CREATE TABLE t (x int)",
    "CREATE TEMP TABLE t (x int)",
    "ATTACH DATABASE '/tmp/other.db' AS other",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "SET TRANSACTION READ WRITE",
    "SET default_transaction_read_only = off",
    "COPY article TO '/tmp/article.txt'",
    "DO $$ BEGIN DELETE FROM article; END $$",
    "SELECT 1; DELETE FROM article",
    "SELECT 1; SELECT 2",
    "WITH x AS (SELECT 1) DELETE FROM article",
    "WITH x AS (DELETE FROM article RETURNING id) SELECT * FROM x",
    "/* SELECT */ DELETE FROM article",
    "-- SELECT\nDELETE FROM article",
    "EXPLAIN ANALYZE DELETE FROM article",
    "SELECT * INTO t FROM article",
    "SELECT nextval('article_id_seq')",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT load_extension('x')",
    "",
    " ; ",
    "-- nothing",
    "SELECT '\0'",
    "SELECT nonsense FROM article",
    "WITH x AS (SELECT 1) UPDATE sqlite_master SET name = 'x'",
    "EXPLAIN SELECT 1; DELETE FROM article",
]


def run(url: str, statement: str, *, rows: int = 100, seconds: float = 15) -> SqlResult:
    return run_sql(url, statement, time_limit_seconds=seconds, row_limit=rows)


@pytest.fixture
def url(migrated_url: str) -> str:
    with writing(migrated_url) as rows:
        fill(rows)
    return migrated_url


def fill(rows: Rows) -> None:
    feed = rows.feed()
    for number in range(3):
        rows.article(feed, title=f"Title {number}")


def test_a_select_gives_columns_and_rows(url: str) -> None:
    found = run(url, "SELECT id, title AS name FROM v_articles ORDER BY id;")
    assert found.columns == ("id", "name")
    assert found.rows == ((1, "Title 0"), (2, "Title 1"), (3, "Title 2"))
    assert not found.truncated


def test_columns_are_told_where_there_are_no_rows(url: str) -> None:
    found = run(url, "SELECT id, title FROM article WHERE id < 0")
    assert (found.columns, found.rows) == (("id", "title"), ())


def test_sums_and_means_are_plain_numbers(url: str) -> None:
    ((total, mean),) = run(url, "SELECT SUM(id), AVG(id + 0.5) FROM article").rows
    assert (total, mean) == (6, 2.5)
    assert (type(total), type(mean)) == (int, float)


def test_percent_and_colon_mean_nothing_special(url: str) -> None:
    found = run(url, "SELECT title, ':x' AS y FROM article WHERE title LIKE '%1'")
    assert found.rows == (("Title 1", ":x"),)


def test_all_that_reads_is_allowed(url: str) -> None:
    for statement in (
        "VALUES (1)",
        "/* why */ -- and how\n SELECT 1",
        "WITH x AS (SELECT 1 AS i) SELECT i FROM x",
    ):
        assert run(url, statement).rows == ((1,),)
    if url.startswith("postgresql"):
        assert run(url, "(SELECT 1)").rows == ((1,),)
        assert run(url, "SHOW transaction_read_only").rows == (("on",),)


def test_a_plan_can_be_looked_at(url: str) -> None:
    assert run(url, "EXPLAIN SELECT * FROM article").rows


def test_full_text_index_and_schema_can_be_asked(url: str) -> None:
    if url.startswith("sqlite"):
        index = "SELECT rowid FROM fts_article WHERE fts_article MATCH 'title'"
        schema = "SELECT name FROM pragma_table_info('v_stories')"
    else:
        index = (
            "SELECT id FROM article WHERE to_tsvector('simple', title || ' ' || lead)"
            " @@ to_tsquery('simple', 'title')"
        )
        schema = (
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'v_stories'"
        )
    assert len(run(url, index).rows) == 3
    assert ("n_sources",) in run(url, schema).rows


def test_rows_beyond_the_limit_are_left_and_reported(url: str) -> None:
    found = run(url, "SELECT id FROM article ORDER BY id", rows=2)
    assert (found.rows, found.truncated) == (((1,), (2,)), True)
    assert not run(url, "SELECT id FROM article", rows=3).truncated


def test_nothing_but_reading_is_done(url: str) -> None:
    for statement in FORBIDDEN:
        with pytest.raises(BadQuery) as refusal:
            run(url, statement)
        assert str(refusal.value), statement
        whole = run(url, "SELECT count(*), max(title) FROM article").rows
        assert whole == ((3, "Title 2"),), statement


def test_a_refusal_says_that_only_reading_is_allowed(url: str) -> None:
    with pytest.raises(BadQuery, match="DELETE is not a statement that reads"):
        run(url, "DELETE FROM article")
    with pytest.raises(
        BadQuery, match=r"only reading is allowed|only statements that read"
    ):
        run(url, "WITH x AS (SELECT 1) DELETE FROM article")


def test_an_error_of_the_database_is_passed_on(url: str) -> None:
    with pytest.raises(BadQuery, match="nonsense"):
        run(url, "SELECT nonsense FROM article")


def test_an_endless_statement_is_stopped(url: str) -> None:
    start = time.monotonic()
    with pytest.raises(BadQuery, match=r"longer than 0\.3 s and was stopped"):
        run(url, ENDLESS, seconds=0.3)
    assert time.monotonic() - start < 10


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "none.db"
    with pytest.raises(OperationalError, match="unable to open"):
        run(f"sqlite+pysqlite:///{file}", "SELECT 1")
    assert not file.exists()


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(BadQuery, match="in memory"):
        run("sqlite+pysqlite://", "SELECT 1")


def test_an_unreachable_server_is_an_error_of_its_own() -> None:
    with pytest.raises(OperationalError):
        run("postgresql+psycopg://nobody@127.0.0.1:1/none", "SELECT 1")
