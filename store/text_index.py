"""Full-text conditions on articles, in each engine's own words.

Only `Words`, `AnyOf` and `AllOf` come here, and only as bound values: on SQLite each
one is quoted for FTS5, on PostgreSQL the query is built from `phraseto_tsquery`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Select,
    column,
    func,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session

from store.engine import is_postgresql
from store.models import Article
from store.queries.rows import AnySelect
from store.query_language import AllOf, AnyOf, Part, Words, split_words

# With fewer hits than this it is quicker to sort them all than to walk through the
# articles from the newest on, which is how PostgreSQL expects to meet any word soon.
MAX_FEW = 5_000


class SqliteIndex:
    """Conditions over the FTS5 table `fts_article`."""

    _fts = table("fts_article", column("rowid"), column("rank"))

    def matches(self, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article's text matches."""
        return Article.id.in_(select(self._fts.c.rowid).where(self._match(part)))

    def finds(self, _session: Session, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article is among those whose text matches."""
        return self.matches(part)

    def newest(self, session: Session, query: Select[int]) -> Sequence[int]:
        """Return what a sorted and limited select of ids gives."""
        return session.scalars(query).all()

    def ranks(self, ids: Sequence[int], part: Part) -> AnySelect:
        """Select id and score of articles that match; higher is better."""
        return select(
            self._fts.c.rowid.label("id"), (-self._fts.c.rank).label("score")
        ).where(self._match(part), self._fts.c.rowid.in_(ids))

    def _match(self, part: Part) -> ColumnElement[bool]:
        return literal_column("fts_article").bool_op("MATCH")(_fts5(part))


def _fts5(part: Part) -> str:
    match part:
        case Words():
            # FTS5 makes a quoted string one phrase and gives it no other meaning.
            return '"' + part.text.replace('"', '""') + '"'
        case AnyOf():
            return "(" + " OR ".join(map(_fts5, part.parts)) + ")"
        case AllOf():
            return "(" + " AND ".join(map(_fts5, part.parts)) + ")"
        case _:
            raise TypeError(f"{part!r} is not text")


# Spelt as in the index, or the planner does not recognise it; the configuration is
# no bound value for the same reason.
_SIMPLE: ColumnElement[str] = literal_column("'simple'")
_SPACE: ColumnElement[str] = literal_column("' '")


class PostgresqlIndex:
    """Conditions over the expression that the GIN index holds."""

    _document = func.to_tsvector(_SIMPLE, Article.title + _SPACE + Article.lead)

    def matches(self, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article's text matches."""
        return self._document.bool_op("@@")(_tsquery(part))

    def finds(self, session: Session, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article is among those whose text matches.

        Few hits are looked up here, by the index alone: the planner thinks every word
        common enough to meet it soon on a walk through the newest articles, and so
        would parse each one of them for a word that comes once.
        """
        query = select(Article.id).where(self.matches(part)).limit(MAX_FEW + 1)
        with _by_bitmap(session):
            ids = session.scalars(query).all()
        return self.matches(part) if len(ids) > MAX_FEW else Article.id.in_(ids)

    def newest(self, session: Session, query: Select[int]) -> Sequence[int]:
        """Return what a sorted and limited select of ids gives."""
        with _by_bitmap(session):
            return session.scalars(query).all()

    def ranks(self, ids: Sequence[int], part: Part) -> AnySelect:
        """Select id and score of articles; higher is better."""
        score = func.ts_rank(self._document, _tsquery(part))
        return select(Article.id, score.label("score")).where(Article.id.in_(ids))


@contextmanager
def _by_bitmap(session: Session) -> Iterator[None]:
    """Leave the planner no way into `article` but through its bitmap indexes."""
    ways = ("enable_seqscan", "enable_indexscan")
    for way in ways:
        session.execute(text(f"SET LOCAL {way} = off"))
    yield
    for way in ways:
        session.execute(text(f"SET LOCAL {way} = on"))


def _tsquery(part: Part) -> ColumnElement[Any]:
    match part:
        case Words():
            return _phrase(part.text)
        case AnyOf():
            return reduce(
                lambda one, other: one.op("||")(other), map(_tsquery, part.parts)
            )
        case AllOf():
            return reduce(
                lambda one, other: one.op("&&")(other), map(_tsquery, part.parts)
            )
        case _:
            raise TypeError(f"{part!r} is not text")


def _phrase(text: str) -> ColumnElement[Any]:
    whole = func.phraseto_tsquery(_SIMPLE, text)
    apart = " ".join(split_words(text))
    if apart == text:
        return whole
    # PostgreSQL takes bbc.co.uk for one token and news-desk for three, so that the
    # words in a row are another query than the text as typed. FTS5 has no such
    # difference; asking for either gives both engines the same answer.
    return whole.op("||")(func.phraseto_tsquery(_SIMPLE, apart))


TextIndex: TypeAlias = SqliteIndex | PostgresqlIndex


def text_index(session: Session) -> TextIndex:
    """Return the index of the engine that the session talks to."""
    return PostgresqlIndex() if is_postgresql(session) else SqliteIndex()
