"""Which story an article belongs to, and what a story is about once it has joined."""

from collections.abc import Sequence
from datetime import datetime

from enrich.messages import StoryCandidate, StoryChoice, StoryFeatures
from enrich.stories.features import Vector, unit_terms

VERSION = "1"  # raise it with every change that alters a choice

MIN_SIMILARITY = 0.28
MAX_CENTROID_TERMS = 80  # a story has more sides than an article

# After so many days of silence a story is half as near as it was. Stories of two weeks
# are still joined by what is plainly a sequel, not by what is merely alike.
HALF_LIFE_DAYS = 21.0

_SECONDS_PER_DAY = 86_400
_SCORE_DIGITS = 6

Terms = tuple[tuple[str, float], ...]


def assign(
    features: StoryFeatures, at: datetime, candidates: Sequence[StoryCandidate]
) -> StoryChoice:
    """Choose the nearest story, or none if all are too far.

    The score is the cosine with the story's centroid, halved for each three weeks
    between the article and the story's latest one. Equal scores go to the lowest
    `story_id`; the order of the candidates never matters.
    """
    vector = dict(features.terms)
    scored = [
        (
            -round(
                cosine(vector, candidate.centroid) * _freshness(at, candidate.last_at),
                _SCORE_DIGITS,
            ),
            candidate.story_id,
        )
        for candidate in candidates
    ]
    if not scored:
        return StoryChoice(story_id=None, score=0.0)
    negative, story_id = min(scored)
    near = -negative >= MIN_SIMILARITY
    return StoryChoice(story_id=story_id if near else None, score=abs(negative))


def add_member(centroid: Terms, n_articles: int, features: StoryFeatures) -> Terms:
    """Return the centroid of a story that an article joins.

    The running mean of the members' vectors, cut to the heaviest terms and scaled to
    unit length.

    Args:
        centroid: The story's centroid so far; empty for a new story.
        n_articles: How many articles it is the mean of.
        features: Those of the article that joins.
    """
    total = {term: weight * n_articles for term, weight in centroid}
    for term, weight in features.terms:
        total[term] = total.get(term, 0.0) + weight
    return unit_terms(total, MAX_CENTROID_TERMS)


def cosine(vector: Vector, terms: Terms) -> float:
    """Return the cosine of two unit vectors, one of them in the form of terms."""
    return sum(vector.get(term, 0.0) * weight for term, weight in terms)


def _freshness(at: datetime, last_at: datetime) -> float:
    # An article may be older than the story it belongs to.
    days = abs((at - last_at).total_seconds()) / _SECONDS_PER_DAY
    return float(0.5 ** (days / HALF_LIFE_DAYS))
