"""Fingerprints."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from enrich.dedup.fingerprint import (
    GRAM_CHARACTERS,
    KEY_MODULUS,
    LEAD_TOKENS,
    MAX_KEYS,
    WINDOW,
    choose_keys,
    fingerprint,
    unpack_marks,
)
from enrich.dedup.tokens import normalise

WORDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyzäöüßéñ", min_size=1, max_size=8),
    min_size=1,
    max_size=200,
)


def numbered(n_words: int, start: int = 0) -> str:
    return " ".join(f"word{number}" for number in range(start, start + n_words))


@given(WORDS)
def test_case_spacing_and_punctuation_do_not_change_the_text_hash(
    words: list[str],
) -> None:
    plain = fingerprint("", " ".join(words))
    other = fingerprint(
        "", "  «" + "»,\n\n“".join(word.upper() for word in words) + "”"
    )
    assert other.text_hash == plain.text_hash
    assert fingerprint("", "\u00a0".join(words)).text_hash == plain.text_hash


def test_quotes_ligatures_and_soft_hyphens_do_not_change_the_text_hash() -> None:
    one = fingerprint("", "The office\u2019s “final” offer — ﬁve per cent.")
    other = fingerprint("", 'The of\u00adfice\'s "final" offer - five per cent')
    assert one.text_hash == other.text_hash


def test_another_word_is_another_text() -> None:
    one = fingerprint("", "five per cent").text_hash
    assert one != fingerprint("", "six per cent").text_hash


def test_hashes_have_16_bytes_and_marks_are_64_bit_numbers_in_two_runs() -> None:
    found = fingerprint("A title", numbered(300))
    assert (len(found.text_hash), len(found.title_hash)) == (16, 16)
    marks = struct.unpack(f">{len(found.marks) // 8}Q", found.marks)
    lead, others = marks[: found.n_lead_marks], marks[found.n_lead_marks :]
    assert list(lead) == sorted(set(lead))
    assert list(others) == sorted(set(others) - set(lead))
    assert unpack_marks(found.marks) == frozenset(marks)


def test_the_marks_of_the_lead_are_those_of_a_text_that_ends_there() -> None:
    found, lead = fingerprint("", numbered(300)), fingerprint("", numbered(LEAD_TOKENS))
    assert found.marks[: 8 * found.n_lead_marks] == lead.marks
    assert lead.n_lead_marks == len(lead.marks) // 8


def test_keys_fit_a_signed_column_and_are_marks() -> None:
    found = fingerprint("", numbered(800))
    keys = choose_keys(found)
    assert list(keys) == sorted(set(keys))
    assert all(-(2**63) <= key < 2**63 for key in keys)
    marks = struct.unpack(f">{len(found.marks) // 8}Q", found.marks)
    thinned = {mark for mark in marks if mark % KEY_MODULUS == 0}
    assert {key % 2**64 for key in keys} == {*marks[: found.n_lead_marks], *thinned}


@given(st.integers(min_value=1, max_value=LEAD_TOKENS - 1))
def test_a_short_text_indexes_all_its_marks(n_words: int) -> None:
    found = fingerprint("", numbered(n_words))
    assert {key % 2**64 for key in choose_keys(found)} == unpack_marks(found.marks)


@given(st.integers(min_value=10, max_value=LEAD_TOKENS))
def test_the_first_words_of_an_article_share_a_key_with_it(n_words: int) -> None:
    whole, lead = fingerprint("", numbered(700)), fingerprint("", numbered(n_words))
    assert set(choose_keys(whole)) & set(choose_keys(lead))


def test_any_run_of_ten_words_shares_a_mark_with_its_text() -> None:
    whole = unpack_marks(fingerprint("", numbered(300)).marks)
    for start in range(290):
        run = unpack_marks(fingerprint("", numbered(10, start)).marks)
        assert run & whole


def test_a_very_long_text_has_a_bounded_number_of_keys() -> None:
    assert len(choose_keys(fingerprint("", numbered(30_000)))) == MAX_KEYS


def test_a_text_without_words_has_no_marks() -> None:
    found = fingerprint("Title", " \n *** ")
    assert (found.n_tokens, found.marks, choose_keys(found)) == (0, b"", ())


def test_unspaced_scripts_count_characters() -> None:
    assert normalise("東京で Tokyo 大地震") == [
        "東",
        "京",
        "で",
        "tokyo",
        "大",
        "地",
        "震",
    ]
    assert normalise("ประเทศ") == list("ประเทศ")
    assert fingerprint("", "東京で大きな地震があった").n_tokens == 12


def test_a_run_of_characters_shares_marks_with_its_text_among_words() -> None:
    run = "".join(map(chr, range(0x4E00, 0x4E00 + GRAM_CHARACTERS + WINDOW - 1)))
    whole = fingerprint("", f"{numbered(40)} {run} {numbered(40, 100)}")
    assert unpack_marks(fingerprint("", run).marks) & unpack_marks(whole.marks)


def test_myanmar_counts_characters() -> None:
    assert fingerprint("", "မြန်မာ").n_tokens == 6


@given(st.text(max_size=300))
def test_any_text_has_a_fingerprint_and_normalising_is_idempotent(text: str) -> None:
    assert fingerprint(text, text).n_tokens >= 0
    tokens = normalise(text)
    assert normalise(" ".join(tokens)) == tokens
