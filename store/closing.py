"""Stories closed: what only serves to find and review them goes when they are old.

A story that has not changed for some weeks takes no article any more. Its articles, its
title and its history stay.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from store.engine import Engine, transaction
from store.models import Story, StoryKey, StoryVector

# Rows a step: short transactions, as others want to write too.
BATCH = 5_000
_UNSEEN = {"synchronize_session": False}


def forget_vectors(engine: Engine, *, before: datetime) -> Iterator[int]:
    """Delete what articles were about, where that was stored before then.

    Yields:
        How many each transaction deleted, after its commit, if any.
    """
    old = (
        select(StoryVector.article_id)
        .where(StoryVector.stored_at < before)
        .order_by(StoryVector.stored_at)
        .limit(BATCH)
    )
    ids = [0]
    while ids:
        with transaction(engine) as session:
            ids = list(session.scalars(old))
            gone = delete(StoryVector).where(
                StoryVector.article_id.in_(ids), StoryVector.stored_at < before
            )
            session.execute(gone, execution_options=_UNSEEN)
        if ids:
            yield len(ids)


def close_stories(engine: Engine, *, before: datetime) -> Iterator[int]:
    """Take stories out of the index that have not changed since a time.

    Yields:
        How many each transaction closed, after its commit; of the last one if any.
    """
    after: int | None = 0
    while after is not None:
        with transaction(engine) as session:
            n_closed, after = _close_some(session, before, after)
        if n_closed or after is not None:
            yield n_closed


def _close_some(
    session: Session, before: datetime, after: int
) -> tuple[int, int | None]:
    """Close some stories; return how many, and up to which all are looked at."""
    listed = (
        select(StoryKey.story_id)
        .where(StoryKey.story_id > after)
        .group_by(StoryKey.story_id)
        .order_by(StoryKey.story_id)
        .limit(BATCH)
    )
    ids = list(session.scalars(listed))
    if not ids:
        return 0, None
    old = or_(Story.changed_at.is_(None), Story.changed_at < before)
    span = (Story.id >= ids[0], Story.id <= ids[-1])
    closed = set(session.scalars(select(Story.id).where(old, *span))) & set(ids)
    gone = delete(StoryKey).where(StoryKey.story_id.in_(closed))
    session.execute(gone, execution_options=_UNSEEN)
    return len(closed), ids[-1] if len(ids) == BATCH else None
