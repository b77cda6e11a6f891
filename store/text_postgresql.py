"""Full text on PostgreSQL: the newest matches without reading all of them.

The index gives articles in no order, and the order of time says nothing of words. Of a
rare word all articles are read; a common one is met soon on a walk from the newest on;
between the two, and for phrases of common words, the index is asked for one window of
time after the other, until the page is full.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    ColumnElement,
    any_,
    cast,
    column,
    exists,
    func,
    literal,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from store.lexemes import any_mark, look_up, tsquery
from store.models import Article
from store.models.base import UtcDateTime
from store.queries.rows import AnySelect
from store.query_language import AllOf, Not, Part, Words
from store.windows import Archive, archive_of, expected_rows, without
from store.within import Conditions, Within, in_time

# So many matches are read and put in order at once, some 2 microseconds each.
MAX_FEW = 4_000
# So many candidates the first window should have; each next one has four times more.
FIRST_WINDOW = 1_500
GROWTH = 4
# So many of the newest articles are looked at one by one before the index is asked.
WALKED = 3_000
# A window that holds too many matches and is as short as this share of the archive is
# not made shorter.
MIN_SHARE = 0.000_1
# Exact spelling first: weights of D, C, B and A. Stems are A.
_WEIGHTS = [1.0, 0.0, 0.0, 0.5]

_FTS = table(
    "fts_article",
    column("article_id", BigInteger),
    column("sort_at", UtcDateTime()),
    column("document", TSVECTOR),
)


class PostgresqlIndex:
    """Conditions over the table `fts_article`; it is made for one query."""

    def __init__(
        self, session: Session, words: Iterable[Words], language: str | None
    ) -> None:
        self._session = session
        self._spellings = look_up(session, words, language=language)

    def matches(self, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article's text matches."""
        # Looked up by key for each article that is met: by itself PostgreSQL would
        # rather collect all that match first.
        return exists(
            select(_FTS.c.article_id).where(
                _FTS.c.article_id == Article.id, _has(self._query(part))
            )
        )

    def newest(
        self, part: Part, within: Within, rest: Conditions, *, limit: int
    ) -> Sequence[int]:
        """Return the newest articles whose text matches and that meet the rest."""
        query = self._query(part)
        if within.language is not None:
            query += f" & {any_mark([within.language])}"
        if _excludes_only(part):
            return self._walk(query, within, rest, limit)
        expected = self._expected(query)
        if expected <= MAX_FEW:
            found = self._pick(query, within, rest, limit)
            if found is not None:
                return found
            expected = 2 * MAX_FEW
        archive = None if rest else archive_of(self._session)
        if archive is None:
            return self._walk(query, within, rest, limit)
        return self._by_windows(query, within, archive, expected, limit)

    def ranks(self, ids: Sequence[int], part: Part) -> AnySelect:
        """Select id and score of articles; higher is better."""
        query = _tsquery(tsquery(part, lambda one: self._spellings[one].ranks))
        weights = literal(_WEIGHTS, ARRAY(REAL))
        score = func.ts_rank(weights, _FTS.c.document, query)
        among = _FTS.c.article_id == any_(literal(list(ids), ARRAY(BigInteger)))
        return select(_FTS.c.article_id.label("id"), score.label("score")).where(among)

    def _query(self, part: Part) -> str:
        return tsquery(part, lambda one: self._spellings[one].matches)

    def _expected(self, query: str) -> float:
        """Return how many articles the planner thinks match."""
        return expected_rows(
            self._session, select(_FTS.c.article_id).where(_has(query))
        )

    def _pick(
        self, query: str, within: Within, rest: Conditions, limit: int
    ) -> Sequence[int] | None:
        """Read all that match and keep the newest; None where they are too many."""
        most = max(MAX_FEW, 3 * limit)
        found = (
            select(_FTS.c.article_id, _FTS.c.sort_at)
            .where(_has(query))
            .limit(most + 1)
            .cte("found")
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
        page: AnySelect = select(found.c.article_id)
        if rest:
            page = page.join(Article, Article.id == found.c.article_id).where(*rest)
        page = page.where(*in_time(within, found.c.sort_at, found.c.article_id))
        page = page.order_by(found.c.sort_at.desc(), found.c.article_id.desc())
        kept = page.limit(limit).subquery()
        counted = select(func.count().label("n")).select_from(found).subquery()
        both = select(counted.c.n, kept.c.article_id).select_from(
            counted.outerjoin(kept, true())
        )
        with without(self._session, "seqscan"):
            rows = self._session.execute(both).all()
        if rows[0].n > most:
            return None
        return [row.article_id for row in rows if row.article_id is not None]

    def _walk(
        self, query: str, within: Within, rest: Conditions, limit: int
    ) -> Sequence[int]:
        """Go from the newest article on until the page is full."""
        moment, key = (
            (Article.sort_at, Article.id)
            if rest
            else (_FTS.c.sort_at, _FTS.c.article_id)
        )
        found: AnySelect = select(key).where(_has(query), *rest)
        if rest:
            found = found.join(_FTS, _FTS.c.article_id == Article.id)
        found = found.where(*in_time(within, moment, key))
        found = found.order_by(moment.desc(), key.desc()).limit(limit)
        # A bitmap would have to be read to its end before the first article is known.
        with without(self._session, "seqscan", "bitmapscan"):
            return self._session.scalars(found).all()

    def _walk_some(self, query: str, within: Within, limit: int) -> Sequence[int]:
        """Return the matches among the newest articles."""
        order = (_FTS.c.sort_at.desc(), _FTS.c.article_id.desc())
        newest = select(_FTS).where(*in_time(within, _FTS.c.sort_at, _FTS.c.article_id))
        some = newest.order_by(*order).limit(WALKED).subquery()
        found = select(some.c.article_id).where(
            some.c.document.bool_op("@@")(_tsquery(query))
        )
        found = found.order_by(some.c.sort_at.desc(), some.c.article_id.desc())
        with without(self._session, "seqscan", "bitmapscan"):
            return self._session.scalars(found.limit(limit)).all()

    def _by_windows(
        self,
        query: str,
        within: Within,
        archive: Archive,
        expected: float,
        limit: int,
    ) -> Sequence[int]:
        """Ask for one window of time after the other, the newest first."""
        if expected / archive.n_articles * WALKED >= limit:
            newest = self._walk_some(query, within, limit)
            if len(newest) == limit:
                return newest
        found: list[int] = []
        share = max(FIRST_WINDOW, 1.5 * limit) / expected
        place, until = archive.share_after(within.newest), None
        while len(found) < limit:
            since = archive.moment_at(place + share)
            page = self._in_window(query, within, archive, (since, until), limit)
            if page is None and share < MIN_SHARE:
                return self._walk(query, within, (), limit)
            if page is None:
                share /= GROWTH
                continue
            found += page
            if since is None or (within.since and since <= within.since):
                break
            place, until, share = place + share, since, GROWTH * share
        return found[:limit]

    def _in_window(
        self,
        query: str,
        within: Within,
        archive: Archive,
        window: tuple[datetime | None, datetime | None],
        limit: int,
    ) -> Sequence[int] | None:
        since, until = window
        marks = archive.marks(since, until or within.newest)
        if marks:
            query += f" & {any_mark(marks)}"
        within = within.narrowed(since=since, until=until)
        return self._pick(query, within, (), limit)


def _excludes_only(part: Part) -> bool:
    match part:
        case Not():
            return True
        case AllOf():
            return all(map(_excludes_only, part.parts))
        case _:
            return False


def _has(query: str) -> ColumnElement[bool]:
    return _FTS.c.document.bool_op("@@")(_tsquery(query))


def _tsquery(query: str) -> ColumnElement[str]:
    return cast(literal(query), TSQUERY)
