"""Stories filled anew: their members, what they are about, and what happened."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import aliased

from enrich.messages import Stage, StoryGroup
from store.batches import insert_numbered, insert_rows, update_alike
from store.clauses import chunks
from store.models import Duplicate, Story, StoryKey
from store.models import StoryMember as Member
from store.pipelines import active
from store.roles import count_members
from store.shelf import Described, Filled, Part, Shelf
from store.story_history import tell, tell_merged
from store.tuples import Tuples
from store.vectors import pack_terms
from store.words import MemberRole


def refill(
    shelf: Shelf, seed: int, held: Mapping[int, Part], groups: Sequence[StoryGroup]
) -> None:
    """Give each group its story, and tell the shelf which stories have changed.

    Args:
        shelf: What is worked with; `write_down` is to follow.
        seed: The story that was due.
        held: The parts by their number.
        groups: Which of them make a story; the others stay as they are.
    """
    filled = [_filled(shelf, held, group) for group in groups]
    homes = {part.number: one.story_id for one in filled for part in one.parts}
    moved = [held[number] for number in homes if homes[number] != held[number].story_id]
    wholes = {part.story_id for one in filled for part in one.parts if part.number < 0}
    keys = _keys(shelf, wholes) if moved else {}
    for one in filled:
        _move(shelf, one)
    merged = _merge(shelf, moved, homes)
    changed = {homes[part.number] for part in moved} | {one.story_id for one in moved}
    tell(shelf, filled, moved, merged)
    for one in filled:
        is_changed = one.story_id in changed
        # A large story that nothing happened to knows itself.
        if is_changed or all(part.is_article for part in one.parts):
            wanted = _wanted_keys(shelf, one, keys)
            shelf.filled.append(Described(one, wanted, is_changed))
    if seed not in changed:
        shelf.settled.append(seed)
    shelf.changed |= changed


def write_down(shelf: Shelf) -> None:
    """Write down what the stories of a step are about, as their parts say."""
    # What was as good as it stood may have changed with a later one of the step.
    filled = [
        one
        for one in shelf.filled
        if one.is_changed or one.story.story_id not in shelf.changed
    ]
    had = _keys(shelf, [one.story.story_id for one in filled])
    rows, news = [], []
    for one in filled:
        story_id = one.story.story_id
        row = _story_row(shelf, one.story.parts) | {"id": story_id}
        if not one.is_changed:
            del row["changed_at"], row["is_due"]
        rows.append(row)
        for some in chunks(sorted(had[story_id] - one.keys)):
            which = (StoryKey.story_id == story_id, StoryKey.key.in_(some))
            shelf.change(delete(StoryKey).where(*which))
        lacking = sorted(one.keys - had[story_id])
        news += [(shelf.pipeline_id, key, story_id) for key in lacking]
    update_alike(shelf.session, Story, rows)
    names = ("pipeline_id", "key", "story_id")
    insert_rows(shelf.session, StoryKey, Tuples(names, news))
    for some in chunks(sorted(set(shelf.settled) - shelf.changed)):
        shelf.change(update(Story).where(Story.id.in_(some)).values(is_due=False))
    count_members(shelf.session, shelf.changed)


def bring_copies(shelf: Shelf, story_ids: Iterable[int]) -> None:
    """Bring the copies in some stories to where their originals are.

    A story of which nothing is left then is merged into the one that took the copies.
    """
    original = aliased(Member)
    query = (
        select(Member.article_id, Member.story_id, original.story_id.label("home"))
        .join(Duplicate, Duplicate.article_id == Member.article_id)
        .join(original, original.article_id == Duplicate.original_id)
        .where(Duplicate.pipeline_id == active(Stage.COPIES))
        .where(original.pipeline_id == Member.pipeline_id)
        .where(original.story_id != Member.story_id)
        .where(Member.pipeline_id == shelf.pipeline_id)
        .order_by(Member.article_id)
    )
    rows: list[Any] = []
    for some in chunks(sorted(story_ids)):
        rows += shelf.session.execute(query.where(Member.story_id.in_(some))).all()
    _change_members(shelf, {row.article_id: {"story_id": row.home} for row in rows})
    homes = {row.story_id: row.home for row in rows}
    left = select(Member.story_id).where(Member.story_id.in_(homes))
    for emptied in homes.keys() - set(shelf.session.scalars(left.distinct())):
        _take_over(shelf, emptied, homes[emptied])
        tell_merged(shelf, emptied, homes[emptied])


def _filled(shelf: Shelf, held: Mapping[int, Part], group: StoryGroup) -> Filled:
    parts = sorted(
        (held[number] for number in group.numbers),
        key=lambda part: (part.first_at, part.number),
    )
    scores = dict(zip(group.numbers, group.scores, strict=False))
    if group.story_id is not None:
        return Filled(group.story_id, parts, scores, split_from=None)
    row = {
        **_story_row(shelf, parts),
        "pipeline_id": shelf.pipeline_id,
        "n_articles": sum(part.n_articles for part in parts),
        "created_at": shelf.now,
    }
    (story_id,) = insert_numbered(shelf.session, Story, [row])
    return Filled(story_id, parts, scores, split_from=_most(parts))


def _most(parts: Iterable[Part]) -> int:
    """Return the story that most of some articles are in, the oldest of equal ones."""
    counts: Counter[int] = Counter()
    for part in parts:
        counts[part.story_id] += part.n_articles
    return min(counts, key=lambda story_id: (-counts[story_id], story_id))


def _story_row(shelf: Shelf, parts: Sequence[Part]) -> dict[str, Any]:
    centroid = shelf.clusterer.mean([(part.terms, part.n_articles) for part in parts])
    return {
        "title": parts[0].title,
        "first_at": min(part.first_at for part in parts),
        "last_at": max(part.last_at for part in parts),
        "centroid": pack_terms(centroid),
        "changed_at": shelf.now,
        "is_due": True,
    }


def _members_of(shelf: Shelf) -> Any:
    return update(Member).where(Member.pipeline_id == shelf.pipeline_id)


def _change_members(shelf: Shelf, changes: Mapping[int, dict[str, Any]]) -> None:
    """Change members by the id of their article."""
    rows = [
        {"article_id": article_id, "pipeline_id": shelf.pipeline_id, **values}
        for article_id, values in changes.items()
    ]
    if rows:
        shelf.session.execute(update(Member), rows)


def _move(shelf: Shelf, one: Filled) -> None:
    opener = one.parts[0]
    changes: dict[int, dict[str, Any]] = {}
    for part in one.parts:
        is_new = part.story_id != one.story_id
        if part.is_article:
            role = MemberRole.OPENER if part is opener else MemberRole.MEMBER
            values: dict[str, Any] = {"role": role} if role != part.role else {}
            if is_new:
                score = one.scores.get(part.number, 0.0)
                values |= {"story_id": one.story_id, "score": score}
            if values:
                changes[part.number] = values
            continue
        members = _members_of(shelf).where(Member.story_id == part.story_id)
        if part is not opener:
            first = members.where(Member.role == MemberRole.OPENER)
            shelf.change(first.values(role=MemberRole.MEMBER))
        if is_new:
            shelf.change(members.values(story_id=one.story_id))
    _change_members(shelf, changes)


def _merge(
    shelf: Shelf, moved: Sequence[Part], homes: Mapping[int, int]
) -> dict[int, int]:
    """Close the stories that nothing is left of; return by which each was taken."""
    left: dict[int, list[Part]] = {}
    filled = set(homes.values())
    for part in moved:
        if part.story_id not in filled:
            left.setdefault(part.story_id, []).append(part)
    merged = {
        story_id: _most([part._replace(story_id=homes[part.number]) for part in parts])
        for story_id, parts in left.items()
    }
    for story_id, target in sorted(merged.items()):
        # Copies whose originals are elsewhere, or nowhere.
        rest = _members_of(shelf).where(Member.story_id == story_id)
        shelf.change(rest.values(story_id=target))
        _take_over(shelf, story_id, target)
    return merged


def _take_over(shelf: Shelf, story_id: int, target: int) -> None:
    gone = Story.id == story_id
    values = {"merged_into": target, "is_due": False, "changed_at": shelf.now}
    shelf.change(update(Story).where(gone).values(values))
    # So that one look leads to what lives.
    before = update(Story).where(Story.merged_into == story_id)
    shelf.change(before.values(merged_into=target))
    shelf.change(delete(StoryKey).where(StoryKey.story_id == story_id))


def _keys(shelf: Shelf, story_ids: Iterable[int]) -> dict[int, set[int]]:
    """Return the index keys of stories by id."""
    found: dict[int, set[int]] = {one: set() for one in story_ids}
    for some in chunks(sorted(found)):
        # By the story alone: with the pipeline, SQLite reads all keys of that.
        query = select(StoryKey.story_id, StoryKey.key)
        query = query.where(StoryKey.story_id.in_(some))
        for story_id, key in shelf.session.execute(query):
            found[story_id].add(key)
    return found


def _wanted_keys(shelf: Shelf, one: Filled, keys: Mapping[int, set[int]]) -> set[int]:
    wanted: set[int] = set()
    for part in one.parts:
        own = part.is_article
        wanted |= set(shelf.clusterer.keys(part.terms)) if own else keys[part.story_id]
    return wanted
