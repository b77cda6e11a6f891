"""Full-text search over title and lead: one language, the same on both engines."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, literal_column, not_, or_, select
from sqlalchemy.orm import Session

from store.errors import BadQuery
from store.models import Article
from store.queries.articles import (
    ArticleLine,
    article_line,
    names_entity,
    newest_first,
    select_lines,
)
from store.queries.cursors import Cursor
from store.queries.rows import AnySelect
from store.query_language import (
    AllOf,
    AnyOf,
    Filter,
    LanguageIs,
    Names,
    Not,
    Part,
    Since,
    SourceIs,
    Until,
    Words,
    parse_query,
)
from store.text_index import TextIndex, text_index

# Ranking reads each candidate's text, and neither engine can stop early: on a common
# word it took 458 ms for 100,000 rows where the newest took 10.
MAX_RANKED = 1_000
SNIPPET_CHARS = 160


class Order(StrEnum):
    """What comes first."""

    NEWEST = "newest"
    RELEVANCE = "relevance"  # among the newest 1,000 that match


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """An article that was found, and the place in its lead that says why."""

    article: ArticleLine
    snippet: str
    score: float | None  # higher is better; None in the order of time


def search(  # noqa: PLR0913 - one keyword an option
    session: Session,
    query: str,
    *,
    now: datetime,
    order: Order = Order.NEWEST,
    limit: int = 20,
    before: Cursor | None = None,
) -> tuple[SearchHit, ...]:
    """Return articles that match a query.

    Args:
        session: To read with.
        query: In the language of `query_language`.
        now: What `since:24h` counts back from.
        order: What comes first.
        limit: Most hits to return.
        before: Where the last page ended; for the newest-first order only.

    Raises:
        BadQuery: The query cannot be understood, or cannot be paged.
    """
    tree = parse_query(query, now=now)
    words = tuple(_looked_for(tree))
    index = text_index(session)
    condition = _condition(tree, index)
    if order == Order.RELEVANCE and before is not None:
        raise BadQuery("only the newest-first order can be paged")
    if order == Order.RELEVANCE and words:
        statement = _ranked(condition, index, AnyOf(parts=words), limit)
    else:
        lines = select_lines(Article.lead, literal_column("NULL").label("score"))
        statement = newest_first(lines.where(condition), limit=limit, before=before)
    return tuple(
        SearchHit(
            article=article_line(row),
            snippet=_snippet(row["lead"], words),
            score=row["score"],
        )
        for row in session.execute(statement).mappings()
    )


def _looked_for(part: Part) -> list[Words]:
    match part:
        case Words():
            return [part]
        case AnyOf() | AllOf():
            return [words for inner in part.parts for words in _looked_for(inner)]
        case _:
            return []


def _condition(part: Part, index: TextIndex) -> ColumnElement[bool]:
    match part:
        case Words():
            return index.matches(part)
        case Not():
            return not_(_condition(part.part, index))
        case AllOf():
            return and_(*_conditions(part, index))
        case AnyOf():
            return or_(*_conditions(part, index))
        case _:
            return _filter(part)


def _filter(part: Filter) -> ColumnElement[bool]:
    match part:
        case SourceIs():
            return Article.source == part.source
        case LanguageIs():
            return Article.language == part.language
        case Names():
            return names_entity(part.entity)
        case Since():
            return Article.sort_at >= part.moment
        case Until():
            return Article.sort_at < part.moment


def _conditions(part: AllOf | AnyOf, index: TextIndex) -> list[ColumnElement[bool]]:
    """Return a condition a part, with all that is text in one question to the index."""
    text = tuple(one for one in part.parts if _is_text(one))
    conditions = [_condition(one, index) for one in part.parts if one not in text]
    return [index.matches(type(part)(parts=text)), *conditions] if text else conditions


def _is_text(part: Part) -> bool:
    match part:
        case Words():
            return True
        case AnyOf() | AllOf():
            return all(map(_is_text, part.parts))
        case _:
            return False


def _ranked(
    condition: ColumnElement[bool], index: TextIndex, words: AnyOf, limit: int
) -> AnySelect:
    newest = newest_first(
        select(Article.id).where(condition), limit=MAX_RANKED, before=None
    )
    ranks = index.ranks(newest, words).subquery()
    return (
        select_lines(Article.lead, ranks.c.score)
        .join(ranks, ranks.c.id == Article.id)
        .order_by(ranks.c.score.desc(), Article.sort_at.desc(), Article.id.desc())
        .limit(limit)
    )


def _snippet(lead: str, words: tuple[Words, ...]) -> str:
    """Return the piece of the lead around the first of the words."""
    folded = lead.casefold()
    places = (folded.find(one.text.casefold()) for one in words)
    place = min((place for place in places if place >= 0), default=0)
    start = max(0, place - SNIPPET_CHARS // 3)
    if start:
        # A cut word at the front reads like a misprint.
        start = lead.find(" ", start, place) + 1 or start
    piece = " ".join(lead[start : start + SNIPPET_CHARS].split())
    before = "… " if start else ""
    after = " …" if start + SNIPPET_CHARS < len(lead) else ""
    return before + piece + after
