"""Which articles are worth a comparison, by the keys that they share."""

from enrich.messages import Fingerprint
from store.marks import FAINT_KEYS, LONG_TOKENS, Candidates, Marked, choose_candidates

MANY = range(20)


def marked(n_tokens: int) -> Marked:
    found = Fingerprint(text_hash=b"a", title_hash=b"b", n_tokens=n_tokens, marks=b"")
    return Marked(article_id=1, revision=1, fingerprint=found, keys=tuple(MANY))


def postings(shared: dict[int, int]) -> dict[int, list[int]]:
    """Return the articles that have a key: each has so many of the first keys."""
    return {key: [one for one, n in shared.items() if key < n] for key in MANY}


def test_a_long_text_that_shares_a_stock_sentence_counts_if_the_other_is_short() -> (
    None
):
    lists = postings({1: 20, 2: FAINT_KEYS, 3: FAINT_KEYS + 1})
    found = choose_candidates(marked(LONG_TOKENS), lists, {})
    assert found == Candidates(strong={3}, faint={2})
    assert found.worth({2: LONG_TOKENS}) == {3}
    assert found.worth({2: LONG_TOKENS - 1}) == {2, 3}


def test_a_short_text_is_compared_with_all_that_share_a_key() -> None:
    found = choose_candidates(marked(LONG_TOKENS - 1), postings({1: 20, 2: 1}), {})
    assert found == Candidates(strong={2}, faint=set())


def test_the_same_text_is_always_worth_a_look() -> None:
    twins = {b"a": {1, 5, 6}}
    found = choose_candidates(marked(LONG_TOKENS), postings({5: 1}), twins)
    assert found == Candidates(strong={5, 6}, faint=set())
