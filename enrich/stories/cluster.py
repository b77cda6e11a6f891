"""The story stage over articles in memory: for whoever judges it, and for measuring."""

import sys
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from enrich.messages import StoryCandidate, StoryFeatures, StoryPart
from enrich.stories.assign import assign, mean
from enrich.stories.features import index_keys
from enrich.stories.regroup import MAX_TAKEN_APART, choose_neighbours, regroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far is looked for a story; by default, at all that share a key."""

    window: timedelta = timedelta.max  # between an article and a story's nearest one
    most_of_key: int = sys.maxsize  # newest stories of each key
    most: int = sys.maxsize  # stories, those that share most keys first


EVERYWHERE = Reach()


def cluster(
    articles: Iterable[tuple[StoryFeatures, datetime]],
    reach: Reach = EVERYWHERE,
    *,
    reviewed: bool = True,
) -> list[int]:
    """Return a story number for each article, in the order in which they arrive.

    As in the database, articles join one after the other, only stories that share a
    key with the article are looked at, and stories that have changed are reviewed; here
    when all articles have come. Stories are numbered from 0 by their first article.

    Args:
        articles: What each is about, and its time.
        reach: How far is looked for a story.
        reviewed: Look at stories again; without it, what one pass made is returned.
    """
    shelf = _Shelf(reach=reach)
    for features, at in articles:
        shelf.place(features, at)
    if reviewed:
        shelf.review()
    numbers: dict[int, int] = {}
    return [numbers.setdefault(story, len(numbers)) for story in shelf.homes]


@dataclass(slots=True, kw_only=True)
class _Story:
    candidate: StoryCandidate
    places: list[int]  # of its articles, in the order of arrival
    keys: set[int]


@dataclass(slots=True, kw_only=True)
class _Shelf:
    reach: Reach
    articles: list[tuple[StoryFeatures, datetime]] = field(default_factory=list)
    homes: list[int] = field(default_factory=list)  # the story of each article
    stories: dict[int, _Story] = field(default_factory=dict)
    by_key: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    due: set[int] = field(default_factory=set)  # stories that have changed
    n_opened: int = 0

    def place(self, features: StoryFeatures, at: datetime) -> None:
        """Let an article join a story, or open one."""
        near = self._near(features.keys, at, at)
        choice = assign(features, at, [one.candidate for one in near])
        place = len(self.articles)
        self.articles.append((features, at))
        number = choice.story_id
        if number is None:
            number = self._open([place])
        else:
            story = self.stories[number]
            story.places.append(place)
            story.candidate = _joined(story.candidate, features, at)
            self._index(number, story, story.keys | set(features.keys))
        self.homes.append(number)
        self.due.add(number)

    def review(self) -> None:
        """Look at all stories that have changed, until none changes any more."""
        while self.due:
            for number in sorted(self.due):
                self.due.discard(number)
                if number in self.stories:
                    self._review(number)

    def _review(self, number: int) -> None:
        seed = self.stories[number].candidate
        near = self._near(index_keys(seed.centroid), seed.first_at, seed.last_at)
        others = choose_neighbours(seed, [one.candidate for one in near])
        parts = [part for one in (number, *others) for part in self._parts(one)]
        held = {part.number: self._places(part) for part in parts}
        groups = regroup(parts)
        before = {
            place: self.homes[place] for places in held.values() for place in places
        }
        for group in groups:
            places = sorted(place for one in group.numbers for place in held[one])
            home = group.story_id
            if home is None:
                home = self._open(places)
            else:
                self._refill(home, places)
            for place in places:
                self.homes[place] = home
        for place, home in before.items():
            if self.homes[place] != home:
                self.due |= {home, self.homes[place]}
        for gone in set(before.values()) - {self.homes[place] for place in before}:
            self._index(gone, self.stories[gone], set())
            del self.stories[gone]

    def _near(
        self, keys: Iterable[int], first: datetime, last: datetime
    ) -> list[_Story]:
        """Return the stories that share most keys and are near in time."""
        shared = Counter(
            number
            for key in keys
            for number in self.by_key[key][-self.reach.most_of_key :]
        )
        window = self.reach.window
        near = [
            one
            for one in shared
            # Differences, because a time moved by a window may leave the calendar.
            if self.stories[one].candidate.first_at - last <= window
            and first - self.stories[one].candidate.last_at <= window
        ]
        near.sort(key=lambda one: (-shared[one], one))
        return [self.stories[one] for one in near[: self.reach.most]]

    def _parts(self, number: int) -> list[StoryPart]:
        story = self.stories[number].candidate
        if story.n_articles > MAX_TAKEN_APART:
            middle = story.first_at + (story.last_at - story.first_at) / 2
            whole = StoryPart(
                number=-1 - number,
                story_id=number,
                n_articles=story.n_articles,
                terms=story.centroid,
                at=middle,
            )
            return [whole]
        return [
            StoryPart(
                number=place,
                story_id=number,
                n_articles=1,
                terms=self.articles[place][0].terms,
                at=self.articles[place][1],
            )
            for place in self.stories[number].places
        ]

    def _places(self, part: StoryPart) -> list[int]:
        return self.stories[part.story_id].places if part.number < 0 else [part.number]

    def _open(self, places: list[int]) -> int:
        number = self.n_opened
        self.n_opened += 1
        self._refill(number, places)
        return number

    def _refill(self, number: int, places: list[int]) -> None:
        found = [self.articles[place] for place in places]
        times = [at for _, at in found]
        candidate = StoryCandidate(
            story_id=number,
            centroid=mean([(features.terms, 1) for features, _ in found]),
            n_articles=len(found),
            first_at=min(times),
            last_at=max(times),
        )
        keys = {key for features, _ in found for key in features.keys}
        old = self.stories.get(number)
        story = _Story(
            candidate=candidate, places=places, keys=old.keys if old else set()
        )
        self.stories[number] = story
        self._index(number, story, keys)

    def _index(self, number: int, story: _Story, keys: set[int]) -> None:
        for key in keys - story.keys:
            insort(self.by_key[key], number)
        for key in story.keys - keys:
            numbers = self.by_key[key]
            del numbers[bisect_left(numbers, number)]
        story.keys = keys


def _joined(
    story: StoryCandidate, features: StoryFeatures, at: datetime
) -> StoryCandidate:
    return StoryCandidate(
        story_id=story.story_id,
        centroid=mean([(story.centroid, story.n_articles), (features.terms, 1)]),
        n_articles=story.n_articles + 1,
        first_at=min(story.first_at, at),
        last_at=max(story.last_at, at),
    )
