"""What happened to stories, as their events tell it."""

from collections.abc import Mapping, Sequence
from typing import Any

from store.batches import insert_rows
from store.models import StoryEvent
from store.shelf import Filled, Part, Shelf
from store.words import StoryEventKind


def tell(
    shelf: Shelf,
    filled: Sequence[Filled],
    moved: Sequence[Part],
    merged: Mapping[int, int],
) -> None:
    """Tell of stories that were split and merged, and of articles that moved."""
    events = []
    homes = {part.number: one for one in filled for part in one.parts}
    for one in filled:
        if one.split_from is not None:
            first = one.parts[0]
            article_id = first.number if first.is_article else None
            where = (one.story_id, article_id, one.split_from)
            events.append(_event(shelf, StoryEventKind.SPLIT, *where))
    for story_id, target in sorted(merged.items()):
        events.append(_merging(shelf, story_id, target))
    for part in moved:
        home = homes[part.number]
        went_along = part.story_id == home.split_from
        went_along |= merged.get(part.story_id) == home.story_id
        if part.is_article and not went_along:
            where = (home.story_id, part.number, part.story_id)
            events.append(_event(shelf, StoryEventKind.MOVED, *where))
    insert_rows(shelf.session, StoryEvent, events)


def tell_merged(shelf: Shelf, story_id: int, target: int) -> None:
    """Tell that a story was merged into another."""
    insert_rows(shelf.session, StoryEvent, [_merging(shelf, story_id, target)])


def _merging(shelf: Shelf, story_id: int, target: int) -> dict[str, Any]:
    return _event(shelf, StoryEventKind.MERGED, story_id, None, target)


def _event(
    shelf: Shelf,
    kind: StoryEventKind,
    story_id: int,
    article_id: int | None,
    other_story_id: int,
) -> dict[str, Any]:
    return {
        "story_id": story_id,
        "kind": kind,
        "article_id": article_id,
        "other_story_id": other_story_id,
        "at": shelf.now,
    }
