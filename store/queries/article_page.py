"""One article with all that is known of it: where it is, and why."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from enrich.messages import Stage
from store.errors import BadQuery, NotFound
from store.models import (
    ActivePipeline,
    Article,
    ArticleEntity,
    Enrichment,
    Entity,
    Entry,
    Feed,
    Pipeline,
    Revision,
)
from store.pipelines import active
from store.queries.articles import ArticleLine, article_line, select_lines
from store.queries.duplicates import DuplicateLine, list_duplicates
from store.queries.pages import PageLine, find_page
from store.queries.rows import read
from store.queries.stories import StoryLine, find_story
from store.queries.work import WorkState, work_state

# Shorter ones would match by chance.
MIN_UID_CHARS = 6
# A page with more copies than this is about a template; the list view has them all.
MAX_COPIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionLine:
    """One text of the article."""

    number: int
    title: str
    n_chars: int
    extractor: str
    confidence: float
    document_sha256: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """One place where the article was found."""

    entry_id: int
    feed_id: int
    feed: str  # its title, or else its address
    feed_url: str
    key: str
    link: str | None  # of a file: its address
    outcome: str
    first_seen_at: datetime
    changed_at: datetime
    published_at: datetime | None
    published_raw: str | None
    published_from: str | None
    published_confidence: float | None
    updated_at: datetime | None
    updated_raw: str | None
    language: str | None  # as declared
    authors: list[str] | None
    categories: list[str] | None
    enclosures: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityOfArticle:
    """Who or what the article names."""

    key: str
    name: str
    kind: str
    n_mentions: int
    salience: float  # made of the number of mentions and of these
    in_title: bool | None
    in_opening: bool | None
    lateness: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A pipeline that a text of the article has been through."""

    stage: str
    name: str
    version: str
    active: bool
    revision: int
    status: str
    enriched_at: datetime
    pass_number: int
    n_passes: int  # how many there will be


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePage:
    """Everything about one article."""

    article: ArticleLine
    text: str
    confidence: float  # that title and text are what a person would choose
    published_raw: str | None
    published_from: str | None
    language_score: float | None
    language_origin: str | None
    revisions: tuple[RevisionLine, ...]  # the latest first
    appearances: tuple[Appearance, ...]  # the first one first
    entities: tuple[EntityOfArticle, ...]  # the most telling first
    copy_of: DuplicateLine | None
    copies: tuple[DuplicateLine, ...]
    story: StoryLine | None
    pipelines: tuple[Ledger, ...]  # the latest first
    work: WorkState
    page: PageLine | None  # where its full text was looked for


def get_article(session: Session, ref: str) -> ArticlePage:
    """Return the page of an article.

    Args:
        session: To read with.
        ref: Its id, the start of its uid, or an address under which it was found.

    Raises:
        NotFound: There is no such article.
        BadQuery: Several uids start like this.
    """
    article_id = find_article(session, ref)
    row = _row(session, article_id)
    article = article_line(row)
    revisions = _revisions(session, article_id)
    verdicts = list_duplicates(session, article_id=article_id)
    return ArticlePage(
        article=article,
        text=row["text"],
        confidence=row["confidence"],
        published_raw=row["published_raw"],
        published_from=row["published_from"],
        language_score=row["language_score"],
        language_origin=row["language_origin"],
        revisions=revisions,
        appearances=_appearances(session, article_id),
        entities=_entities(session, article_id),
        copy_of=verdicts[0] if verdicts else None,
        copies=list_duplicates(session, original_id=article_id, limit=MAX_COPIES),
        story=find_story(session, article.story_id) if article.story_id else None,
        pipelines=_ledger(session, article_id),
        work=work_state(session, article_id),
        page=find_page(session, article_id),
    )


def find_article(session: Session, ref: str) -> int:
    """Return the id of an article.

    Args:
        session: To read with.
        ref: Its id, the start of its uid, or an address under which it was found.

    Raises:
        NotFound: There is no such article.
        BadQuery: Several uids start like this.
    """
    ref = ref.strip()
    # Nineteen digits always fit a 64-bit key; more of them can only be a uid.
    if re.fullmatch(r"[0-9]{1,18}", ref):
        found = session.scalar(select(Article.id).where(Article.id == int(ref)))
        if found is not None:
            return found
    if re.fullmatch(rf"[0-9a-f]{{{MIN_UID_CHARS},64}}", ref.lower()):
        return _find_by_uid(session, ref.lower())
    if ":" in ref:
        return _find_by_url(session, ref)
    raise NotFound("article", ref)


