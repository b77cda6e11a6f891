"""Stories closed: what only serves to find and review them goes when they are old.

A story that has not changed for some weeks takes no article any more. Its articles, its
title and its history stay.
"""

from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from store.models import Story, StoryKey, StoryVector

# Rows a step: short transactions, as others want to write too.
BATCH = 5_000


def forget_vectors(session: Session, *, before: datetime) -> int:
    """Delete some of what articles were about before then; return how many."""
    old = (
        select(StoryVector.article_id)
        .where(StoryVector.stored_at < before)
        .order_by(StoryVector.stored_at)
        .limit(BATCH)
    )
    ids = list(session.scalars(old))
    gone = delete(StoryVector).where(
        StoryVector.article_id.in_(ids), StoryVector.stored_at < before
    )
    session.execute(gone, execution_options={"synchronize_session": False})
    return len(ids)


def close_stories(
    session: Session, *, before: datetime, after: int = 0
) -> tuple[int, int | None]:
    """Take some stories out of the index that have not changed since a time.

    Args:
        session: In a transaction.
        before: Stories that have not changed since then are closed.
        after: Where the step before this one ended.

    Returns:
        How many were closed, and where this step ended; None at the end of all.
    """
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
    session.execute(gone, execution_options={"synchronize_session": False})
    return len(closed), ids[-1] if len(ids) == BATCH else None
