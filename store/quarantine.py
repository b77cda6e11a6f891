"""Quarantine: where work goes that keeps failing, until an operator decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.orm import Session

from enrich.messages import Lane
from store.clauses import insert_into
from store.errors import NotFound
from store.models import (
    ActivePipeline,
    Article,
    Enrichment,
    EnrichWork,
    Entry,
    Feed,
    Page,
    Pipeline,
    Quarantine,
    RunFile,
)
from store.plain import said, storable
from store.words import (
    FeedState,
    FileState,
    PageState,
    QuarantineKind,
    QuarantineState,
)

# A traceback says enough in this many characters; the rest is repetition.
MAX_DETAIL_CHARS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One item on its way into quarantine."""

    kind: QuarantineKind
    item: str  # its key among its kind
    error: str
    detail: str
    attempts: int = 0
    feed_id: int | None = None
    article_id: int | None = None
    file_id: int | None = None
    payload: str | None = None


def quarantine(session: Session, cases: Sequence[Case], *, now: datetime) -> None:
    """Write items into quarantine; one that has been there before is opened again."""
    if not cases:
        return
    insert = insert_into(session, Quarantine)
    new = insert.excluded
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["kind", "item"],
            set_={
                "state": new.state,
                "error": new.error,
                "detail": new.detail,
                "attempts": new.attempts,
                "payload": new.payload,
                # A redelivered message about an open case is not another failure.
                "n_times": case(
                    (Quarantine.state == QuarantineState.OPEN, Quarantine.n_times),
                    else_=Quarantine.n_times + 1,
                ),
                "last_at": new.last_at,
            },
        ),
        [_row(one, now) for one in cases],
    )


def reopen(
    session: Session, kind: QuarantineKind, article_ids: Sequence[int], *, now: datetime
) -> None:
    """Close the cases of articles, or of their pages, that get another chance."""
    session.execute(
        update(Quarantine)
        .where(Quarantine.kind == kind)
        .where(Quarantine.article_id.in_(article_ids))
        .where(Quarantine.state != QuarantineState.REPLAYED)
        .values(state=QuarantineState.REPLAYED, last_at=now)
        .execution_options(synchronize_session=False)
    )


def _row(one: Case, now: datetime) -> dict[str, object]:
    return {
        "kind": one.kind,
        "item": storable(one.item),
        "state": QuarantineState.OPEN,
        "error": said(one.error) or "unknown",
        "detail": storable(one.detail[:MAX_DETAIL_CHARS]),
        "attempts": one.attempts,
        "n_times": 1,
        "feed_id": one.feed_id,
        "article_id": one.article_id,
        "file_id": one.file_id,
        "payload": None if one.payload is None else storable(one.payload),
        "first_at": now,
        "last_at": now,
    }


def replay(session: Session, ids: Sequence[int] | None, *, now: datetime) -> list[int]:
    """Send open items through again with fresh attempts.

    An entry is not work of its own: its feed or file is read again. A message that
    could not be understood stays, since only the code that wrote it can mend it.

    Args:
        session: In a transaction.
        ids: Which ones, or None for all that are open.
        now: The present moment.

    Returns:
        The ids of those that were replayed.

    Raises:
        NotFound: An id is not that of an open item.
    """
    rows = [row for row in _open_rows(session, ids) if row.kind in _REPLAYS]
    for kind, again in _REPLAYS.items():
        group = [row for row in rows if row.kind == kind]
        if group:
            again(session, group, now)
    replayed = [row.id for row in rows]
    _close(session, replayed, QuarantineState.REPLAYED, now)
    return replayed


def discard(session: Session, ids: Sequence[int] | None, *, now: datetime) -> list[int]:
    """Give open items up for good; the record of it stays; return their ids.

    Raises:
        NotFound: An id is not that of an open item.
    """
    given_up = [row.id for row in _open_rows(session, ids)]
    _close(session, given_up, QuarantineState.DISCARDED, now)
    return given_up


def _open_rows(session: Session, ids: Sequence[int] | None) -> list[Quarantine]:
    query = select(Quarantine).where(Quarantine.state == QuarantineState.OPEN)
    if ids is not None:
        query = query.where(Quarantine.id.in_(ids))
    rows = list(session.scalars(query.order_by(Quarantine.id)))
    missing = set(ids or ()) - {row.id for row in rows}
    if missing:
        raise NotFound("open item in quarantine with id", min(missing))
    return rows


