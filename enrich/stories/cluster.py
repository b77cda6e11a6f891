"""The story stage over articles in memory: for whoever judges it, and for measuring."""

import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrich.messages import StoryCandidate, StoryFeatures
from enrich.stories.assign import add_member, assign


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far is looked for a story; by default, at all that share a key."""

    window: timedelta = timedelta.max  # between an article and a story's nearest one
    most_of_key: int = sys.maxsize  # newest stories of each key
    most: int = sys.maxsize  # stories, those that share most keys first


EVERYWHERE = Reach()


def cluster(
    articles: Iterable[tuple[StoryFeatures, datetime]], reach: Reach = EVERYWHERE
) -> list[int]:
    """Return a story number for each article, in the order in which they arrive.

    As in the database, only stories that share a key with the article are looked at.
    Stories are numbered from 0 as they open.
    """
    shelf = _Shelf()
    return [shelf.place(features, at, reach) for features, at in articles]


@dataclass(slots=True)
class _Shelf:
    stories: list[StoryCandidate] = field(default_factory=list)
    first_at: list[datetime] = field(default_factory=list)  # by number of story
    by_key: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def place(self, features: StoryFeatures, at: datetime, reach: Reach) -> int:
        found = self._near(features.keys, at, reach)
        choice = assign(features, at, [self.stories[number] for number in found])
        number = choice.story_id
        if number is None:
            number = len(self.stories)
            self.first_at.append(at)
            self.stories.append(_opened(number, features, at))
        else:
            self.first_at[number] = min(self.first_at[number], at)
            self.stories[number] = _joined(self.stories[number], features, at)
        for key in features.keys:
            _insert(self.by_key[key], number)
        return number

    def _near(self, keys: Sequence[int], at: datetime, reach: Reach) -> list[int]:
        shared = Counter(
            number for key in keys for number in self.by_key[key][-reach.most_of_key :]
        )
        near = [one for one in shared if self._in_window(one, at, reach.window)]
        near.sort(key=lambda one: (-shared[one], one))
        return near[: reach.most]

    def _in_window(self, number: int, at: datetime, window: timedelta) -> bool:
        # Differences, because a time moved by a window may leave the calendar.
        return (
            self.first_at[number] - at <= window
            and at - self.stories[number].last_at <= window
        )


def _opened(number: int, features: StoryFeatures, at: datetime) -> StoryCandidate:
    return StoryCandidate(
        story_id=number, centroid=add_member((), 0, features), n_articles=1, last_at=at
    )


def _joined(
    story: StoryCandidate, features: StoryFeatures, at: datetime
) -> StoryCandidate:
    return StoryCandidate(
        story_id=story.story_id,
        centroid=add_member(story.centroid, story.n_articles, features),
        n_articles=story.n_articles + 1,
        last_at=max(story.last_at, at),
    )


def _insert(numbers: list[int], number: int) -> None:
    place = bisect_left(numbers, number)
    if place == len(numbers) or numbers[place] != number:
        numbers.insert(place, number)
