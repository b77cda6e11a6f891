"""Full-text conditions on articles, in each engine's own words.

Only `Words`, `AnyOf` and `AllOf` come here, and only as bound values: on SQLite each
one is quoted for FTS5, on PostgreSQL the query is built from `phraseto_tsquery`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ClauseElement,
    ColumnElement,
    Executable,
    any_,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session

from store.engine import is_postgresql
from store.models import Article
from store.queries.rows import AnySelect
from store.query_language import AllOf, AnyOf, Part, Words, split_words

Conditions: TypeAlias = Sequence[ColumnElement[bool]]

# So many articles are looked up and put in order at once; where more have the words,
# it is quicker to walk from the newest on until a page is full.
MAX_FEW = 3_000
NEWEST = (Article.sort_at.desc(), Article.id.desc())


class SqliteIndex:
    """Conditions over the FTS5 table `fts_article`."""

    _fts = table("fts_article", column("rowid"), column("rank"))

    def matches(self, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article's text matches."""
        return Article.id.in_(select(self._fts.c.rowid).where(self._match(part)))

    def newest(
        self, session: Session, part: Part, rest: Conditions, *, limit: int
    ) -> Sequence[int]:
        """Return the newest articles whose text matches and that meet the rest."""
        query = select(Article.id).where(self.matches(part), *rest)
        return session.scalars(query.order_by(*NEWEST).limit(limit)).all()

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
    """Conditions over the expression that the GIN index holds.

    The index knows which words an article has and not where: whether they stand in a
    row is read from the text, at some 50 microseconds an article. What follows is
    about reading few of them.
    """

    _text = Article.title + _SPACE + Article.lead

    def matches(self, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article's text matches."""
        return _document(self._text).bool_op("@@")(_tsquery(part, _in_a_row))

    def newest(
        self, session: Session, part: Part, rest: Conditions, *, limit: int
    ) -> Sequence[int]:
        """Return the newest articles whose text matches and that meet the rest."""
        few = self._few(session, part)
        if few is None:
            return self._walk(session, part, rest, limit)
        have_words = select(Article.id, Article.sort_at, self._text.label("text"))
        have_words = have_words.where(_among(few), *rest)
        # OFFSET keeps the order inside: without it every text would be read, and not
        # only as many as fill the page.
        line = have_words.order_by(*NEWEST).offset(0).subquery()
        in_a_row = _document(line.c.text).bool_op("@@")(_tsquery(part, _in_a_row))
        query = select(line.c.id).where(*_pattern(line.c.text, part), in_a_row)
        return session.scalars(query.limit(limit)).all()

    def _few(self, session: Session, part: Part) -> Sequence[int] | None:
        """Return the articles that have the words, or None where they are many."""
        have_words = _document(self._text).bool_op("@@")(_tsquery(part, _anywhere))
        query = select(Article.id).where(have_words)
        # Asking how many would be read takes less than reading that a word is common.
        (plan,) = session.scalar(_Explain(query)) or [{}]
        if plan["Plan"]["Plan Rows"] > 2 * MAX_FEW:
            return None
        # The planner thinks every word common enough to meet it soon on a walk through
        # the articles, and so would parse each one of them for a word that comes once.
        with _without(session, "seqscan", "indexscan"):
            ids = session.scalars(query.limit(MAX_FEW + 1)).all()
        return ids if len(ids) <= MAX_FEW else None

    def _walk(
        self, session: Session, part: Part, rest: Conditions, limit: int
    ) -> Sequence[int]:
        matches = (*_pattern(self._text, part), self.matches(part), *rest)
        query = select(Article.id).where(*matches).order_by(*NEWEST).limit(limit)
        # A bitmap would have to be read to its end before the first article is known.
        with _without(session, "seqscan", "bitmapscan"):
            return session.scalars(query).all()

    def ranks(self, ids: Sequence[int], part: Part) -> AnySelect:
        """Select id and score of articles; higher is better."""
        query = _tsquery(part, _in_a_row)
        score = func.ts_rank(_document(self._text), query)
        return select(Article.id, score.label("score")).where(_among(ids))


def _among(ids: Sequence[int]) -> ColumnElement[bool]:
    # One array: thousands of values in a list take longer to plan than to find.
    return Article.id == any_(literal(list(ids), ARRAY(BigInteger)))


def _document(words: ColumnElement[str]) -> ColumnElement[Any]:
    return func.to_tsvector(_SIMPLE, words)


class _Explain(Executable, ClauseElement):
    """How PostgreSQL would answer a select, without the answer."""

    inherit_cache = False

    def __init__(self, query: AnySelect) -> None:
        self.query = query


@compiles(_Explain, "postgresql")
def _explain(element: _Explain, compiler: Any, **options: Any) -> str:
    return "EXPLAIN (FORMAT JSON) " + str(compiler.process(element.query, **options))


@contextmanager
def _without(session: Session, *ways: str) -> Iterator[None]:
    """Leave the planner other ways into a table than these."""
    for way in ways:
        session.execute(text(f"SET LOCAL enable_{way} = off"))
    yield
    for way in ways:
        session.execute(text(f"SET LOCAL enable_{way} = on"))


def _tsquery(part: Part, words: Callable[[str], ColumnElement[Any]]) -> Any:
    match part:
        case Words():
            return _either(part.text, words)
        case AnyOf():
            queries = (_tsquery(one, words) for one in part.parts)
            return reduce(lambda one, other: one.op("||")(other), queries)
        case AllOf():
            queries = (_tsquery(one, words) for one in part.parts)
            return reduce(lambda one, other: one.op("&&")(other), queries)
        case _:
            raise TypeError(f"{part!r} is not text")


def _either(text: str, words: Callable[[str], ColumnElement[Any]]) -> Any:
    apart = " ".join(split_words(text))
    if apart == text:
        return words(text)
    # PostgreSQL takes bbc.co.uk for one token and news-desk for three, so that the
    # words in a row are another query than the text as typed. FTS5 has no such
    # difference; asking for either gives both engines the same answer.
    return words(text).op("||")(words(apart))


def _in_a_row(text: str) -> ColumnElement[Any]:
    return func.phraseto_tsquery(_SIMPLE, text)


def _anywhere(text: str) -> ColumnElement[Any]:
    return func.plainto_tsquery(_SIMPLE, text)


# Letters that PostgreSQL makes lower to these two, but not upper from them.
_OTHER_CASES = {"i": "[i\u0130]", "k": "[k\u212a]"}


def _pattern(text: ColumnElement[str], part: Part) -> list[ColumnElement[bool]]:
    """Return what a matching text must look like: a look costs 2 microseconds."""
    match part:
        case Words():
            words = [word.lower() for word in split_words(part.text)]
            if not all(word.isascii() for word in words):
                return []  # what else becomes these letters is for the index to say
            spelt = ("".join(_OTHER_CASES.get(c, c) for c in word) for word in words)
            return [text.bool_op("~*")("[^[:alnum:]]+".join(spelt))]
        case AllOf():
            return [one for inner in part.parts for one in _pattern(text, inner)]
        case _:
            return []


TextIndex: TypeAlias = SqliteIndex | PostgresqlIndex


def text_index(session: Session) -> TextIndex:
    """Return the index of the engine that the session talks to."""
    return PostgresqlIndex() if is_postgresql(session) else SqliteIndex()
