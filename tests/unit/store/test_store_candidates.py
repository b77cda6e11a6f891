"""Which articles are worth a comparison, by the keys that they share."""

from enrich.messages import Fingerprint
from store.marks import (
    FAINT_KEYS,
    LONG_TOKENS,
    MAX_POSTINGS,
    Candidates,
    Marked,
    choose_candidates,
    join_postings,
)

MANY = range(20)


def marked(n_tokens: int) -> Marked:
    found = Fingerprint(text_hash=b"a", title_hash=b"b", n_tokens=n_tokens, marks=b"")
    return Marked(article_id=1, revision=1, fingerprint=found, keys=tuple(MANY))


def postings(shared: dict[int, int]) -> dict[int, list[int]]:
    """Return the articles that have a key: each has so many of the first keys."""
    return {key: [one for one, n in shared.items() if key < n] for key in MANY}


def test_two_long_texts_that_share_a_stock_sentence_are_not_compared() -> None:
    lists = postings({1: 20, 2: FAINT_KEYS, 3: FAINT_KEYS + 1})
    found = choose_candidates(marked(LONG_TOKENS), lists, {})
    assert found == Candidates(strong={3}, faint={2})
    assert found.worth(LONG_TOKENS, {2: LONG_TOKENS}) == {3}
    assert found.worth(LONG_TOKENS, {2: LONG_TOKENS - 1}) == {2, 3}
    assert found.worth(LONG_TOKENS - 1, {2: LONG_TOKENS}) == {2, 3}
    assert found.worth(LONG_TOKENS, {}) == {3}


def test_the_same_text_is_always_worth_a_look() -> None:
    twins = {b"a": {1, 5, 6}}
    found = choose_candidates(marked(LONG_TOKENS), postings({5: 1}), twins)
    assert found == Candidates(strong={5, 6}, faint=set())


def test_articles_that_the_index_has_already_count_once() -> None:
    own = {1: [7, 9], 2: [7, 9], 3: [9]}
    before = join_postings({1: [4]}, own)
    assert join_postings({1: [4, 7, 9], 2: [7, 9], 3: [9]}, own) == before | {3: [9]}
    assert before == {1: [4, 7, 9], 2: [7, 9]}


def test_of_a_key_that_many_have_the_lowest_ids_stay() -> None:
    many = list(range(10, 10 + MAX_POSTINGS))
    joined = join_postings({1: many}, {1: [5, 9_999]})
    assert joined == {1: [5, *many[:-1]]}
