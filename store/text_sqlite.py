"""Full text on SQLite: the newest matches by way of the order in which they came.

FTS5 gives matches by row id, quickly from either end, and not by time. Articles that
came last are nearly always the newest; what came early and is new all the same is
looked up, so that the answer is exact.
"""

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    and_,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
)
from sqlalchemy.orm import Session

from store.models import Article
from store.queries.rows import AnySelect
from store.query_language import AllOf, AnyOf, Not, Part, Words
from store.within import Conditions, Within, in_time

NEWEST = (Article.sort_at.desc(), Article.id.desc())
# So many more than a page are taken by row id: a few may come out of order.
SPARE = 50
# So many articles that came out of order are looked at one by one.
MAX_STRAGGLERS = 500

_FTS = table("fts_article", column("rowid"), column("rank"))


class SqliteIndex:
    """Conditions over the FTS5 table `fts_article`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def matches(self, part: Part) -> ColumnElement[bool]:
        """Return the condition that an article's text matches."""
        match part:
            case Not():
                return not_(self.matches(part.part))
            case AnyOf() if _excludes(part):
                return or_(*map(self.matches, part.parts))
            case AllOf() if _excludes(part):
                return and_(*map(self.matches, part.parts))
            case _:
                return Article.id.in_(select(_FTS.c.rowid).where(_match(part)))

    def newest(
        self, part: Part, within: Within, rest: Conditions, *, limit: int
    ) -> Sequence[int]:
        """Return the newest articles whose text matches and that meet the rest."""
        conditions = [*rest, *in_time(within, Article.sort_at, Article.id)]
        if within.language is not None:
            conditions.append(Article.language == within.language)
        wanted = [one for one in _parts(part) if not _excludes(one)]
        conditions += [self.matches(one) for one in _parts(part) if _excludes(one)]
        if wanted:
            text = AllOf(parts=tuple(wanted))
            found = self._latest(text, within, conditions, limit)
            if found is not None:
                return found
        query = select(Article.id).where(self.matches(part), *conditions)
        return self._session.scalars(query.order_by(*NEWEST).limit(limit)).all()

    def ranks(self, ids: Sequence[int], part: Part) -> AnySelect:
        """Select id and score of articles that match; higher is better."""
        # One pass over a stretch of row ids: asked for id by id, FTS5 would count the
        # articles with each word again for each.
        return select(_FTS.c.rowid.label("id"), (-_FTS.c.rank).label("score")).where(
            _match(part),
            _FTS.c.rowid >= min(ids, default=0),
            _FTS.c.rowid <= max(ids, default=0),
            (_FTS.c.rowid + 0).in_(ids),
        )

    def _latest(
        self, part: Part, within: Within, conditions: Conditions, limit: int
    ) -> Sequence[int] | None:
        """Return the newest by row id and by time; None where the two lie far apart."""
        join = _FTS.join(Article, Article.id == _FTS.c.rowid)
        matches: AnySelect = select(Article.sort_at, Article.id).where(
            _match(part), *conditions
        )
        last = (
            matches.select_from(join)
            .where(*self._stretch(within))
            .order_by(_FTS.c.rowid.desc())
            .limit(limit + SPARE)
        )
        found = [(row.sort_at, row.id) for row in self._session.execute(last)]
        if len(found) == limit + SPARE:
            # The page may lack what is newer than its end and came before all these.
            end = sorted(found, reverse=True)[limit - 1][0]
            earliest = min(key for _, key in found)
            early = select(Article.id).where(
                Article.sort_at >= end,
                Article.id < earliest,
                *in_time(within, Article.sort_at, Article.id),
            )
            ids = self._session.scalars(early.limit(MAX_STRAGGLERS + 1)).all()
            if len(ids) > MAX_STRAGGLERS:
                return None
            if ids:
                more = matches.select_from(join).where(_FTS.c.rowid.in_(ids))
                found += [(row.sort_at, row.id) for row in self._session.execute(more)]
        return [key for _, key in sorted(found, reverse=True)[:limit]]

    def _stretch(self, within: Within) -> Conditions:
        """Return the bounds in row ids that the bounds in time come to."""
        conditions: list[ColumnElement[bool]] = []
        if within.since is not None:
            first = select(func.min(Article.id)).where(Article.sort_at >= within.since)
            conditions.append(_FTS.c.rowid >= (self._session.scalar(first) or 0))
        if within.newest is not None:
            last = select(func.max(Article.id)).where(Article.sort_at <= within.newest)
            conditions.append(_FTS.c.rowid <= (self._session.scalar(last) or 0))
        return conditions


def _parts(part: Part) -> Sequence[Part]:
    return part.parts if isinstance(part, AllOf) else (part,)


def _excludes(part: Part) -> bool:
    match part:
        case Not():
            return True
        case AnyOf() | AllOf():
            return any(map(_excludes, part.parts))
        case _:
            return False


def _match(part: Part) -> ColumnElement[bool]:
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
