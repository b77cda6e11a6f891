"""A second look at stories: grouped anew, where that is better, in any order."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.messages import StoryCandidate, StoryFeatures, StoryGroup, StoryPart
from enrich.stories.assign import MIN_SIMILARITY, days_between, freshness, product
from enrich.stories.cluster import cluster
from enrich.stories.features import index_keys, unit_terms
from enrich.stories.regroup import (
    MAX_PARTS,
    MAX_TAKEN_APART,
    choose_neighbours,
    regroup,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Vector = dict[str, float]


def part(
    number: int, story_id: int, vector: Vector, *, days: float = 0.0, n: int = 1
) -> StoryPart:
    return StoryPart(
        number=number,
        story_id=story_id,
        n_articles=n,
        terms=unit_terms(vector, 60),
        at=NOW + timedelta(days=days),
    )


def numbers(groups: list[StoryGroup]) -> set[frozenset[int]]:
    return {frozenset(group.numbers) for group in groups}


def worth(parts: list[StoryPart], stories: dict[int, int]) -> float:
    """Add up what pairs within stories have in common, less what is asked of them."""
    total = 0.0
    for one, other in combinations(parts, 2):
        if stories[one.number] == stories[other.number]:
            alike = product(dict(one.terms), other.terms)
            alike *= freshness(days_between(one.at, other.at))
            total += (alike - MIN_SIMILARITY) * one.n_articles * other.n_articles
    return total


STORM, TRIAL = {"storm": 1.0}, {"trial": 1.0}
BOTH = {"storm": 0.8, "trial": 0.6}


def test_what_is_on_one_event_becomes_one_story_under_the_id_of_most() -> None:
    parts = [part(1, 7, STORM), part(2, 5, STORM), part(3, 5, STORM)]
    (group,) = regroup(parts)
    assert (group.story_id, group.numbers) == (5, (1, 2, 3))
    assert group.scores == pytest.approx((1.0, 1.0, 1.0))


def test_of_two_stories_as_large_the_older_one_stays() -> None:
    (group,) = regroup([part(1, 7, STORM), part(2, 5, STORM)])
    assert group.story_id == 5


def test_what_is_on_two_events_becomes_two_stories() -> None:
    parts = [
        part(number, 1, vector)
        for number, vector in enumerate([BOTH, STORM, TRIAL] + [STORM, TRIAL] * 2)
    ]
    groups = regroup(parts)
    assert numbers(groups) == {frozenset([0, 1, 3, 5]), frozenset([2, 4, 6])}
    assert [group.story_id for group in groups] == [1, None]


def test_stories_that_are_as_good_as_they_can_be_stay_as_they_are() -> None:
    assert regroup([part(1, 1, STORM), part(2, 1, STORM), part(3, 2, TRIAL)]) == []
    assert regroup([part(1, 1, STORM)]) == []
    assert regroup([]) == []


def test_one_event_and_the_same_in_another_season_are_two_stories() -> None:
    assert regroup([part(1, 1, STORM), part(2, 2, STORM, days=90)]) == []
    assert numbers(regroup([part(1, 1, STORM), part(2, 1, STORM, days=90)])) == {
        frozenset([1]),
        frozenset([2]),
    }


def test_a_large_story_counts_as_many_articles_as_it_has() -> None:
    parts = [part(-9, 9, STORM, n=500), part(1, 3, BOTH), part(2, 3, TRIAL)]
    groups = regroup(parts)
    assert numbers(groups) == {frozenset([-9, 1]), frozenset([2])}
    assert {group.story_id for group in groups} == {9, 3}


WORDS = ("storm", "trial", "rain", "vote")
vectors = st.dictionaries(
    st.sampled_from(WORDS), st.floats(0.1, 1.0), min_size=1, max_size=3
)


@st.composite
def some_parts(draw: st.DrawFn) -> list[StoryPart]:
    return [
        part(
            number,
            draw(st.integers(1, 4)),
            draw(vectors),
            days=draw(st.integers(0, 40)),
            n=draw(st.sampled_from([1, 1, 1, 120])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


@settings(max_examples=150, deadline=None)
@given(some_parts(), st.randoms(use_true_random=False))
def test_groups_hold_each_part_once_and_are_better_than_what_was(
    parts: list[StoryPart], chance: object
) -> None:
    groups = regroup(parts)
    shuffled = list(parts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random
    assert regroup(shuffled) == groups
    if not groups:
        return
    found = [number for group in groups for number in group.numbers]
    assert sorted(found) == sorted(one.number for one in parts)
    names = [group.story_id for group in groups if group.story_id is not None]
    assert len(names) == len(set(names))
    assert set(names) <= {one.story_id for one in parts}
    before = {one.number: one.story_id for one in parts}
    after = {n: place for place, group in enumerate(groups) for n in group.numbers}
    assert worth(parts, after) > worth(parts, before)


@settings(max_examples=100, deadline=None)
@given(some_parts())
def test_a_review_of_what_a_review_left_changes_nothing(
    parts: list[StoryPart],
) -> None:
    homes = {
        number: group.story_id if group.story_id is not None else 100 + place
        for place, group in enumerate(regroup(parts))
        for number in group.numbers
    }
    again = [
        StoryPart(
            number=one.number,
            story_id=homes.get(one.number, one.story_id),
            n_articles=one.n_articles,
            terms=one.terms,
            at=one.at,
        )
        for one in parts
    ]
    assert regroup(again) == []


def story(
    story_id: int, vector: Vector, *, n: int = 1, days: float = 0.0
) -> StoryCandidate:
    at = NOW + timedelta(days=days)
    return StoryCandidate(
        story_id=story_id,
        centroid=unit_terms(vector, 80),
        n_articles=n,
        first_at=at,
        last_at=at,
    )


def test_neighbours_are_what_is_near_the_nearest_first() -> None:
    others = [story(2, TRIAL), story(3, BOTH), story(4, STORM), story(1, STORM)]
    assert choose_neighbours(story(1, STORM), others) == [4, 3]
    assert choose_neighbours(story(1, STORM), [story(2, STORM, days=80)]) == []


def test_a_review_has_a_bounded_number_of_parts() -> None:
    many = [story(number, STORM, n=30) for number in range(2, 9)]
    assert choose_neighbours(story(1, STORM), many) == [2, 3]
    large = [story(number, STORM, n=MAX_TAKEN_APART + 1) for number in range(2, 999)]
    assert len(choose_neighbours(story(1, STORM), large)) == MAX_PARTS - 1


def features(vector: Vector) -> StoryFeatures:
    terms = unit_terms(vector, 60)
    return StoryFeatures(terms=terms, keys=index_keys(terms))


def test_a_cluster_does_not_depend_on_which_article_came_first() -> None:
    dated = [(features(one), NOW) for one in (BOTH, STORM, TRIAL, STORM, TRIAL)]
    assert cluster(dated) == [0, 0, 1, 0, 1]
    assert cluster(dated[::-1]) == [0, 1, 0, 1, 1]


def test_a_large_cluster_takes_in_what_belongs_to_it() -> None:
    dated = [(features(STORM), NOW)] * (MAX_TAKEN_APART + 5)
    apart = {"rain": 0.98, "storm": 0.2}
    bridge = {"rain": 0.7, "storm": 0.7}
    found = cluster([*dated, (features(apart), NOW), (features(bridge), NOW)])
    assert found[-1] == 0
