"""What an article is about, and which story it joins."""

import math
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.messages import Entity, EntityKind, StoryCandidate, StoryFeatures
from enrich.stories.assign import (
    MAX_CENTROID_TERMS,
    MIN_SIMILARITY,
    assign,
    mean,
    product,
)
from enrich.stories.cluster import Reach, cluster
from enrich.stories.features import (
    MAX_KEYS,
    MAX_TERMS,
    WordStatistics,
    describe,
    fold_word,
    hash_term,
    load_statistics,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@cache
def statistics() -> WordStatistics:
    return load_statistics()


def features(
    text: str, *, title: str = "", language: str = "en", names: tuple[str, ...] = ()
) -> StoryFeatures:
    entities = [
        Entity(key=key, kind=EntityKind.LOC, name=key, n_mentions=2, salience=1.0)
        for key in names
    ]
    return describe(
        title=title,
        text=text,
        language=language,
        entities=entities,
        statistics=statistics(),
    )


def candidate(
    story_id: int, found: StoryFeatures, *, days: float = 0.0, lasts: float = 0.0
) -> StoryCandidate:
    return StoryCandidate(
        story_id=story_id,
        centroid=found.terms,
        n_articles=1,
        first_at=NOW - timedelta(days=days),
        last_at=NOW - timedelta(days=days - lasts),
    )


QUAKE = (
    "A strong earthquake struck the south coast of Crete, injuring dozens of people."
)
STRIKE = "Dockers at the port walked out over pay, and container ships waited offshore."


def test_stop_words_and_single_letters_are_no_terms() -> None:
    terms = dict(features("The earthquake of the island is a b c").terms)
    assert set(terms) == {"earthquake", "island"}


def test_rare_words_weigh_more_than_common_ones() -> None:
    terms = dict(features("earthquake government earthquakes governments").terms)
    assert terms["earthquake"] > terms["government"]


def test_the_headline_weighs_more_than_the_body() -> None:
    filler = " ".join(f"filler{letter}" for letter in "abcdefgh" * 20)
    terms = dict(features(f"{filler} zebra heron", title="Heron").terms)
    assert terms["heron"] > terms["zebra"]


def test_a_country_weighs_less_than_a_person() -> None:
    found = dict(features(QUAKE, names=("country:GR", "per:ada-brandt")).terms)
    assert found["per:ada-brandt"] > found["country:GR"] > 0


def test_names_count_where_no_word_is_known() -> None:
    assert dict(features("", names=("loc:crete",)).terms) == {"loc:crete": 1.0}
    assert features("").terms == ()
    assert features("").keys == ()


def test_plural_and_possessive_forms_are_one_word() -> None:
    folded = {fold_word(word, "en") for word in ("party", "Parties", "party's")}
    assert folded == {"party"}
    assert [fold_word(word, "en") for word in ("gas", "virus", "loss", "ships")] == [
        "gas",
        "virus",
        "loss",
        "ship",
    ]
    assert fold_word("Haus", "de") == "haus"


def test_scripts_without_spaces_are_cut_into_pairs() -> None:
    terms = {term for term, _ in features("大地震 Tokyo", language="ja").terms}
    assert terms == {"大地", "地震", "tokyo"}


@settings(max_examples=60)
@given(
    st.text(max_size=300), st.text(max_size=60), st.sampled_from(["en", "de", "und"])
)
def test_features_are_a_unit_vector_heaviest_first(
    text: str, title: str, language: str
) -> None:
    found = features(text, title=title, language=language, names=("loc:x",))
    weights = [weight for _, weight in found.terms]
    assert weights == sorted(weights, reverse=True)
    norm = sum(weight * weight for weight in weights)
    assert math.isclose(norm, 1.0, abs_tol=0.002)  # weights have four decimals
    assert len(weights) <= MAX_TERMS
    assert list(found.keys) == sorted(found.keys)
    assert len(found.keys) <= MAX_KEYS
    assert set(found.keys) <= {hash_term(term) for term, _ in found.terms}


def test_an_article_joins_the_story_it_is_like() -> None:
    stories = [candidate(1, features(STRIKE)), candidate(2, features(QUAKE))]
    choice = assign(features(f"{QUAKE} Rescuers searched houses."), NOW, stories)
    assert choice.story_id == 2
    assert MIN_SIMILARITY <= choice.score <= 1.0


def test_an_article_like_none_opens_a_story_and_tells_the_best_refused_score() -> None:
    choice = assign(features(QUAKE), NOW, [candidate(1, features(STRIKE))])
    assert choice.story_id is None
    assert 0.0 <= choice.score < MIN_SIMILARITY
    assert assign(features(QUAKE), NOW, []).story_id is None


def test_equal_stories_are_settled_by_the_lowest_id_in_any_order() -> None:
    stories = [candidate(number, features(QUAKE)) for number in (7, 3, 5)]
    assert assign(features(QUAKE), NOW, stories).story_id == 3
    assert assign(features(QUAKE), NOW, stories[::-1]).story_id == 3


def test_an_old_story_is_farther_than_a_fresh_one() -> None:
    stories = [
        candidate(1, features(QUAKE), days=10),
        candidate(2, features(QUAKE), days=-1),
    ]
    assert assign(features(QUAKE), NOW, stories).story_id == 2
    assert assign(features(QUAKE), NOW, stories[:1]).story_id == 1


def test_a_story_of_last_season_is_over() -> None:
    stories = [candidate(1, features(QUAKE), days=120)]
    assert assign(features(QUAKE), NOW, stories).story_id is None


def test_an_article_in_the_middle_of_a_story_is_as_fresh_as_any() -> None:
    story = candidate(1, features(QUAKE), days=10, lasts=20)
    assert assign(features(QUAKE), NOW, [story]).score == pytest.approx(1, abs=0.002)


def test_the_mean_of_vectors_says_how_alike_an_article_is_to_all_of_them() -> None:
    one, two = features(QUAKE), features(f"{QUAKE} Rescuers searched houses.")
    centroid = mean([(one.terms, 1), (two.terms, 1)])
    vector = dict(one.terms)
    alike = (1 + product(vector, two.terms)) / 2
    assert product(vector, centroid) == pytest.approx(alike, abs=0.002)
    grown = mean([(centroid, 2), (one.terms, 1)])
    at_once = mean([(one.terms, 2), (two.terms, 1)])
    assert dict(grown) == pytest.approx(dict(at_once))
    many = [(((f"term{number}", 1.0),), 1) for number in range(200)]
    assert len(mean(many)) == MAX_CENTROID_TERMS


def test_a_single_pass_tells_two_stories_apart() -> None:
    texts = [QUAKE, STRIKE, f"{QUAKE} Rescuers came.", f"{STRIKE} Talks failed."]
    assert cluster([(features(text), NOW) for text in texts]) == [0, 1, 0, 1]


def test_a_single_pass_looks_no_farther_than_it_is_told() -> None:
    story, later = features(QUAKE), NOW + timedelta(days=2)
    short = Reach(window=timedelta(days=1))
    assert cluster([(story, NOW), (story, later)]) == [0, 0]
    assert cluster([(story, NOW), (story, later)], short) == [0, 1]
    assert cluster([(story, later), (story, NOW)], short) == [0, 1]
    alone = StoryFeatures(terms=(("a", 1.0),), keys=(1,))
    other = StoryFeatures(terms=(("b", 0.98), ("a", 0.2)), keys=(1, 2))
    dated = [(one, NOW) for one in (alone, other, alone)]
    assert cluster(dated) == [0, 1, 0]
    assert cluster(dated, Reach(most_of_key=1)) == [0, 1, 2]
    assert cluster(dated, Reach(most=1)) == [0, 1, 0]
