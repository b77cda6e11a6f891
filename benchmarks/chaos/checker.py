"""The checker: what SQL holds against the known items, each of them by its name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from benchmarks.chaos.books import (
    Place,
    articles_of,
    explain,
    full_ledgers,
    is_current,
    places_of,
    unfinished,
)
from benchmarks.chaos.items import Item
from enrich.messages import Stage
from store.audit import audit
from store.models import (
    ActivePipeline,
    Article,
    ArticleEntity,
    Enrichment,
    EnrichWork,
    Fingerprint,
    Mention,
    Quarantine,
    StoryMember,
)
from store.words import QuarantineState

_ABOUT = (Mention.article_id, Mention.revision, Mention.pipeline_id)
_SPAN = (*_ABOUT, Mention.field, Mention.start_char, Mention.end_char)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is wrong, each with the name of its item; all empty is what we want."""

    lost: tuple[str, ...] = ()  # no article
    doubled: tuple[str, ...] = ()  # more articles, entries or mentions than there are
    half_enriched: tuple[str, ...] = ()  # some results are missing, and nothing waits
    stuck: tuple[str, ...] = ()  # still waits, and for what
    unbalanced: tuple[str, ...] = ()  # lines of the audit
    quarantined: tuple[str, ...] = ()  # that nobody spoilt

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        wrong = (*self.lost, *self.doubled, *self.half_enriched, *self.stuck)
        return not any((*wrong, *self.unbalanced, *self.quarantined))


def check(
    session: Session,
    items: Sequence[Item],
    *,
    at_end: bool = True,
    spoilt: frozenset[str] = frozenset(),
) -> Findings:
    """Compare all that SQL holds with the known items, when all should be done.

    Args:
        session: A reading one, at the beginning of its transaction.
        items: All that were handed over.
        at_end: Whether poisoned ones should be in quarantine by now.
        spoilt: Kinds of quarantine that the campaign itself has filled.
    """
    unbalanced = [line for line in audit(session).lines if not line.balanced]
    places = places_of(session, items)
    stored = set(articles_of(places).values())
    due = [item for item in items if at_end or item.poison is None]
    late = [item for item in unfinished(session, due) if item.name in stored]
    half = _half_enriched(session, articles_of(places))
    return Findings(
        lost=tuple(item.name for item in due if item.name not in stored),
        doubled=(*_doubled_items(items, places), *_doubled_rows(session)),
        half_enriched=half,
        stuck=tuple(f"{one.name}: {explain(session, one)}" for one in late),
        unbalanced=tuple(
            f"{one.name}: {one.expected}, {one.found}" for one in unbalanced
        ),
        quarantined=tuple(_quarantined(session, items, places, spoilt)),
    )


def _doubled_items(items: Sequence[Item], places: Sequence[Place]) -> Iterator[str]:
    n_entries = Counter(place.name for place in places)
    ids = defaultdict(set)
    for place in places:
        ids[place.name].add(place.article_id)
    for item in items:
        if n_entries[item.name] > item.n_entries:
            yield f"{item.name}: {n_entries[item.name]} entries"
        if len(ids[item.name]) > 1:
            yield f"{item.name}: articles {sorted(map(str, ids[item.name]))}"


def _doubled_rows(session: Session) -> Iterator[str]:
    """Yield titles that two articles have, and articles with a mention twice."""
    n_rows = func.count()
    titles = select(Article.title, n_rows).group_by(Article.title).having(n_rows > 1)
    for title, n_articles in session.execute(titles):
        yield f"{n_articles} articles are called {title}"
    spans = select(*_ABOUT).group_by(*_SPAN).having(n_rows > 1).distinct()
    for article_id, *_ in session.execute(spans):
        yield f"article {article_id}: a mention stands there twice"


def _half_enriched(session: Session, names: dict[int, str]) -> tuple[str, ...]:
    reasons = [
        *((one, "passes are missing") for one in session.scalars(_without_passes())),
        *_without_results(session),
    ]
    return tuple(
        f"{names.get(article_id, f'article {article_id}')}: {reason}"
        for article_id, reason in sorted(reasons)
    )


def _without_passes() -> Select[Any]:
    """Return a query for articles that lack passes, wait for none, and are not held."""
    waits = exists().where(EnrichWork.article_id == Article.id)
    held = exists().where(
        Quarantine.article_id == Article.id, Quarantine.state == QuarantineState.OPEN
    )
    return select(Article.id).where(~waits, ~held, Article.id.not_in(full_ledgers()))


def _without_results(session: Session) -> Iterator[tuple[int, str]]:
    """Yield articles that the ledger calls done without what the pass has found.

    Every known text names people and places, so that each stage finds something.
    """
    results: dict[Stage, Any] = {
        Stage.LANGUAGE: Article.language.is_not(None),
        Stage.ENTITIES: _found(ArticleEntity) & _found(Mention),
        Stage.COPIES: _found(Fingerprint),
        Stage.STORIES: _found(StoryMember),
    }
    for stage, found in results.items():
        query = (
            select(Article.id)
            .join(Enrichment, is_current())
            .join(ActivePipeline, ActivePipeline.pipeline_id == Enrichment.pipeline_id)
            .where(ActivePipeline.stage == stage, ~found)
        )
        for article_id in session.scalars(query):
            yield article_id, f"{stage} is done and its results are missing"


def _found(model: Any) -> Any:
    return exists().where(
        model.article_id == Article.id, model.pipeline_id == Enrichment.pipeline_id
    )


def _quarantined(
    session: Session,
    items: Iterable[Item],
    places: Iterable[Place],
    spoilt: frozenset[str],
) -> Iterator[str]:
    poisoned = {item.name for item in items if item.poison}
    names = articles_of(places)
    query = select(Quarantine).where(Quarantine.state == QuarantineState.OPEN)
    for case in session.scalars(query):
        name = names.get(case.article_id or 0, case.item)
        if name not in poisoned and case.kind not in spoilt:
            yield f"{case.kind} {name}: {case.error}: {case.detail}"
