"""Keeps the roles of story members in step with the verdicts on copies."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from store.clauses import among, chunks
from store.models import Story, StoryMember
from store.words import MemberRole


def follow_verdicts(
    session: Session, changed: Mapping[int, int | None], *, now: datetime
) -> None:
    """Make members that became copies copies, and the other way round.

    Args:
        session: In a transaction.
        changed: article id -> its original, or None where it became an original.
        now: The present moment.
    """
    stories: set[int] = set()
    for is_copy in (True, False):
        ids = [one for one, original in changed.items() if bool(original) == is_copy]
        role = MemberRole.COPY if is_copy else MemberRole.MEMBER
        was_other = (
            StoryMember.role != MemberRole.COPY
            if is_copy
            else StoryMember.role == MemberRole.COPY
        )
        for some in chunks(ids):
            moved = (
                update(StoryMember)
                .where(among(session, StoryMember.article_id, some), was_other)
                .values(role=role)
                .returning(StoryMember.story_id)
            )
            options = {"synchronize_session": False}
            stories |= set(session.scalars(moved, execution_options=options))
    # What a story is about no longer counts them, or counts them now.
    let_review(session, stories, now=now)
    count_members(session, stories)


def let_review(session: Session, story_ids: Iterable[int], *, now: datetime) -> None:
    """Note that what stories are about has changed."""
    for some in chunks(sorted(story_ids)):
        session.execute(
            update(Story)
            .where(Story.id.in_(some))
            .values(is_due=True, changed_at=now)
            .execution_options(synchronize_session=False)
        )


def count_members(session: Session, story_ids: Iterable[int]) -> None:
    """Bring `story.n_articles` in line with its members; copies do not count."""
    count = (
        select(func.count())
        .where(StoryMember.story_id == Story.id)
        .where(StoryMember.role != MemberRole.COPY)
        .scalar_subquery()
    )
    for some in chunks(sorted(story_ids)):
        session.execute(
            update(Story)
            .where(Story.id.in_(some))
            .values(n_articles=count)
            .execution_options(synchronize_session=False)
        )
