"""Tables that are packed: all they answer is what they were made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.entities.packed import PackedWords
from enrich.entities.weights import SharedRows

letters = st.characters(exclude_characters="\t\n")
words = st.text(letters, max_size=6) | st.sampled_from(["a", "aa", "\ud800", "ß", "SS"])


@given(st.dictionaries(words, st.text(st.sampled_from("*gPw0"), max_size=4)), words)
def test_of_each_word_is_said_what_was_said(said: dict[str, str], other: str) -> None:
    packed = PackedWords(said)
    for word in (*said, other, other + "\t", "\n" + other):
        assert packed.get(word, "nothing") == said.get(word, "nothing")


def test_words_that_share_a_slot_are_told_apart() -> None:
    said = {str(number): str(-number) for number in range(3_000)}
    packed = PackedWords(said)
    assert {word: packed.get(word, "") for word in said} == said
    assert {packed.get(f"{number}.5", "") for number in range(3_000)} == {""}


@pytest.mark.parametrize(("word", "said"), [("a\tb", ""), ("a", "\n"), ("\n", "x")])
def test_what_divides_words_is_refused(word: str, said: str) -> None:
    with pytest.raises(ValueError, match="cannot be packed"):
        PackedWords({word: said})


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 300))
def test_rows_come_back_as_they_were(seed: int, n_columns: int, n_rows: int) -> None:
    draw = np.random.default_rng(seed)
    few = np.array([0, 0, 0, 1, -1, -(2**15), 2**15 - 1], np.int16)
    table = draw.choice(few, (n_rows, n_columns))
    shared = SharedRows.from_columns(iter(table.T), n_rows)
    wanted = draw.integers(0, n_rows, 50)
    assert np.array_equal(shared[wanted], table[wanted])


def test_of_a_table_larger_than_a_block_all_rows_come_back() -> None:
    table = np.random.default_rng(2).integers(-2, 3, (200_000, 3), np.int16)
    shared = SharedRows.from_columns(iter(table.T), len(table))
    assert np.array_equal(shared[np.arange(len(table))], table)
    assert len(np.unique(table, axis=0)) == len(shared._rows)
