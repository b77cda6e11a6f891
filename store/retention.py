"""How long articles are kept: policies, what they would delete, and doing so.

The most specific policy of a feed counts: its own, or else the longest of its tags, or
else the one for all. Without a policy nothing is ever deleted. The age of an article
is the time since it was stored, so that an old article which came today stays as long
as any other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from store.clauses import insert_into
from store.engine import Engine, transaction
from store.errors import NotFound
from store.forget import Forgotten, forget_articles
from store.judge import Judge
from store.models import Article, Feed, RetentionPolicy

# So short that nobody waits long for its locks.
BATCH = 1_000
ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a policy is about: one feed, the feeds with a tag, or (neither) all."""

    feed_id: int | None = None
    tag: str | None = None

    def __str__(self) -> str:
        """Name it as the table does."""
        if self.feed_id is not None:
            return f"feed:{self.feed_id}"
        return f"tag:{self.tag}" if self.tag is not None else ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long the articles of a scope are kept."""

    scope: str
    keep_days: int | None  # None: for ever
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The articles of one feed that are past their time."""

    feed_id: int
    url: str
    scope: str  # the policy that counts
    before: datetime  # articles stored before then go
    n_articles: int


def set_policy(
    session: Session, scope: Scope, keep_days: int | None, *, now: datetime
) -> None:
    """Say how long the articles of a scope are kept; what was said before is void.

    Args:
        session: In a transaction.
        scope: A feed, a tag or all.
        keep_days: Days since an article was stored, from 1; None for ever.
        now: The time.

    Raises:
        NotFound: There is no such feed.
        ValueError: Not a number of days.
    """
    if keep_days is not None and keep_days < 1:
        raise ValueError(f"{keep_days} is no number of days to keep articles")
    if scope.feed_id is not None and session.get(Feed, scope.feed_id) is None:
        raise NotFound("feed", scope.feed_id)
    row = {
        "scope": str(scope),
        "feed_id": scope.feed_id,
        "tag": scope.tag,
        "keep_days": keep_days,
        "created_at": now,
    }
    insert = insert_into(session, RetentionPolicy).values(row)
    changed = {name: insert.excluded[name] for name in ("keep_days", "created_at")}
    session.execute(
        insert.on_conflict_do_update(index_elements=["scope"], set_=changed)
    )


def remove_policy(session: Session, scope: Scope) -> None:
    """Take a policy back.

    Raises:
        NotFound: There is none for this scope.
    """
    gone = delete(RetentionPolicy).where(RetentionPolicy.scope == str(scope))
    if session.scalar(gone.returning(RetentionPolicy.scope)) is None:
        raise NotFound("retention policy", scope)


def find_policy(session: Session, scope: Scope) -> Policy | None:
    """Return the policy of a scope, if it has one of its own."""
    name = str(scope)
    return next((one for one in list_policies(session) if one.scope == name), None)


def list_policies(session: Session) -> list[Policy]:
    """Return all policies, by their scope."""
    rows = session.scalars(select(RetentionPolicy).order_by(RetentionPolicy.scope))
    return [
        Policy(scope=one.scope, keep_days=one.keep_days, created_at=one.created_at)
        for one in rows
    ]


def plan(session: Session, *, now: datetime) -> list[Due]:
    """Return what is past its time, feed by feed; nothing is deleted."""
    policies = list_policies(session)
    if not policies:
        return []
    kept = {one.scope: one.keep_days for one in policies}
    found = []
    for feed in session.execute(select(Feed.id, Feed.url, Feed.tags).order_by(Feed.id)):
        scope = _policy_of(feed.id, feed.tags, kept)
        days = kept.get(scope)
        if days is None:
            continue
        before = now - timedelta(days=days)
        old = (Article.feed_id == feed.id, Article.first_seen_at < before)
        query = select(func.count()).select_from(Article).where(*old)
        if n_articles := session.scalar(query):
            found.append(
                Due(
                    feed_id=feed.id,
                    url=feed.url,
                    scope=scope,
                    before=before,
                    n_articles=n_articles,
                )
            )
    return found


def _policy_of(feed_id: int, tags: Sequence[str], kept: dict[str, int | None]) -> str:
    own = str(Scope(feed_id=feed_id))
    if own in kept:
        return own
    tagged = [name for tag in tags if (name := str(Scope(tag=tag))) in kept]
    return max(tagged, key=lambda name: kept[name] or float("inf"), default=ALL)


def apply(
    engine: Engine, due: Sequence[Due], *, judge: Judge, now: datetime
) -> Iterator[Forgotten]:
    """Delete what is past its time, a thousand articles in a transaction.

    Yields:
        What each transaction deleted, after its commit: whoever stops asking stops it.
    """
    for one in due:
        yield from _forget(engine, one, judge, now)


def _forget(
    engine: Engine, due: Due, judge: Judge, now: datetime
) -> Iterator[Forgotten]:
    query = (
        select(Article.id)
        .where(Article.feed_id == due.feed_id, Article.first_seen_at < due.before)
        .order_by(Article.id)
        .limit(BATCH)
    )
    while True:
        with transaction(engine) as session:
            ids = list(session.scalars(query))
            if not ids:
                return
            gone = forget_articles(session, ids, judge=judge, now=now)
        yield gone
