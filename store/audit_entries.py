"""The audit of entries: what polls and files counted, and what is there."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from store.audit_lines import AuditLine, breakdown, by, count, number
from store.models import (
    Article,
    Entry,
    Feed,
    Page,
    Poll,
    PollMonth,
    Quarantine,
    RunFile,
    Tombstone,
)
from store.tally import End
from store.words import (
    EntryOutcome,
    FeedKind,
    FileState,
    PageState,
    PollState,
    QuarantineKind,
)


def poll_lines(session: Session) -> Iterator[AuditLine]:
    """Compare what polls saw with how it ended."""
    yield from _sums(session, Poll, "polls")
    is_done = Poll.state == PollState.DONE
    yield AuditLine(
        name="polls with an outcome",
        expected=count(session, Poll, is_done),
        found=count(session, Poll, is_done, Poll.outcome.is_not(None)),
        detail="each poll that came back",
    )


def file_lines(session: Session) -> Iterator[AuditLine]:
    """Compare what files held with how it ended."""
    yield from _sums(session, RunFile, "files")
    is_settled = or_(RunFile.state != FileState.DONE, RunFile.outcome.is_not(None))
    states = by(
        session,
        select(RunFile.state, func.count()).where(is_settled).group_by(RunFile.state),
    )
    yield AuditLine(
        name="files with an end",
        expected=count(session, RunFile),
        found=sum(states[state] for state in FileState),
        detail=breakdown(states),
    )


def page_lines(session: Session) -> Iterator[AuditLine]:
    """Compare the pages that were wanted with how they ended."""
    states = by(session, select(Page.state, func.count()).group_by(Page.state))
    n_ended = count(
        session, Page, Page.state == PageState.DONE, Page.outcome.is_not(None)
    )
    held = and_(
        Quarantine.kind == QuarantineKind.PAGE, Quarantine.article_id == Page.article_id
    )
    visible = select(Quarantine.id).where(held).exists()
    n_held = count(session, Page, Page.state == PageState.QUARANTINED, visible)
    waiting = states[PageState.PENDING]
    yield AuditLine(
        name="pages with an end",
        expected=count(session, Page),
        found=n_ended + waiting + n_held,
        detail=f"{n_ended} outcomes + {waiting} waiting + {n_held} quarantined",
    )
    # Texts are deleted beyond so many, the latest never.
    is_current = and_(
        Article.id == Page.article_id, Article.content_hash == Page.content_hash
    )
    mine = Page.content_hash.is_not(None)
    teased = select(func.count()).select_from(Page).join(Article, is_current)
    n_teasers = number(session, teased.where(mine, Article.is_teaser.is_(True)))
    yield AuditLine(
        name="texts of pages that pass for teasers",
        expected=0,
        found=n_teasers,
        detail="what a page gave in full is called so",
    )


def _sums(
    session: Session, model: type[Poll | RunFile], name: str
) -> Iterator[AuditLine]:
    columns = [func.coalesce(func.sum(column), 0) for column in _ends(model)]
    seen, *ends = session.execute(
        select(func.coalesce(func.sum(model.n_seen), 0), *columns)
    ).one()
    parts = [f"{number} {end}" for end, number in zip(End, ends, strict=True) if number]
    yield AuditLine(
        name=f"entries in {name}",
        expected=int(seen),
        found=int(sum(ends)),
        detail=" + ".join(parts) or "none",
    )
    yield AuditLine(
        name=f"{name} that add up",
        expected=count(session, model),
        found=count(session, model, model.n_seen == _ended(model)),
        detail="seen is the sum of all ends, one by one",
    )


def _ends(model: type[Poll | RunFile]) -> list[Any]:
    """Return the columns whose sum must be what was seen."""
    return [getattr(model, f"n_{end}") for end in End]


def _ended(model: type[Poll | RunFile]) -> Any:
    return sum(_ends(model)[1:], _ends(model)[0])


def entry_lines(session: Session) -> Iterator[AuditLine]:
    """Compare the outcomes of entries with what stands behind them."""
    outcomes = by(session, select(Entry.outcome, func.count()).group_by(Entry.outcome))
    yield AuditLine(
        name="entries with an outcome",
        expected=count(session, Entry),
        found=sum(outcomes[outcome] for outcome in EntryOutcome),
        detail=breakdown(outcomes),
    )
    with_article = select(func.count()).join(Article, Article.id == Entry.article_id)
    yield AuditLine(
        name="entries with their article",
        expected=outcomes[EntryOutcome.STORED] + outcomes[EntryOutcome.DUPLICATE],
        found=number(session, with_article.select_from(Entry)),
        detail="each stored or duplicate entry",
    )
    item = Entry.feed_id.concat(":").concat(Entry.key)
    held = and_(Quarantine.kind == QuarantineKind.ENTRY, Quarantine.item == item)
    visible = select(Quarantine.id).where(held).exists()
    is_quarantined = Entry.outcome == EntryOutcome.QUARANTINED
    yield AuditLine(
        name="quarantined entries on record",
        expected=outcomes[EntryOutcome.QUARANTINED],
        found=count(session, Entry, is_quarantined, visible),
        detail="each has a row that says why",
    )


def counted_lines(session: Session) -> Iterator[AuditLine]:
    """Compare the entries of each kind of feed with what its polls or files counted.

    One entry may be counted by more than one poll: a quarantined one as that each time
    it fails, and as new when it goes through at last. Only `new` is exact.
    """
    kinds_of: dict[type[Poll | RunFile], tuple[FeedKind, ...]] = {
        Poll: (FeedKind.WEB,),
        RunFile: (FeedKind.FILES, FeedKind.FOLDER),
    }
    for model, kinds in kinds_of.items():
        name = "polls" if model is Poll else "files"
        books: list[Book] = [model, PollMonth] if model is Poll else [model]
        there, deleted = _entries_of(session, kinds, EntryOutcome.STORED)
        yield AuditLine(
            name=f"articles brought by {name}",
            expected=sum(
                number(session, select(func.sum(book.n_new))) for book in books
            ),
            found=there + deleted,
            detail=f"counted as new = {there} stored + {deleted} deleted",
        )
        counted = sum(number(session, select(_arrived(book))) for book in books)
        there, deleted = _entries_of(session, kinds, *EntryOutcome)
        yield AuditLine(
            name=f"entries that no {name[:-1]} counted",
            expected=0,
            found=max(0, there + deleted - counted),
            detail=f"{there} entries + {deleted} deleted, {counted} counted",
        )


Book = type[Poll | PollMonth | RunFile]


def _arrived(book: Book) -> Any:
    arrived = book.n_new + book.n_duplicate + book.n_rejected
    return func.sum(arrived + book.n_quarantined)


def _entries_of(
    session: Session, kinds: Sequence[FeedKind], *outcomes: EntryOutcome
) -> tuple[int, int]:
    """Return how many entries ended so: those that are there, and the deleted ones."""
    feeds = select(Feed.id).where(Feed.kind.in_(kinds))
    there, deleted = (
        count(session, model, model.feed_id.in_(feeds), model.outcome.in_(outcomes))
        for model in (Entry, Tombstone)
    )
    return there, deleted
