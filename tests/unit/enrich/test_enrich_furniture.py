"""Furniture among marks: what is learned of the texts of a source, and what is not."""

from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import choose_keys, fingerprint, unpack_marks
from enrich.dedup.furniture import MIN_TEXTS, find_furniture, without
from enrich.messages import CopyKind, Fingerprint


def words(topic: str, n_words: int) -> str:
    """Return words of which no two stand side by side in another topic."""
    return " ".join(
        sha256(f"{topic} {number}".encode()).hexdigest()[:7]
        for number in range(n_words)
    )


FOOTER = words("footer", 60)


def footed(topic: str, n_words: int = 40) -> Fingerprint:
    return fingerprint(topic, f"{words(topic, n_words)} {FOOTER}")


def learned(texts: list[str]) -> frozenset[int]:
    found = find_furniture([fingerprint("", text).marks for text in texts])
    return unpack_marks(found)


FOOTED = [footed(f"t{number}") for number in range(MIN_TEXTS + 1)]
FURNITURE = find_furniture([one.marks for one in FOOTED])


def test_what_stands_under_many_articles_is_furniture() -> None:
    found = unpack_marks(FURNITURE)
    assert 12 <= len(found) <= 20
    assert all(found <= unpack_marks(one.marks) for one in FOOTED)
    assert find_furniture([one.marks for one in FOOTED[1:]]) == b""


def test_what_stands_under_less_than_one_in_a_hundred_is_none() -> None:
    others = [fingerprint("", words(f"o{number}", 30)) for number in range(2_079)]
    marks = [one.marks for one in (*FOOTED, *others)]
    assert find_furniture(marks[:2_099]) == FURNITURE
    assert find_furniture(marks) == b""


def test_a_text_with_its_parts_and_edits_and_additions_counts_once() -> None:
    whole = words("agency", 200).split()
    edited = [
        " ".join("other" if (n + shift) % 20 == 0 else w for n, w in enumerate(whole))
        for shift in range(20)
    ]
    parts = [" ".join(whole[: 30 + n]) for n in range(60)]
    growing = [words("live", 60 * n) for n in range(1, 50)]
    more = [f"{' '.join(whole)} {words(f'more{n}', 60)}" for n in range(40)]
    for texts in (edited, parts, growing, more, [" ".join(whole)] * 50):
        assert learned([*texts, *map(str.upper, texts)]) == frozenset()
    assert learned([*edited, *parts, *growing, *more]) == frozenset()


def test_different_articles_with_one_footer_are_copies_only_with_it() -> None:
    one, other = footed("one"), footed("other", 34)
    assert compare(footed("one", 34), other) is not None
    assert (
        compare(without(footed("one", 34), FURNITURE), without(other, FURNITURE))
        is None
    )
    again = fingerprint("", words("one", 40))
    assert compare(one, again) is not None
    found = compare(without(one, FURNITURE), again)
    assert found is not None
    assert found.kind is CopyKind.NEAR


def test_a_text_that_is_all_furniture_is_judged_as_a_short_one() -> None:
    whole = fingerprint("Storm", FOOTER)
    bare = without(whole, whole.marks)
    assert (bare.n_tokens, bare.marks, choose_keys(bare)) == (1, b"", ())
    assert compare(bare, FOOTED[0]) is None
    same, another = (fingerprint(title, FOOTER) for title in ("storm", "Strike"))
    found = compare(bare, without(same, whole.marks))
    assert found is not None
    assert found.kind is CopyKind.IDENTICAL
    assert compare(bare, without(another, whole.marks)) is None
    # Where it is nobody's furniture it is an article of 60 words.
    assert compare(bare, another) == compare(another, bare) == found


@given(st.sets(st.integers(0, len(FOOTED) - 1)), st.randoms(use_true_random=False))
def test_the_order_of_texts_and_how_often_they_come_never_matter(
    repeated: set[int], chance: Random
) -> None:
    texts = [one.marks for one in FOOTED] + [FOOTED[n].marks for n in repeated]
    chance.shuffle(texts)
    assert find_furniture(texts) == FURNITURE


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_leaving_marks_out_is_leaving_them_out_of_everything(
    gone: set[int], more: set[int]
) -> None:
    whole = footed("whole")
    marks = sorted(unpack_marks(whole.marks))
    some = b"".join(
        mark.to_bytes(8) for n, mark in enumerate(marks) if n in gone | more
    )
    bare = without(whole, some)
    assert unpack_marks(bare.marks) == unpack_marks(whole.marks) - unpack_marks(some)
    assert {key % 2**64 for key in choose_keys(bare)} == {
        key % 2**64 for key in choose_keys(whole)
    } - unpack_marks(some)
    assert (bare.text_hash, bare.numbers) == (whole.text_hash, whole.numbers)
    assert bare.n_tokens <= whole.n_tokens
    assert without(bare, some) == bare