def _close(
    session: Session, ids: Sequence[int], state: QuarantineState, now: datetime
) -> None:
    session.execute(
        update(Quarantine)
        .where(Quarantine.id.in_(ids))
        .values(state=state, last_at=now)
        .execution_options(synchronize_session=False)
    )


def _replay_feeds(session: Session, rows: list[Quarantine], now: datetime) -> None:
    _poll_again(session, {row.feed_id for row in rows if row.feed_id}, now)


def _poll_again(session: Session, feed_ids: set[int], now: datetime) -> None:
    session.execute(
        update(Feed)
        .where(Feed.id.in_(feed_ids), Feed.state != FeedState.MANUAL)
        .values(
            state=FeedState.ACTIVE,
            reason=None,
            attempts=0,
            lease_until=None,
            next_poll_at=now,
            cause=None,
            # Without validators the server must send the whole document again.
            etag=None,
            last_modified=None,
            body_sha256=None,
        )
    )


def _replay_files(session: Session, rows: list[Quarantine], now: datetime) -> None:
    _read_again(session, {row.file_id for row in rows if row.file_id}, now)


def _read_again(session: Session, file_ids: set[int], now: datetime) -> None:
    session.execute(
        update(RunFile)
        .where(RunFile.id.in_(file_ids))
        .values(state=FileState.PENDING, attempts=0, leased=False, due_at=now)
    )


def _replay_entries(session: Session, rows: list[Quarantine], now: datetime) -> None:
    # The placeholder must go, or the entry would pass as known and unchanged.
    for row in rows:
        key = row.item.partition(":")[2]
        session.execute(
            update(Entry)
            .where(Entry.feed_id == row.feed_id, Entry.key == key)
            .values(content_hash=None)
        )
    _poll_again(session, {row.feed_id for row in rows if row.feed_id}, now)
    _read_again(session, {row.file_id for row in rows if row.file_id}, now)


def _replay_pages(session: Session, rows: list[Quarantine], now: datetime) -> None:
    ids = [row.article_id for row in rows if row.article_id]
    session.execute(
        update(Page)
        .where(Page.article_id.in_(ids), Page.state == PageState.QUARANTINED)
        .values(state=PageState.PENDING, attempts=0, leased=False, due_at=now)
    )


def _replay_articles(session: Session, rows: list[Quarantine], now: datetime) -> None:
    ids = [row.article_id for row in rows if row.article_id]
    revisions = session.execute(
        select(Article.id, Article.current_revision).where(Article.id.in_(ids))
    )
    again = _later_passes(session, ids)
    work = [
        {
            "article_id": article_id,
            "revision": revision,
            "lane": Lane.BULK if article_id in again else Lane.LIVE,
            "pass_number": again.get(article_id, 1),
            "attempts": 0,
            "leased": False,
            "due_at": now,
            "created_at": now,
        }
        for article_id, revision in revisions
    ]
    if work:
        insert = insert_into(session, EnrichWork).on_conflict_do_nothing()
        session.execute(insert, work)


def _later_passes(session: Session, ids: list[int]) -> dict[int, int]:
    """Return article id -> last pass, of those that an earlier one has been through."""
    query = (
        select(Enrichment.article_id, Pipeline.n_passes)
        .join(ActivePipeline, ActivePipeline.pipeline_id == Enrichment.pipeline_id)
        .join(Pipeline, Pipeline.id == Enrichment.pipeline_id)
        .join(Article, Article.id == Enrichment.article_id)
        .where(Enrichment.article_id.in_(ids))
        .where(Enrichment.revision == Article.current_revision)
        .where(Enrichment.pass_number < Pipeline.n_passes)
    )
    return {row.article_id: row.n_passes for row in session.execute(query)}


_REPLAYS = {
    QuarantineKind.FEED: _replay_feeds,
    QuarantineKind.FILE: _replay_files,
    QuarantineKind.ENTRY: _replay_entries,
    QuarantineKind.ARTICLE: _replay_articles,
    QuarantineKind.PAGE: _replay_pages,
}
