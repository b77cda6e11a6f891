"""Full-text search over title and lead: one language, the same on both engines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, literal_column, not_, or_, select
from sqlalchemy.orm import Session

from enrich.messages import Stage
from store.errors import BadQuery
from store.live import living
from store.models import Article, StoryMember
from store.pipelines import active
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
    InStory,
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
from store.within import Within, in_time

# Ranking reads each candidate's text, and neither engine can stop early: on a common
# word it took 458 ms for 100,000 rows where the newest took 10.
MAX_RANKED = 1_000
SNIPPET_CHARS = 160
MIN_STEM_CHARS = 4  # shorter beginnings are those of other words


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
    if order == Order.RELEVANCE and before is not None:
        raise BadQuery("only the newest-first order can be paged")
    words = tuple(_looked_for(tree))
    within, rest = _bounds(tree, before)
    every = [*words, *_excluded(tree)]
    index = text_index(session, every, language=within.language)
    if order == Order.RELEVANCE and words:
        newest = _newest(session, rest, index, within, MAX_RANKED)
        statement = _ranked(index.ranks(newest, AnyOf(parts=words)), limit)
    else:
        newest = _newest(session, rest, index, within, limit)
        lines = select_lines(Article.lead, literal_column("NULL").label("score"))
        lines = lines.where(Article.id.in_(newest))
        statement = newest_first(lines, limit=limit, before=None)
    return tuple(
        SearchHit(
            article=article_line(row),
            snippet=_snippet(row["lead"], words),
            score=row["score"],
        )
        for row in session.execute(statement).mappings()
    )


def _bounds(tree: AllOf, before: Cursor | None) -> tuple[Within, list[Part]]:
    """Return what bounds the whole search, and the other parts."""
    within = Within(before=before)
    rest: list[Part] = []
    for part in tree.parts:
        match part:
            case Since():
                within = within.narrowed(since=part.moment, until=None)
            case Until():
                within = within.narrowed(since=None, until=part.moment)
            case LanguageIs() if within.language in {None, part.language}:
                within = replace(within, language=part.language)
            case _:
                rest.append(part)
    return within, rest


def _newest(
    session: Session,
    parts: Sequence[Part],
    index: TextIndex,
    within: Within,
    limit: int,
) -> Sequence[int]:
    """Return the newest articles that match, with all that is text asked at once."""
    text = tuple(part for part in parts if _is_text(part))
    rest = [_condition(part, index, session) for part in parts if not _is_text(part)]
    if text:
        return index.newest(AllOf(parts=text), within, rest, limit=limit)
    rest += in_time(within, Article.sort_at, Article.id)
    if within.language is not None:
        rest.append(Article.language == within.language)
    query = newest_first(select(Article.id).where(*rest), limit=limit, before=None)
    return session.scalars(query).all()


def _looked_for(part: Part) -> list[Words]:
    match part:
        case Words():
            return [part]
        case AnyOf() | AllOf():
            return [words for inner in part.parts for words in _looked_for(inner)]
        case _:
            return []


def _excluded(part: Part) -> list[Words]:
    match part:
        case Not():
            return _looked_for(part.part)
        case AnyOf() | AllOf():
            return [words for inner in part.parts for words in _excluded(inner)]
        case _:
            return []


def _condition(part: Part, index: TextIndex, session: Session) -> ColumnElement[bool]:
    match part:
        case Words():
            return index.matches(part)
        case Not():
            return not_(_condition(part.part, index, session))
        case AllOf():
            return and_(*(_condition(one, index, session) for one in part.parts))
        case AnyOf():
            return or_(*(_condition(one, index, session) for one in part.parts))
        case _:
            return _filter(part, session)


def _filter(part: Filter, session: Session) -> ColumnElement[bool]:
    match part:
        case SourceIs():
            return Article.source == part.source
        case LanguageIs():
            return Article.language == part.language
        case Names():
            return names_entity(session, part.entity)
        case InStory():
            return Article.id.in_(
                select(StoryMember.article_id).where(
                    StoryMember.story_id == living(part.story_id),
                    StoryMember.pipeline_id == active(Stage.STORIES),
                )
            )
        case Since():
            return Article.sort_at >= part.moment
        case Until():
            return Article.sort_at < part.moment


def _is_text(part: Part) -> bool:
    match part:
        case Words():
            return True
        case Not():
            return _is_text(part.part)
        case AnyOf() | AllOf():
            return all(map(_is_text, part.parts))
        case _:
            return False


def _ranked(ranks: AnySelect, limit: int) -> AnySelect:
    best = ranks.subquery()
    return (
        select_lines(Article.lead, best.c.score)
        .join(best, best.c.id == Article.id)
        .order_by(best.c.score.desc(), Article.sort_at.desc(), Article.id.desc())
        .limit(limit)
    )


def _snippet(lead: str, words: tuple[Words, ...]) -> str:
    """Return the piece of the lead around the first of the words."""
    folded = lead.casefold()
    places = [_place(folded, one) for one in words]
    place = min((place for place in places if place >= 0), default=0)
    start = max(0, place - SNIPPET_CHARS // 3)
    if start:
        # A cut word at the front reads like a misprint.
        start = lead.find(" ", start, place) + 1 or start
    piece = " ".join(lead[start : start + SNIPPET_CHARS].split())
    before = "… " if start else ""
    after = " …" if start + SNIPPET_CHARS < len(lead) else ""
    return before + piece + after


def _place(folded: str, words: Words) -> int:
    """Return where the words stand, or else how a word of that stem begins."""
    wanted = words.text.casefold()
    shortest = len(wanted) if words.exact else min(MIN_STEM_CHARS, len(wanted))
    for size in range(len(wanted), shortest - 1, -1):
        place = folded.find(wanted[:size])
        if place >= 0:
            return place
    return -1
