"""A second look at stories: what a single pass has put apart or together wrongly.

Which story an article joined depends on what had come before it. Here the articles of
a few stories that are near each other are grouped anew, all at once, so that the order
in which they came no longer matters.
"""

from collections import defaultdict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import combinations

from enrich.messages import StoryCandidate, StoryGroup, StoryPart
from enrich.stories.assign import MIN_SIMILARITY, days_between, freshness, product

# Stories with less in common hold few articles that belong together: from 0.08 on the
# labelled topics end in the same stories.
MIN_NEARNESS = 0.16
# Larger stories are moved as a whole and never taken apart: two by two, a thousand
# articles are half a million comparisons.
MAX_TAKEN_APART = 50
MAX_PARTS = 80

# Sums of similarities differ in their last digits by the order of adding.
_DIGITS = 9
_SCALE = 10_000  # vectors have four decimals
_GAIN = 1e-6

_Pair = tuple[int, int]  # places in the order of time, the lower one first


def choose_neighbours(
    story: StoryCandidate, others: Sequence[StoryCandidate]
) -> list[int]:
    """Return the ids of the stories that are to be reviewed with one, nearest first.

    As many as make 80 parts with it: each article is one, and each story of more than
    50 articles.
    """
    near = [
        (-_nearness(story, other), other.story_id, _n_parts(other))
        for other in others
        if other.story_id != story.story_id
    ]
    chosen, room = [], MAX_PARTS - _n_parts(story)
    for negative, story_id, n_parts in sorted(near):
        if -negative < MIN_NEARNESS or n_parts > room:
            break
        chosen.append(story_id)
        room -= n_parts
    return chosen


def regroup(parts: Sequence[StoryPart]) -> list[StoryGroup]:
    """Group the parts of some stories anew; none if they are as good as they stand.

    Groups grow by average linkage (Sokal and Michener, 1958): the two that are most
    alike become one, as long as their articles are alike by `MIN_SIMILARITY`, taken
    two by two and halved for each three weeks between them. The outcome counts only
    where it is better: where the similarities of all pairs within stories, each less
    that bound, add up to more than they do now. So every change makes that sum of all
    stories grow, and reviews come to an end.

    Returns:
        The groups, with the ids that most of their articles had; or none.
    """
    parts = sorted(parts, key=lambda part: (part.at, part.number))
    near = _similarities(parts)
    groups = _link(parts, near)
    now: dict[int, list[int]] = defaultdict(list)
    for place, part in enumerate(parts):
        now[part.story_id].append(place)
    if _worth(parts, near, groups) <= _worth(parts, near, list(now.values())) + _GAIN:
        return []
    names = _name(parts, groups)
    return [
        StoryGroup(
            story_id=name,
            numbers=tuple(parts[place].number for place in group),
            scores=tuple(_score(parts, near, place, group) for place in group),
        )
        for name, group in zip(names, groups, strict=True)
    ]


def _n_parts(story: StoryCandidate) -> int:
    return 1 if story.n_articles > MAX_TAKEN_APART else story.n_articles


def _nearness(one: StoryCandidate, other: StoryCandidate) -> float:
    days = 0.0
    if one.last_at < other.first_at or other.last_at < one.first_at:
        days = min(
            days_between(one.last_at, other.first_at),
            days_between(other.last_at, one.first_at),
        )
    near = product(dict(one.centroid), other.centroid) * freshness(days)
    return round(near, _DIGITS)


def _similarities(parts: Sequence[StoryPart]) -> dict[_Pair, float]:
    """Return how alike each two parts are, time counted; the lower place first."""
    shared = dict.fromkeys(combinations(range(len(parts)), 2), 0)
    for places in _places_of_terms(parts).values():
        for (one, weight), (other, other_weight) in combinations(places, 2):
            shared[one, other] += weight * other_weight
    return {
        (one, other): product
        / _SCALE**2
        * freshness(days_between(parts[one].at, parts[other].at))
        for (one, other), product in shared.items()
    }


def _places_of_terms(
    parts: Sequence[StoryPart],
) -> dict[str, list[tuple[int, int]]]:
    """Return which parts have a term, and with which weight in whole numbers.

    Sums of whole numbers are the same in whatever order they are added.
    """
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, part in enumerate(parts):
        for term, weight in dict(part.terms).items():
            places[term].append((place, round(weight * _SCALE)))
    return places


def _link(parts: Sequence[StoryPart], near: dict[_Pair, float]) -> list[list[int]]:
    """Return groups of places, each in order, and in the order of their first."""
    means = dict(near)
    groups = {place: [place] for place in range(len(parts))}
    sizes = [part.n_articles for part in parts]
    waiting = [_wait(pair, mean) for pair, mean in means.items()]
    waiting = [one for one in waiting if -one[0] >= MIN_SIMILARITY]
    heapify(waiting)
    while waiting:
        negative, one, other = heappop(waiting)
        # What was written down of a group that has grown since counts no more.
        if means.get((one, other)) is None or negative != -_round(means[one, other]):
            continue
        groups[one] += groups.pop(other)
        del means[one, other]
        for third in groups:
            if third == one:
                continue
            kept, gone = _pair(one, third), _pair(other, third)
            whole = means[kept] * sizes[one] + means.pop(gone) * sizes[other]
            means[kept] = whole / (sizes[one] + sizes[other])
            if _round(means[kept]) >= MIN_SIMILARITY:
                heappush(waiting, _wait(kept, means[kept]))
        sizes[one] += sizes[other]
    return [sorted(groups[place]) for place in sorted(groups)]


def _wait(pair: _Pair, mean: float) -> tuple[float, int, int]:
    return (-_round(mean), *pair)


def _round(mean: float) -> float:
    return round(mean, _DIGITS)


def _pair(one: int, other: int) -> _Pair:
    return (one, other) if one < other else (other, one)


def _worth(
    parts: Sequence[StoryPart],
    near: dict[_Pair, float],
    groups: Sequence[Sequence[int]],
) -> float:
    return sum(
        parts[one].n_articles
        * parts[other].n_articles
        * (near[one, other] - MIN_SIMILARITY)
        for group in groups
        for one, other in combinations(group, 2)
    )


def _name(
    parts: Sequence[StoryPart], groups: Sequence[Sequence[int]]
) -> list[int | None]:
    """Return for each group the story of which it has most articles, each but once."""
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for number, group in enumerate(groups):
        for place in group:
            shared[number, parts[place].story_id] += parts[place].n_articles
    names: list[int | None] = [None] * len(groups)
    ranked = sorted(shared.items(), key=lambda one: (-one[1], one[0][1], one[0][0]))
    for (number, story_id), _ in ranked:
        if names[number] is None and story_id not in names:
            names[number] = story_id
    return names


def _score(
    parts: Sequence[StoryPart],
    near: dict[_Pair, float],
    place: int,
    group: Sequence[int],
) -> float:
    others = [other for other in group if other != place]
    if not others:
        return 1.0
    whole = sum(near[_pair(place, other)] * parts[other].n_articles for other in others)
    return _round(whole / sum(parts[other].n_articles for other in others))
