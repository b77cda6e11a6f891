"""What a worker found out about articles: ledger and results in one transaction.

The ledger row and the results it stands for are written together, and only where the
ledger had no such row: a second delivery finds nothing left to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrich.messages import (
    ArticleFailed,
    ArticlesEnriched,
    EnrichedArticle,
    EntitiesStatus,
    Pipeline,
    Stage,
)
from store import pending
from store.batches import update_rows
from store.clauses import VERDICTS_LOCK, alone, insert_into, locked
from store.copies import settle_copies
from store.entities import Found, save_entities
from store.judge import Judge
from store.live import Placed
from store.marks import Marked
from store.models import Article, Enrichment
from store.pipelines import register
from store.stories import place_articles
from store.words import EnrichStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What became of the results in one message."""

    n_saved: int  # articles of which something new was written
    n_repeated: int  # articles of which everything was there already
    n_superseded: int  # articles whose text has changed meanwhile
    n_failed: int


def save_enrichment(
    session: Session,
    event: ArticlesEnriched,
    *,
    judge: Judge,
    now: datetime,
    max_attempts: int,
) -> Saved:
    """Store results and settle copies and stories; a redelivery changes nothing."""
    alone(session, VERDICTS_LOCK)
    rows = _lock_articles(session, event)
    wanted = [
        one
        for one in event.articles
        if one.article_id in rows
        and rows[one.article_id].current_revision == one.revision
    ]
    # An article that is named twice is written once.
    current = list({one.article_id: one for one in reversed(wanted)}.values())
    ids = register(session, event.pipelines, now=now)
    fresh = _write_ledger(session, current, ids, event.enriched_at)
    for pipeline in event.pipelines:
        news = [one for one in current if (one.article_id, pipeline.stage) in fresh]
        if news:
            context = _Context(ids[pipeline], rows, judge, now)
            _SAVERS[pipeline.stage](session, news, context)
    pending.finish_articles(
        session, {one.article_id: one.revision for one in current}, now=now
    )
    failures = [_failure(one) for one in event.failed]
    pending.fail_articles(session, failures, now=now, max_attempts=max_attempts)
    n_saved = len({article_id for article_id, _ in fresh})
    return Saved(
        n_saved=n_saved,
        n_repeated=len(wanted) - n_saved,
        n_superseded=len(event.articles) - len(wanted),
        n_failed=len(failures),
    )


def _failure(failed: ArticleFailed) -> pending.Failure:
    return pending.Failure(
        article_id=failed.article_id,
        revision=failed.revision,
        error=failed.error,
        detail=failed.detail,
    )


def _lock_articles(session: Session, event: ArticlesEnriched) -> dict[int, Any]:
    columns = (Article.id, Article.current_revision, Article.sort_at, Article.title)
    query = (
        select(*columns)
        .where(Article.id.in_([one.article_id for one in event.articles]))
        .order_by(Article.id)
    )
    return {row.id: row for row in session.execute(locked(session, query))}


def _results(article: EnrichedArticle) -> dict[Stage, Any]:
    return {
        Stage.LANGUAGE: article.language,
        Stage.ENTITIES: article.entities,
        Stage.COPIES: article.fingerprint,
        Stage.STORIES: article.features,
    }


def _status(result: Any) -> EnrichStatus:
    if getattr(result, "status", None) == EntitiesStatus.NAMES_ONLY:
        return EnrichStatus.NAMES_ONLY
    return EnrichStatus.DONE


def _write_ledger(
    session: Session,
    articles: Sequence[EnrichedArticle],
    ids: dict[Pipeline, int],
    enriched_at: datetime,
) -> set[tuple[int, Stage]]:
    """Write ledger rows; return (article id, stage) of those that were not there."""
    stages = {pipeline_id: pipeline.stage for pipeline, pipeline_id in ids.items()}
    rows = [
        {
            "article_id": article.article_id,
            "revision": article.revision,
            "pipeline_id": pipeline_id,
            "status": _status(result),
            "enriched_at": enriched_at,
        }
        for article in articles
        for pipeline_id, stage in stages.items()
        if (result := _results(article)[stage]) is not None
    ]
    if not rows:
        return set()
    insert = insert_into(session, Enrichment).on_conflict_do_nothing()
    returning = insert.returning(Enrichment.article_id, Enrichment.pipeline_id)
    return {
        (row.article_id, stages[row.pipeline_id])
        for row in session.execute(returning, rows)
    }


class _Context(NamedTuple):
    pipeline_id: int
    rows: dict[int, Any]  # article id -> sort_at, title
    judge: Judge
    now: datetime


def _save_languages(
    session: Session, articles: Sequence[EnrichedArticle], _context: _Context
) -> None:
    found = [(one.article_id, one.language) for one in articles if one.language]
    rows = [
        {
            "id": article_id,
            "language": language.code,
            "language_score": language.score,
            "language_origin": language.origin,
        }
        for article_id, language in found
    ]
    update_rows(session, Article, rows)


def _save_entities(
    session: Session, articles: Sequence[EnrichedArticle], context: _Context
) -> None:
    found = [
        Found(
            article_id=one.article_id,
            revision=one.revision,
            sort_at=context.rows[one.article_id].sort_at,
            entities=one.entities,
        )
        for one in articles
        if one.entities
    ]
    save_entities(session, found, pipeline_id=context.pipeline_id, now=context.now)


def _save_copies(
    session: Session, articles: Sequence[EnrichedArticle], context: _Context
) -> None:
    marked = [
        Marked(
            article_id=one.article_id,
            revision=one.revision,
            fingerprint=one.fingerprint,
        )
        for one in articles
        if one.fingerprint
    ]
    settle_copies(
        session,
        marked,
        pipeline_id=context.pipeline_id,
        judge=context.judge,
        now=context.now,
    )


def _save_stories(
    session: Session, articles: Sequence[EnrichedArticle], context: _Context
) -> None:
    placed = [
        Placed(
            article_id=one.article_id,
            at=context.rows[one.article_id].sort_at,
            title=context.rows[one.article_id].title,
            features=one.features,
        )
        for one in articles
        if one.features
    ]
    place_articles(
        session,
        placed,
        pipeline_id=context.pipeline_id,
        judge=context.judge,
        now=context.now,
    )


_SAVERS = {
    Stage.LANGUAGE: _save_languages,
    Stage.ENTITIES: _save_entities,
    Stage.COPIES: _save_copies,
    Stage.STORIES: _save_stories,
}
