"""A single pass of the story stage over articles in memory, for measuring it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from enrich.messages import StoryCandidate, StoryFeatures
from enrich.stories.assign import add_member, assign


def cluster(articles: Iterable[tuple[StoryFeatures, datetime]]) -> list[int]:
    """Return a story number for each article, in the order in which they arrive.

    As in the database, only stories that share a key with the article are looked at.
    """
    stories: list[StoryCandidate] = []
    by_key: dict[int, set[int]] = defaultdict(set)
    chosen: list[int] = []
    for features, at in articles:
        found = {number for key in features.keys for number in by_key[key]}
        choice = assign(features, at, [stories[number] for number in found])
        number = len(stories) if choice.story_id is None else choice.story_id
        old = stories[number] if number < len(stories) else None
        story = StoryCandidate(
            story_id=number,
            centroid=add_member(
                old.centroid if old else (), old.n_articles if old else 0, features
            ),
            n_articles=old.n_articles + 1 if old else 1,
            last_at=max(old.last_at, at) if old else at,
        )
        stories[number : number + 1] = [story]
        for key in features.keys:
            by_key[key].add(number)
        chosen.append(number)
    return chosen