def _find_by_uid(session: Session, start: str) -> int:
    # "g" follows the last hexadecimal digit: a range that the unique index serves.
    query = select(Article.id).where(Article.uid >= start, Article.uid < start + "g")
    found = session.scalars(query.limit(2)).all()
    if not found:
        raise NotFound("article", start)
    if len(found) > 1:
        raise BadQuery(f"several articles have a uid that starts with {start}")
    return found[0]


def _find_by_url(session: Session, url: str) -> int:
    if not url.isprintable():  # no stored address has such characters
        raise NotFound("article", ascii(url))
    newest = (Article.sort_at.desc(), Article.id.desc())
    by_page = select(Article.id).where(Article.url == url).order_by(*newest)
    by_link = (
        select(Article.id)
        .join(Entry, Entry.article_id == Article.id)
        .where(Entry.link == url)
        .order_by(*newest)
    )
    for query in (by_page, by_link):
        found = session.scalar(query.limit(1))
        if found is not None:
            return found
    raise NotFound("article", url)


def _row(session: Session, article_id: int) -> Any:
    query = (
        select_lines(
            Article.published_raw,
            Article.published_from,
            Article.language_score,
            Article.language_origin,
            Revision.text,
            Revision.confidence,
        )
        .join(
            Revision,
            and_(
                Revision.article_id == Article.id,
                Revision.number == Article.current_revision,
            ),
        )
        .where(Article.id == article_id)
    )
    return session.execute(query).mappings().one()


def _revisions(session: Session, article_id: int) -> tuple[RevisionLine, ...]:
    query = (
        select(
            Revision.number,
            Revision.title,
            func.length(Revision.text).label("n_chars"),
            Revision.extractor,
            Revision.confidence,
            Revision.document_sha256,
            Revision.created_at,
        )
        .where(Revision.article_id == article_id)
        .order_by(Revision.number.desc())
    )
    return read(session, RevisionLine, query)


def _appearances(session: Session, article_id: int) -> tuple[Appearance, ...]:
    query = (
        select(
            Entry.id.label("entry_id"),
            Entry.feed_id,
            func.coalesce(Feed.title, Feed.url).label("feed"),
            Feed.url.label("feed_url"),
            Entry.key,
            func.coalesce(Entry.link, Entry.key).label("link"),
            Entry.outcome,
            Entry.first_seen_at,
            Entry.changed_at,
            Entry.published_at,
            Entry.published_raw,
            Entry.published_from,
            Entry.published_confidence,
            Entry.updated_at,
            Entry.updated_raw,
            Entry.language,
            Entry.authors,
            Entry.categories,
            Entry.enclosures,
        )
        .join(Feed, Feed.id == Entry.feed_id)
        .where(Entry.article_id == article_id)
        .order_by(Entry.first_seen_at, Entry.id)
    )
    return read(session, Appearance, query)


def _entities(session: Session, article_id: int) -> tuple[EntityOfArticle, ...]:
    query = (
        select(
            Entity.key,
            Entity.name,
            Entity.kind,
            ArticleEntity.n_mentions,
            ArticleEntity.salience,
            ArticleEntity.in_title,
            ArticleEntity.in_opening,
            ArticleEntity.lateness,
        )
        .join(Entity, Entity.id == ArticleEntity.entity_id)
        .where(ArticleEntity.article_id == article_id)
        .where(ArticleEntity.pipeline_id == active(Stage.ENTITIES))
        .order_by(
            ArticleEntity.salience.desc(), ArticleEntity.n_mentions.desc(), Entity.key
        )
    )
    return read(session, EntityOfArticle, query)


def _ledger(session: Session, article_id: int) -> tuple[Ledger, ...]:
    query = (
        select(
            Pipeline.stage,
            Pipeline.name,
            Pipeline.version,
            ActivePipeline.pipeline_id.is_not(None).label("active"),
            Enrichment.revision,
            Enrichment.status,
            Enrichment.enriched_at,
            Enrichment.pass_number,
            Pipeline.n_passes,
        )
        .join(Pipeline, Pipeline.id == Enrichment.pipeline_id)
        .outerjoin(ActivePipeline, ActivePipeline.pipeline_id == Pipeline.id)
        .where(Enrichment.article_id == article_id)
        .order_by(Enrichment.enriched_at.desc(), Pipeline.stage, Pipeline.id)
    )
    return read(session, Ledger, query)
