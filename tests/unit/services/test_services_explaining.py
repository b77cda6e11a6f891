"""What evidence says: identities, and bounds of what is told."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import fingerprint
from enrich.messages import StoryCandidate, StoryFeatures
from ingest.articles import article_uid
from services.explaining import EMBEDDING, MAX_ALMOST, MAX_STORIES, explain
from store.queries.explain import Evidence, Key, Membership, Nearest

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FEED, URL = "https://news.example/feed", "https://news.example/a"
KEY = Key(feed=FEED, key="guid:a", key_mode="guid", outcome="stored", first_seen_at=NOW)
NOTHING = StoryFeatures(terms=(), keys=())
WORDS = [f"word{number}" for number in range(100)]
OTHERS = [f"other{number}" for number in range(100)]
TEXT = " ".join(WORDS)
BARE = Evidence(
    article_id=1,
    uid="",
    url=URL,
    source="news.example",
    title="A",
    text=TEXT,
    language=None,
    sort_at=NOW,
    keys=(KEY,),
    n_appearances=1,
    rewrites=(),
    copy_of=None,
    original_text=None,
    marks=fingerprint("A", TEXT),
    nearest=(),
    furniture={},
    entities=(),
    membership=None,
    turns=(),
)


@pytest.mark.parametrize(
    ("identity", "made_of"),
    [(URL, "address"), (f"{FEED} guid:a", "entry"), ("guid:a", "file")],
)
def test_an_identity_is_told_by_what_its_hash_is_of(
    identity: str, made_of: str
) -> None:
    found = explain(replace(BARE, uid=article_uid(identity)), NOTHING, [])
    assert (found.identity.made_of, found.identity.value) == (made_of, identity)


def test_an_identity_that_nothing_stored_makes_is_unknown() -> None:
    found = explain(replace(BARE, uid="0" * 64), NOTHING, [])
    assert (found.identity.made_of, found.identity.value) == ("unknown", None)


def test_furniture_of_a_source_is_nothing_that_articles_share() -> None:
    footer = " ".join(OTHERS)
    one = fingerprint("B", f"{TEXT} {footer}")
    near = Nearest(article_id=2, title="B", source="b", n_shared_keys=1, marks=one)
    evidence = replace(BARE, marks=fingerprint("A", footer), nearest=(near,))
    assert explain(evidence, NOTHING, []).almost_copies == ()  # a copy
    furniture = {"b": fingerprint("", footer).marks}
    (almost,) = explain(
        replace(evidence, furniture=furniture), NOTHING, []
    ).almost_copies
    assert almost.containment < 0.2


def test_the_nearest_of_many_are_told_and_copies_are_not_among_them() -> None:
    # The more of its words, the nearer; those with the most pass as copies.
    others = [
        Nearest(
            article_id=n_words,
            title="B",
            source="b",
            n_shared_keys=1,
            marks=fingerprint("B", " ".join([*WORDS[:n_words], *OTHERS])),
        )
        for n_words in range(10, 101)
    ]
    almost = explain(replace(BARE, nearest=tuple(others)), NOTHING, []).almost_copies
    assert len(almost) == MAX_ALMOST
    shares = [one.containment for one in almost]
    assert shares == sorted(shares, reverse=True)
    copies = {
        one.article_id for one in others if compare(fingerprint("A", TEXT), one.marks)
    }
    assert 100 in copies
    assert copies.isdisjoint(one.article_id for one in almost)


def test_the_nearest_of_many_stories_are_told_the_own_one_left_out() -> None:
    features = StoryFeatures(terms=(("a", 1.0),), keys=(1,))
    near = [
        (
            f"Story {number}",
            StoryCandidate(
                story_id=number,
                centroid=(("a", number / 20),),
                n_articles=1,
                first_at=NOW,
                last_at=NOW,
            ),
        )
        for number in range(10)
    ]
    stories = explain(BARE, features, near).other_stories
    assert [one.story_id for one in stories] == [9, 8, 7][:MAX_STORIES]
    assert [one.score for one in stories] == [0.45, 0.4, 0.35]


def test_the_numbers_of_embeddings_are_told_as_one_term() -> None:
    features = StoryFeatures(terms=(("a", 0.8), ("~0", 0.48), ("~1", -0.36)), keys=())
    member = Membership(
        story_id=1,
        title="A",
        n_articles=2,
        role="member",
        score=0.5,
        joined_at=NOW,
        centroid=(("a", 0.8), ("b", 0.1), ("~0", 0.4), ("~1", 0.2)),
    )
    story = explain(replace(BARE, membership=member), features, []).story
    assert story is not None
    shares = {one.term: round(one.share, 3) for one in story.terms}
    assert shares == {"a": 0.64, EMBEDDING: 0.12}
    assert round(story.similarity, 3) == 0.76
