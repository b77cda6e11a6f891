"""The language model in tables of our own: the library's answers, to the last bit."""

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest
import stopwordsiso
from hypothesis import given, settings
from hypothesis import strategies as st
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from enrich.identifier import (
    LogProbabilities,
    SmallIdentifier,
    load_identifier,
    make_grams,
)

LETTERS = b"abc"
words = st.text(LETTERS.decode(), min_size=1, max_size=5).map(str.encode)


@cache
def small() -> SmallIdentifier:
    return load_identifier()


@cache
def library() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@pytest.mark.parametrize("language", sorted(stopwordsiso.langs()))
def test_languages_are_ranked_as_the_library_ranks_them(language: str) -> None:
    text = " ".join(sorted(stopwordsiso.stopwords(language)))
    for part in (text, text[:30], text.upper()):
        assert small().rank(part) == library().rank(part)
        assert small().classify(part) == library().classify(part)


@given(text=st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_ranked_as_the_library_ranks_it(text: str) -> None:
    assert small().rank(text) == library().rank(text)


@given(grams=st.sets(words, min_size=1), text=st.lists(words).map(b"".join))
def test_the_longest_gram_that_ends_at_each_byte_is_found(
    grams: set[bytes], text: bytes
) -> None:
    moves, rows, features, prefixes = table_of_moves(grams)
    found = make_grams(moves, rows, features).find(text)
    longest = [longest_in(prefixes, text[:end]) for end in range(1, len(text) + 1)]
    expected = [features[prefixes.index(prefix)] for prefix in longest]
    assert found == [feature for feature in expected if feature >= 0]


def test_moves_between_states_that_nothing_leads_to_are_refused() -> None:
    moves, rows, features, _ = table_of_moves({b"a"})
    with pytest.raises(ValueError, match="no text leads to"):
        make_grams(moves, np.append(rows, 0), np.append(features, -1))


def test_probabilities_come_back_as_they_were() -> None:
    draw = np.random.default_rng(5)
    table = draw.choice(np.array([-14.5, -14.5, -9.25, -3.1], np.float16), (9_000, 11))
    asked = draw.integers(0, len(table), 500)
    assert np.array_equal(LogProbabilities(table)[asked], table[asked])


def table_of_moves(
    grams: Iterable[bytes],
) -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.uint32]],
    np.ndarray[tuple[int], np.dtype[np.int64]],
    np.ndarray[tuple[int], np.dtype[np.int32]],
    list[bytes],
]:
    """Return moves by row and byte, the row and feature of each state, and the states.

    Written from what a state is: the longest beginning of a gram that the text so far
    ends with. Features are numbers of grams.
    """
    known = sorted(grams)
    prefixes = sorted({gram[:end] for gram in known for end in range(len(gram) + 1)})
    moves = np.zeros((len(prefixes), 256), np.uint32)
    for state, prefix in enumerate(prefixes):
        for letter in LETTERS:
            reached = longest_in(prefixes, prefix + bytes([letter]))
            moves[state, letter] = prefixes.index(reached)
    features = [known.index(one) if one in known else -1 for one in prefixes]
    shared, rows = np.unique(moves, axis=0, return_inverse=True)
    return shared, rows.reshape(-1), np.array(features, np.int32), prefixes


def longest_in(prefixes: list[bytes], text: bytes) -> bytes:
    """Return the longest of the prefixes that a text ends with; one is empty."""
    return max((one for one in prefixes if text.endswith(one)), key=len)
