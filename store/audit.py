"""The audit: proof that nothing was lost and nothing was done twice.

Each line compares two numbers that were written down independently of each other.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from store.engine import is_postgresql
from store.models import (
    Article,
    ArticleEntity,
    Duplicate,
    Enrichment,
    Entry,
    Feed,
    Mention,
    Poll,
    Quarantine,
    Revision,
    RunFile,
    Story,
    StoryMember,
)
from store.queries.rows import AnySelect
from store.queries.work import Standing, count_standings
from store.tally import End
from store.words import (
    EntryOutcome,
    FeedKind,
    FileState,
    MemberRole,
    PollState,
    QuarantineKind,
    QuarantineState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Two numbers that must be equal."""

    name: str
    expected: int
    found: int
    detail: str  # what was compared, for the operator

    @property
    def balanced(self) -> bool:
        """Whether they are."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """All lines, and whether each of them holds."""

    lines: tuple[AuditLine, ...]
    balanced: bool


def audit(session: Session) -> AuditReport:
    """Compare what was written down in different places.

    Args:
        session: To read with; at the beginning of its transaction, so that all lines
            are about one moment of a database at work.
    """
    if is_postgresql(session) and not session.in_transaction():
        # SQLite's readers see one moment anyway.
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    lines = (
        *_polls(session),
        *_files(session),
        *_entries(session),
        *_counted_entries(session),
        *_articles(session),
        _settled(session),
        *_results(session),
        *_related(session),
    )
    return AuditReport(lines=lines, balanced=all(line.balanced for line in lines))


def _count(session: Session, model: type, *conditions: ColumnElement[bool]) -> int:
    return _number(session, select(func.count()).select_from(model).where(*conditions))


def _number(session: Session, query: Any) -> int:
    return int(session.scalar(query) or 0)


def _ends(model: type[Poll | RunFile]) -> list[Any]:
    """Return the columns whose sum must be what was seen."""
    return [getattr(model, f"n_{end}") for end in End]


def _ended(model: type[Poll | RunFile]) -> Any:
    return sum(_ends(model)[1:], _ends(model)[0])


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
        expected=_count(session, model),
        found=_count(session, model, model.n_seen == _ended(model)),
        detail="seen is the sum of all ends, one by one",
    )


def _polls(session: Session) -> Iterator[AuditLine]:
    yield from _sums(session, Poll, "polls")
    is_done = Poll.state == PollState.DONE
    yield AuditLine(
        name="polls with an outcome",
        expected=_count(session, Poll, is_done),
        found=_count(session, Poll, is_done, Poll.outcome.is_not(None)),
        detail="each poll that came back",
    )


def _files(session: Session) -> Iterator[AuditLine]:
    yield from _sums(session, RunFile, "files")
    is_settled = or_(RunFile.state != FileState.DONE, RunFile.outcome.is_not(None))
    states = _by(
        session,
        select(RunFile.state, func.count()).where(is_settled).group_by(RunFile.state),
    )
    yield AuditLine(
        name="files with an end",
        expected=_count(session, RunFile),
        found=sum(states[state] for state in FileState),
        detail=_breakdown(states),
    )


def _by(session: Session, query: AnySelect) -> Counter[str]:
    return Counter({str(name): number for name, number in session.execute(query)})


def _breakdown(numbers: Counter[str]) -> str:
    parts = [f"{number} {name}" for name, number in sorted(numbers.items()) if number]
    return " + ".join(parts) or "none"


def _entries(session: Session) -> Iterator[AuditLine]:
    outcomes = _by(session, select(Entry.outcome, func.count()).group_by(Entry.outcome))
    yield AuditLine(
        name="entries with an outcome",
        expected=_count(session, Entry),
        found=sum(outcomes[outcome] for outcome in EntryOutcome),
        detail=_breakdown(outcomes),
    )
    with_article = select(func.count()).join(Article, Article.id == Entry.article_id)
    yield AuditLine(
        name="entries with their article",
        expected=outcomes[EntryOutcome.STORED] + outcomes[EntryOutcome.DUPLICATE],
        found=_number(session, with_article.select_from(Entry)),
        detail="each stored or duplicate entry",
    )
    item = Entry.feed_id.concat(":").concat(Entry.key)
    held = and_(Quarantine.kind == QuarantineKind.ENTRY, Quarantine.item == item)
    visible = select(Quarantine.id).where(held).exists()
    is_quarantined = Entry.outcome == EntryOutcome.QUARANTINED
    yield AuditLine(
        name="quarantined entries on record",
        expected=outcomes[EntryOutcome.QUARANTINED],
        found=_count(session, Entry, is_quarantined, visible),
        detail="each has a row that says why",
    )


def _counted_entries(session: Session) -> Iterator[AuditLine]:
    """Compare the entries of each kind of feed with what its polls or files counted.

    One entry may be counted more than once: a quarantined one is counted as that each
    time it fails, and as new when it goes through at last. Only `new` is exact.
    """
    models: dict[FeedKind, type[Poll | RunFile]] = {FeedKind.WEB: Poll}
    if not _were_files_read_again(session):
        models[FeedKind.FILES] = RunFile
    for kind, model in models.items():
        name = "polls" if model is Poll else "files"
        mine = Entry.feed_id.in_(select(Feed.id).where(Feed.kind == kind))
        stored = Entry.outcome == EntryOutcome.STORED
        yield AuditLine(
            name=f"articles brought by {name}",
            expected=_number(session, select(func.sum(model.n_new))),
            found=_count(session, Entry, mine, stored),
            detail="counted as new = entries that are stored",
        )
        arrived = model.n_new + model.n_duplicate + model.n_rejected
        counted = _number(session, select(func.sum(arrived + model.n_quarantined)))
        n_entries = _count(session, Entry, mine)
        yield AuditLine(
            name=f"entries that no {name[:-1]} counted",
            expected=0,
            found=max(0, n_entries - counted),
            detail=f"{n_entries} entries, {counted} counted",
        )


def _were_files_read_again(session: Session) -> bool:
    # The counts of a file that is read again are those of the last reading, in which
    # what the first one stored is unchanged.
    again = or_(Quarantine.state == QuarantineState.REPLAYED, Quarantine.n_times > 1)
    of_file = and_(
        Quarantine.kind == QuarantineKind.ENTRY, Quarantine.file_id.is_not(None)
    )
    return _count(session, Quarantine, of_file, again) > 0


def _articles(session: Session) -> Iterator[AuditLine]:
    n_articles = _count(session, Article)
    yield AuditLine(
        name="articles that an entry brought",
        expected=n_articles,
        found=_count(session, Entry, Entry.outcome == EntryOutcome.STORED),
        detail="articles = stored entries",
    )
    appears = select(Entry.id).where(Entry.article_id == Article.id).exists()
    yield AuditLine(
        name="articles with an entry",
        expected=n_articles,
        found=_count(session, Article, appears),
        detail="each appears somewhere",
    )
    text_of = and_(
        Revision.article_id == Article.id,
        Revision.number == Article.current_revision,
        Revision.content_hash == Article.content_hash,
    )
    yield AuditLine(
        name="articles with their text",
        expected=n_articles,
        found=_number(
            session, select(func.count()).select_from(Article).join(Revision, text_of)
        ),
        detail="the current revision is there and has the article's hash",
    )


def _settled(session: Session) -> AuditLine:
    standings = count_standings(session)
    stuck = standings.pop(Standing.STUCK, 0)
    total = standings.total()
    detail = _breakdown(standings) + (f", and {stuck} stuck" if stuck else "")
    return AuditLine(
        name="articles enriched or on their way",
        expected=total + stuck,
        found=total,
        detail=detail,
    )


def _results(session: Session) -> Iterator[AuditLine]:
    yield AuditLine(
        name="mentions",
        expected=_number(session, select(func.sum(ArticleEntity.n_mentions))),
        found=_count(session, Mention),
        detail="summed by article and entity = one by one",
    )
    ledger = and_(
        Enrichment.article_id == ArticleEntity.article_id,
        Enrichment.revision == ArticleEntity.revision,
        Enrichment.pipeline_id == ArticleEntity.pipeline_id,
    )
    rows = select(func.count()).select_from(ArticleEntity)
    yield AuditLine(
        name="entities on the ledger",
        expected=_count(session, ArticleEntity),
        found=_number(session, rows.join(Enrichment, ledger)),
        detail="each belongs to one pass of one text through one pipeline",
    )


def _related(session: Session) -> Iterator[AuditLine]:
    original = aliased(Duplicate)
    chained = and_(
        original.article_id == Duplicate.original_id,
        original.pipeline_id == Duplicate.pipeline_id,
    )
    rows = select(func.count()).select_from(Duplicate)
    yield AuditLine(
        name="originals that are copies",
        expected=0,
        found=_number(session, rows.join(original, chained)),
        detail="a copy points to the original itself",
    )
    lives = Story.merged_into.is_(None)
    counted = func.count(case((StoryMember.role != MemberRole.COPY, 1)))
    members = (
        select(Story.id)
        .outerjoin(StoryMember, StoryMember.story_id == Story.id)
        .where(lives)
        .group_by(Story.id, Story.n_articles)
        .having(counted == Story.n_articles)
        .subquery()
    )
    yield AuditLine(
        name="stories with their members",
        expected=_count(session, Story, lives),
        found=_number(session, select(func.count()).select_from(members)),
        detail="each counts the members that are no copies",
    )
