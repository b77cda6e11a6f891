"""What a worker found out about articles: ledger and results in one transaction.

The ledger row and the results it stands for are written together, and only where the
ledger had no such row, or one of an earlier pass: a second delivery finds nothing left
to do, and a late one of an earlier pass neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
from store.answers import mend_answer
from store.batches import insert_missing, update_rows
from store.clauses import VERDICTS_LOCK, alone, locked
from store.copies import settle_copies
from store.entities import Found, save_entities
from store.judge import Judge
from store.live import Placed
from store.marks import Marked
from store.models import Article, Enrichment
from store.pipelines import register
from store.plain import UnfitValue
from store.refusals import write_what_fits
from store.stories import place_articles
from store.tuples import Tuples
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
    """Store results and settle copies and stories; a redelivery changes nothing.

    An article whose results cannot be stored goes to quarantine, and the others are
    stored.
    """
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
    context = _Context(ids, rows, judge, now, event.enriched_at, event.pass_number)
    fit, unfit = _mended(current)
    n_saved, refused = write_what_fits(session, fit, partial(_write, session, context))
    unfit += [_refusal(fit[one.place], one.error) for one in refused]
    failures = [*map(_failure, event.failed), *unfit]
    pending.fail_articles(session, failures, now=now, max_attempts=max_attempts)
    return Saved(
        n_saved=n_saved,
        n_repeated=len(wanted) - n_saved - len(unfit),
        n_superseded=len(event.articles) - len(wanted),
        n_failed=len(failures),
    )


def _mended(
    articles: Sequence[EnrichedArticle],
) -> tuple[list[EnrichedArticle], list[pending.Failure]]:
    fit, unfit = [], []
    for one in articles:
        try:
            fit.append(mend_answer(one))
        except UnfitValue as error:
            unfit.append(_refusal(one, error))
    return fit, unfit


def _write(
    session: Session, context: "_Context", articles: Sequence[EnrichedArticle]
) -> int:
    """Write what is new of some results; return of how many articles something was."""
    fresh = _write_ledger(session, articles, context)
    for pipeline, pipeline_id in context.pipelines.items():
        news = [one for one in articles if (one.article_id, pipeline_id) in fresh]
        if news:
            _SAVERS[pipeline.stage](session, news, pipeline_id, context)
    revisions = {one.article_id: one.revision for one in articles}
    pending.finish_articles(
        session, revisions, pass_number=context.pass_number, now=context.now
    )
    return len({article_id for article_id, _ in fresh})


def _refusal(article: EnrichedArticle, error: Exception) -> pending.Failure:
    """Return a failure for good: the same results would be refused again."""
    return pending.Failure(
        article_id=article.article_id,
        revision=article.revision,
        error=type(error).__name__,
        detail=str(error.__cause__ or error),
        permanent=True,
    )


def _failure(failed: ArticleFailed) -> pending.Failure:
    return pending.Failure(
        article_id=failed.article_id,
        revision=failed.revision,
        error=failed.error,
        detail=failed.detail,
    )


def _lock_articles(session: Session, event: ArticlesEnriched) -> dict[int, Any]:
    """Lock what the event names, also what failed: its work is taken off the list."""
    columns = (Article.id, Article.current_revision, Article.sort_at, Article.title)
    ids = {one.article_id for one in event.articles}
    ids |= {one.article_id for one in event.failed}
    query = select(*columns).where(Article.id.in_(ids)).order_by(Article.id)
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


class _Context(NamedTuple):
    """What an event is saved with."""

    pipelines: dict[Pipeline, int]  # pipeline -> its row
    rows: dict[int, Any]  # article id -> sort_at, title
    judge: Judge
    now: datetime
    enriched_at: datetime
    pass_number: int

    def pass_of(self, pipeline: Pipeline) -> int:
        """Return the pass that its results are of; most pipelines have only one."""
        return min(self.pass_number, pipeline.n_passes)


_LEDGER = (
    "article_id",
    "revision",
    "pipeline_id",
    "status",
    "enriched_at",
    "pass_number",
)


def _write_ledger(
    session: Session, articles: Sequence[EnrichedArticle], context: _Context
) -> set[tuple[int, int]]:
    """Write ledger rows; return article and pipeline of those that say more now."""
    rows = []
    for article in articles:
        results = _results(article)
        for pipeline, pipeline_id in context.pipelines.items():
            if (found := results[pipeline.stage]) is not None:
                key = (article.article_id, article.revision, pipeline_id)
                values = (_status(found).value, context.enriched_at)
                rows.append((*key, *values, context.pass_of(pipeline)))
    written = insert_missing(
        session, Enrichment, Tuples(_LEDGER, rows), n_key_columns=3, rank="pass_number"
    )
    return {(article_id, pipeline_id) for article_id, _, pipeline_id in written}


def _save_languages(
    session: Session,
    articles: Sequence[EnrichedArticle],
    _pipeline_id: int,
    _context: _Context,
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
    session: Session,
    articles: Sequence[EnrichedArticle],
    pipeline_id: int,
    context: _Context,
) -> None:
    found = [
        Found(
            article_id=one.article_id,
            revision=one.revision,
            sort_at=context.rows[one.article_id].sort_at,
            entities=one.entities,
            again=context.pass_number > 1,
        )
        for one in articles
        if one.entities
    ]
    save_entities(session, found, pipeline_id=pipeline_id, now=context.now)


def _save_copies(
    session: Session,
    articles: Sequence[EnrichedArticle],
    pipeline_id: int,
    context: _Context,
) -> None:
    marked = [
        Marked(
            article_id=one.article_id,
            revision=one.revision,
            fingerprint=one.fingerprint,
            keys=context.judge.choose_keys(one.fingerprint),
        )
        for one in articles
        if one.fingerprint
    ]
    settle_copies(
        session,
        marked,
        pipeline_id=pipeline_id,
        judge=context.judge,
        now=context.now,
    )


def _save_stories(
    session: Session,
    articles: Sequence[EnrichedArticle],
    pipeline_id: int,
    context: _Context,
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
        pipeline_id=pipeline_id,
        clusterer=context.judge.stories,
        now=context.now,
    )


_SAVERS = {
    Stage.LANGUAGE: _save_languages,
    Stage.ENTITIES: _save_entities,
    Stage.COPIES: _save_copies,
    Stage.STORIES: _save_stories,
}
