"""What a database needs every night: partitions, retention, sums, statistics.

Each step commits by itself, and a step that could not be done is told and left to the
next night, so that one lock in the way does not stop the rest.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from store import (
    closing,
    copy_index,
    learned,
    learned_marks,
    partitions,
    retention,
    rollups,
    statistics,
)
from store.ageing import forget_records, old_records
from store.engine import Engine, is_postgresql, reading, transaction
from store.judge import Judge
from store.models import AuditLog, Mention, Poll
from store.night import Keep, Night, Report

# The rollups of a few days are compared each night; a look at all takes minutes.
ROLLUP_DAYS = 3


def foresee(engine: Engine, *, keep: Keep, now: datetime) -> Report:
    """Return what `maintain` would do; nothing is changed."""
    with reading(engine) as session:
        polls, log = old_records(now, keep)
        report = Report(
            polls=partitions.count_before(session, Poll, polls),
            audit_log=partitions.count_before(session, AuditLog, log),
            articles=sum(one.n_articles for one in retention.plan(session, now=now)),
            unindexed=copy_index.count_old(session, index_end(now, keep)),
        )
        if partitions.is_owner(session):
            for model, month in _wanted(session, now):
                name = f"{model.__tablename__}_{month:%Y_%m}"  # type: ignore[attr-defined]  # every model has one
                report.partitions_made.append(name)
            for model, before in ((Poll, polls), (AuditLog, log)):
                report.partitions_dropped += [
                    name
                    for month, name in partitions.months(session, model).items()
                    if partitions.next_month(month) <= before
                ]
    return report


def maintain(
    engine: Engine,
    *,
    keep: Keep,
    judge: Judge,
    now: datetime,
    is_over: Callable[[], bool] = lambda: False,
) -> Report:
    """Do the night's work; doing it twice does nothing more.

    Args:
        engine: Of the database.
        keep: How long polls and the audit log are kept.
        judge: Settles anew what the copies of a deleted original are, which lines and
            marks are furniture, and what stands in the index of copies.
        now: The time.
        is_over: Asked between two batches of articles, two steps of learning, and two
            tables to measure; says when to leave the rest.
    """
    night = Night(engine, judge, now, Report(), is_over)
    forget_records(night, keep)
    _retain(night)
    _prune(night, index_end(now, keep))
    _make_partitions(night)
    night.step("rollups", lambda session: _repair(session, night))
    _learn(night)
    _learn_marks(night)
    _close_stories(night, now - timedelta(days=keep.story_days))
    _measure(night)
    return night.report


def make_partitions(engine: Engine, *, now: datetime) -> list[str]:
    """Make the partitions that are wanted; return their names."""
    with reading(engine) as session:
        if not partitions.is_owner(session):
            return []
        wanted = list(_wanted(session, now))
    made = []
    for model, month in wanted:
        with transaction(engine) as session:
            made.append(partitions.make(session, model, month))
    return made


def _wanted(session: Session, now: datetime) -> Iterator[tuple[type, datetime]]:
    for model in partitions.PARTITIONED:
        for month in partitions.wanted(session, model, now):
            yield model, month


def index_end(now: datetime, keep: Keep) -> datetime | None:
    """Return since when an article must be in the index of copies to stay."""
    return now - timedelta(days=keep.index_days) if keep.index_days else None


def _retain(night: Night) -> None:
    with reading(night.engine) as session:
        due = retention.plan(session, now=night.now)
    batches = retention.apply(night.engine, due, judge=night.judge, now=night.now)
    for gone in night.steps("articles past their time", batches):
        night.report.articles += gone.n_articles
        night.report.entries += gone.n_entries
        night.report.documents += gone.n_documents


def _prune(night: Night, before: datetime | None) -> None:
    chosen = night.judge.choose_keys
    batches = copy_index.prune(night.engine, before=before, choose_keys=chosen)
    for n_out in night.steps("index of copies", batches):
        night.report.unindexed += n_out


def _make_partitions(night: Night) -> None:
    with reading(night.engine) as session:
        on_postgresql = is_postgresql(session)
        owner = partitions.is_owner(session)
        wanted = list(_wanted(session, night.now)) if owner else []
    if on_postgresql and not owner:
        night.report.left.append(
            "partitions: this role does not own the tables; run `wireroom db maintain`"
            " as the role that migrates"
        )
    if not owner:
        return
    this_month = partitions.month_of(night.now)

    def clear(session: Session) -> None:
        empty = partitions.drop_empty(session, Mention, before=this_month)
        night.report.partitions_dropped += empty

    night.step("empty partitions", clear)
    for model, month in wanted:
        name = f"partition of {month:%Y-%m}"
        night.step(name, _maker(night, model, month))


def _maker(night: Night, model: type, month: datetime) -> Callable[[Session], None]:
    def make(session: Session) -> None:
        made = partitions.make(session, model, month)
        night.report.partitions_made.append(made)

    return make


def _repair(session: Session, night: Night) -> None:
    since = night.now - timedelta(days=ROLLUP_DAYS)
    night.report.rollups = rollups.repair(session, since=since)


def _learn(night: Night) -> None:
    """Learn of all sources with new lines, as far as the time goes."""
    is_left = True
    # At least of one, so that the work of many nights comes to an end.
    while is_left and not night.report.unfinished:
        before = len(night.report.left)
        night.step("learned lines", lambda session: _learn_of_one(session, night))
        is_left = len(night.report.left) == before and _has_news(night)
        night.report.unfinished = is_left and night.is_over()


def _learn_of_one(session: Session, night: Night) -> None:
    n_new = learned.learn_of_next(session, learn=night.judge.learn, now=night.now)
    night.report.learned += n_new or 0


def _learn_marks(night: Night) -> None:
    """Learn which marks are furniture, and judge copies again where that changed."""
    with reading(night.engine) as session:
        due = learned_marks.due_sources(session)
    while due and not night.report.unfinished:
        left = _learn_marks_of(night, due[-1])
        if not any(left):
            due.pop()
            night.report.furnished += len(left)
        night.report.unfinished = bool(due) and night.is_over()


def _learn_marks_of(night: Night, source: str) -> list[bool]:
    """Do one step for a source; say whether more are left, nothing if it failed."""
    left: list[bool] = []
    night.step(
        "furniture of copies",
        lambda session: left.append(
            learned_marks.step(session, source, judge=night.judge, now=night.now)
        ),
    )
    return left


def _has_news(night: Night) -> bool:
    with reading(night.engine) as session:
        return learned.has_news(session)


def _close_stories(night: Night, before: datetime) -> None:
    vectors = closing.forget_vectors(night.engine, before=before)
    for n_gone in night.steps("vectors of closed stories", vectors):
        night.report.vectors += n_gone
    stories = closing.close_stories(night.engine, before=before)
    for n_closed in night.steps("closed stories", stories):
        night.report.stories += n_closed


def _measure(night: Night) -> None:
    measured = statistics.renew(night.engine, is_over=night.is_over)
    night.report.left += measured.refused
    night.report.unmeasured = measured.n_left
