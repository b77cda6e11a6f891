"""Which story an article belongs to, and what a story is about."""

from collections.abc import Sequence
from datetime import datetime

from enrich.messages import StoryCandidate, StoryChoice, StoryFeatures
from enrich.stories.features import Terms, Vector, heaviest_terms

VERSION = "2"  # raise it with every change that alters a choice, or a review

# The same for one article and a story, and for two stories: their articles are alike
# by so much, taken two by two. Chosen on one half of the labelled topics, by the
# stories that reviews leave; from 0.20 to 0.24 those change little.
MIN_SIMILARITY = 0.22
MAX_CENTROID_TERMS = 80  # a story has more sides than an article

# Two articles that lie so many days apart are half as alike as they were on one day.
# Stories of two weeks are still joined by what is plainly a sequel, not by what is
# merely alike.
HALF_LIFE_DAYS = 21.0

_SECONDS_PER_DAY = 86_400
_SCORE_DIGITS = 6


def assign(
    features: StoryFeatures, at: datetime, candidates: Sequence[StoryCandidate]
) -> StoryChoice:
    """Choose the nearest story, or none if all are too far.

    The score is the mean cosine with the story's articles, halved for each three weeks
    between the article and the time from the story's first to its latest. Equal scores
    go to the lowest `story_id`; the order of the candidates never matters.
    """
    vector = dict(features.terms)
    scored = [
        (-_score(vector, at, candidate), candidate.story_id) for candidate in candidates
    ]
    if not scored:
        return StoryChoice(story_id=None, score=0.0)
    negative, story_id = min(scored)
    near = -negative >= MIN_SIMILARITY
    return StoryChoice(story_id=story_id if near else None, score=abs(negative))


def mean(parts: Sequence[tuple[Terms, int]]) -> Terms:
    """Return the mean of vectors, each with its weight, cut to the heaviest terms.

    It is no unit vector: its product with an article's vector is the mean cosine of
    that article with all whose mean it is.
    """
    total: dict[str, float] = {}
    for terms, weight in parts:
        for term, value in terms:
            total[term] = total.get(term, 0.0) + value * weight
    n_all = sum(weight for _, weight in parts)
    means = {term: value / n_all for term, value in total.items()}
    return heaviest_terms(means, MAX_CENTROID_TERMS)


def product(vector: Vector, terms: Terms) -> float:
    """Return the sum of what two vectors share, one of them in the form of terms."""
    return sum(vector.get(term, 0.0) * weight for term, weight in terms)


def freshness(days: float) -> float:
    """Return what time leaves of a similarity, from 0 to 1."""
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def days_between(one: datetime, other: datetime) -> float:
    """Return how far apart two moments lie, whichever is the first."""
    return abs((one - other).total_seconds()) / _SECONDS_PER_DAY


def _score(vector: Vector, at: datetime, story: StoryCandidate) -> float:
    # An article may be older than the story it belongs to, or fall into its middle.
    nearest = min(max(at, story.first_at), story.last_at)
    near = product(vector, story.centroid) * freshness(days_between(at, nearest))
    return round(near, _SCORE_DIGITS)
