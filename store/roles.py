"""Keeps the roles of story members in step with the verdicts on copies."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, not_, select, update
from sqlalchemy.orm import Session

from store.clauses import Listed, chunks
from store.models import Story, StoryMember
from store.words import MemberRole

_MEMBERS = (
    update(StoryMember)
    .where(Listed(StoryMember.article_id, "ids"))
    .returning(StoryMember.story_id)
)
_IS_COPY = StoryMember.role == MemberRole.COPY
_MOVED = {
    True: _MEMBERS.where(not_(_IS_COPY)).values(role=MemberRole.COPY),
    False: _MEMBERS.where(_IS_COPY).values(role=MemberRole.MEMBER),
}


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
    for is_copy, moved in _MOVED.items():
        ids = [one for one, original in changed.items() if bool(original) == is_copy]
        for some in chunks(ids):
            options = {"synchronize_session": False}
            found = session.scalars(moved, {"ids": some}, execution_options=options)
            stories |= set(found)
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
