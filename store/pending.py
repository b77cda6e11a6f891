"""What is not enriched yet: written down, finished, failed, swept.

A row of `enrich_work` exists for as long as its article waits; `claims` hands it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from store.batches import replace_rows
from store.claims import CLAIM, Claim, missing_pipelines
from store.clauses import chunks, locked
from store.leases import is_given_up, put_back
from store.models import EnrichWork
from store.pipelines import active_pipelines
from store.quarantine import Case, quarantine, reopen
from store.words import QuarantineKind


class NewWork(NamedTuple):
    """A revision that waits for enrichment, and the run it belongs to."""

    article_id: int
    revision: int
    run_id: int | None


def add_articles(
    session: Session, news: Sequence[NewWork], *, lane: Lane, now: datetime
) -> None:
    """Write down that revisions wait; a newer one replaces an older one."""
    if not news:
        return
    rows = [
        {
            "article_id": one.article_id,
            "revision": one.revision,
            "lane": lane,
            "stages": None,
            "pass_number": 1,
            "attempts": 0,
            "leased": False,
            "due_at": now,
            "run_id": one.run_id,
            "created_at": now,
        }
        for one in sorted(news)
    ]
    replace_rows(session, EnrichWork, rows, key=["article_id"], but=["created_at"])
    # After the work list, as everybody does, so that nobody waits in a circle. A new
    # article was never in quarantine.
    revised = [one.article_id for one in news if one.revision > 1]
    if revised:
        reopen(session, QuarantineKind.ARTICLE, revised, now=now)


def finish_articles(
    session: Session,
    revisions: Mapping[int, int],
    *,
    pass_number: int = 1,
    now: datetime,
) -> None:
    """Take finished work off the list; what still lacks a pipeline is due at once.

    Args:
        session: In a transaction that has written the ledger.
        revisions: article id -> revision of which results have come.
        pass_number: The pass they are of. Work on a later one goes on: they are no
            answer to it.
        now: The present moment.
    """
    query = select(*CLAIM).where(EnrichWork.article_id.in_(list(revisions)))
    claims = [
        Claim(*row)
        for row in session.execute(query)
        if row.revision == revisions[row.article_id]
    ]
    missing = missing_pipelines(session, claims, active_pipelines(session))
    done = [article_id for article_id, wanted in missing.items() if not wanted]
    rest = [
        one.article_id
        for one in claims
        if missing[one.article_id] and one.pass_number <= pass_number
    ]
    if done:
        session.execute(delete(EnrichWork).where(EnrichWork.article_id.in_(done)))
    if rest:
        session.execute(
            update(EnrichWork)
            .where(EnrichWork.article_id.in_(rest))
            .values(leased=False, due_at=now)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An article on which a worker failed."""

    article_id: int
    revision: int
    error: str
    detail: str
    permanent: bool = False
    after_seconds: int = 0  # earliest next attempt


def fail_articles(
    session: Session, failures: Sequence[Failure], *, now: datetime, max_attempts: int
) -> None:
    """Note failures: due again after a while, or quarantined after too many."""
    if not failures:
        return
    by_id = {one.article_id: one for one in failures}
    query = select(EnrichWork).where(EnrichWork.article_id.in_(list(by_id)))
    given_up: list[Case] = []
    for work in session.scalars(locked(session, query.order_by(EnrichWork.article_id))):
        failure = by_id[work.article_id]
        if work.revision != failure.revision:
            continue
        put_back(
            [work],
            error=f"{failure.error}: {failure.detail}",
            now=now,
            after_seconds=failure.after_seconds,
        )
        if failure.permanent or work.attempts >= max_attempts:
            given_up.append(_case(work, failure.error, failure.detail))
    session.flush()
    _give_up(session, given_up, now)


def sweep_articles(
    session: Session,
    *,
    now: datetime,
    max_attempts: int,
    lost_before: datetime | None = None,
) -> int:
    """Quarantine what has used up its attempts without an answer; return how many."""
    given_up = is_given_up(
        EnrichWork, now, max_attempts=max_attempts, lost_before=lost_before
    )
    query = (
        select(EnrichWork).where(given_up).order_by(EnrichWork.article_id).limit(1_000)
    )
    works = list(session.scalars(locked(session, query, skip=True)))
    cases = [
        _case(
            work,
            "NoAnswer",
            work.error or "every worker that took it died or never answered",
        )
        for work in works
    ]
    _give_up(session, cases, now)
    return len(cases)


def _case(work: EnrichWork, error: str, detail: str) -> Case:
    return Case(
        kind=QuarantineKind.ARTICLE,
        item=str(work.article_id),
        error=error,
        detail=detail,
        attempts=work.attempts,
        article_id=work.article_id,
    )


def _give_up(session: Session, cases: Sequence[Case], now: datetime) -> None:
    quarantine(session, cases, now=now)
    for some in chunks(one.article_id for one in cases):
        session.execute(delete(EnrichWork).where(EnrichWork.article_id.in_(some)))
