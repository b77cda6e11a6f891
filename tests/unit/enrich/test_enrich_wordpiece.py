"""Words as pieces with their casing, and sentences as windows of pieces."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.entities import windows
from enrich.entities.windows import MAX_PIECES, cut_windows
from enrich.entities.wordpiece import MAX_WORD_CHARS, Casing, WordPieces, case_of

VOCABULARY = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]"),
    *("a", "b", "c", "##a", "##b", "##c", "abc", "##bc", "er", "##dog", "##an"),
    *(".", "'", "-", "s", "u", "é", "ᄉ", "##ᅥ", "國"),
]
PIECES = WordPieces(VOCABULARY)


def spelt(word: str) -> list[tuple[str, str]]:
    return [
        (VOCABULARY[cut.piece], word[cut.start : cut.end]) for cut in PIECES.cut(word)
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("ABC", [("abc", "ABC")]),
        ("abbc", [("a", "a"), ("##b", "b"), ("##bc", "bc")]),
        ("Erdoğan", [("er", "Er"), ("##dog", "doğ"), ("##an", "an")]),
        ("U.S.", [("u", "U"), (".", "."), ("s", "S"), (".", ".")]),
        ("a-B", [("a", "a"), ("-", "-"), ("b", "B")]),
        ("國a", [("國", "國"), ("a", "a")]),
        ("axb", [("[UNK]", "axb")]),
        ("\x00", [("[UNK]", "\x00")]),
        ("a\u0301", [("a", "a\u0301")]),
        ("a" * (MAX_WORD_CHARS + 1), [("[UNK]", "a" * (MAX_WORD_CHARS + 1))]),
    ],
)
def test_a_word_is_cut_into_the_longest_pieces_that_are_known(
    word: str, expected: list[tuple[str, str]]
) -> None:
    assert spelt(word) == expected


WORDS = st.text(st.sampled_from("abcABC.'-éÉğ國서İ\u0301\x00x\U0001f600"), min_size=1)


@given(WORDS | st.text(min_size=1))
def test_pieces_cover_the_word_and_never_leave_it(word: str) -> None:
    cuts = PIECES.cut(word)
    assert cuts[0].start == 0
    assert cuts[-1].end == len(word)
    assert all(cut.start <= cut.end for cut in cuts)
    assert all(left.end == right.start for left, right in pairwise(cuts))
    assert PIECES.numbers(word) == tuple(cut.piece for cut in cuts)
    assert PIECES.numbers(word) == WordPieces(VOCABULARY).numbers(word)


def test_ever_new_words_are_forgotten_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enrich.entities.wordpiece.MAX_CACHED_WORDS", 10)
    pieces = WordPieces(VOCABULARY)
    for number in range(100):
        pieces.numbers(f"a{number}")
        pieces.numbers("a" * (MAX_WORD_CHARS + number + 1))
    assert len(pieces._known) <= 10


@pytest.mark.parametrize(
    ("word", "casing"),
    [
        ("paris", Casing.LOWER),
        ("Paris", Casing.TITLE),
        ("Élysée", Casing.TITLE),
        ("NATO", Casing.UPPER),
        ("U.S.", Casing.UPPER),
        ("B.", Casing.INITIAL),
        ("McDonald", Casing.MIXED),
        ("iPhone", Casing.MIXED),
        ("1,984", Casing.DIGITS),
        ("F16", Casing.INITIAL),
        ("...", Casing.MARK),
        ("\U0001f600", Casing.MARK),
        ("東京", Casing.LOWER),
    ],
)
def test_casing_is_one_of_few_classes(word: str, casing: Casing) -> None:
    assert case_of(word) is casing


LONG = st.lists(
    st.sampled_from(["a", "abab", "x", ".", "U.S.", "ab" * 30, "." * 90, "c" * 100]),
    max_size=300,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LONG, max_size=3))
def test_windows_keep_each_word_once_and_none_is_too_wide(
    sentences: list[list[str]],
) -> None:
    kept: dict[int, list[int]] = {number: [] for number in range(len(sentences))}
    for window in cut_windows(sentences, PIECES):
        assert len(window.pieces) == len(window.casing) <= MAX_PIECES
        assert window.pieces[0] == PIECES.start
        assert window.pieces[-1] == PIECES.end
        assert len(window.heads) == window.last - window.first
        for place, head in zip(
            range(window.first, window.last), window.heads, strict=True
        ):
            word = sentences[window.sentence][place]
            assert window.pieces[head] == PIECES.numbers(word)[0]
            assert window.casing[head] == case_of(word)
        kept[window.sentence] += range(window.first, window.last)
    assert list(kept.values()) == [list(range(len(words))) for words in sentences]


def test_a_word_at_the_edge_of_a_window_is_read_in_the_next_one() -> None:
    words = ["a"] * 500
    found = list(cut_windows([words], PIECES))
    for earlier, later in pairwise(found):
        assert later.heads[0] == 1 + windows.OVERLAP // 2
        assert len(earlier.pieces) - 1 - earlier.heads[-1] > windows.OVERLAP // 2
