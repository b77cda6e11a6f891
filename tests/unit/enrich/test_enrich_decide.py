"""Who is a copy, and of whom."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from enrich.dedup.decide import compare, overlap, settle
from enrich.dedup.fingerprint import fingerprint
from enrich.messages import Comparison, CopyKind, CopyPair

START = datetime(2026, 3, 1, tzinfo=UTC)


def numbered(n_words: int, start: int = 0) -> str:
    return " ".join(f"word{number}" for number in range(start, start + n_words))


def pair(
    one: int, other: int, containment: float = 0.9, kind: CopyKind = CopyKind.NEAR
) -> CopyPair:
    return CopyPair(
        low_id=min(one, other),
        high_id=max(one, other),
        comparison=Comparison(kind=kind, containment=containment, resemblance=0.8),
    )


def times(*hours: int) -> dict[int, datetime]:
    return {
        number: START + timedelta(hours=hour)
        for number, hour in enumerate(hours, start=1)
    }


def kind(one: str, other: str, titles: tuple[str, str] = ("", "")) -> CopyKind | None:
    found = compare(fingerprint(titles[0], one), fingerprint(titles[1], other))
    return found.kind if found else None


def test_one_text_under_two_headlines_is_identical() -> None:
    text = numbered(200)
    assert kind(text, text.upper(), ("A", "B")) is CopyKind.IDENTICAL


def test_a_short_text_is_identical_only_under_one_headline() -> None:
    assert kind("Live updates", "Live updates", ("Storm", "Strike")) is None
    found = kind("Live updates", "live updates", ("The storm", "The Storm"))
    assert found is CopyKind.IDENTICAL


def test_articles_without_text_are_no_copies() -> None:
    assert kind("", "", ("Same", "Same")) is None


def test_a_lightly_edited_text_is_near() -> None:
    text = numbered(200)
    assert kind(text, text.replace("word77", "other")) is CopyKind.NEAR


def test_a_third_of_a_text_is_an_excerpt_of_it() -> None:
    assert kind(numbered(300), numbered(100)) is CopyKind.EXCERPT
    assert kind(numbered(300), numbered(100, 90)) is CopyKind.EXCERPT


def test_one_whole_sentence_is_an_excerpt_and_a_changed_one_is_not() -> None:
    assert kind(numbered(300), numbered(22)) is CopyKind.EXCERPT
    assert kind(numbered(300), numbered(22).replace("word9", "no")) is None


def test_a_sentence_in_a_text_of_two_sentences_is_no_copy() -> None:
    assert kind(numbered(50), numbered(22)) is None


def test_a_summary_of_fifteen_words_is_an_excerpt_and_a_shorter_one_is_not() -> None:
    assert kind(numbered(300), numbered(15)) is CopyKind.EXCERPT
    assert kind(numbered(300), numbered(14)) is None


def test_half_of_a_short_article_is_a_copy_also_behind_an_agency_line() -> None:
    assert kind(numbered(56), f"(AP) - {numbered(28)}") is not None
    assert kind(numbered(56), f"{numbered(14, 500)} {numbered(14, 9)}") is None


def test_a_text_with_a_word_in_fourteen_changed_is_near() -> None:
    words = numbered(200).split()
    edited = ["other" if n % 14 == 5 else word for n, word in enumerate(words)]
    found = compare(fingerprint("", " ".join(words)), fingerprint("", " ".join(edited)))
    assert found is not None
    assert found.kind is CopyKind.NEAR
    assert found.containment < 0.7


def test_flashes_of_one_template_are_no_copies() -> None:
    rest = "の地震がありました。この地震による津波の心配はありません。"
    one = f"五日午前七時ごろ茨城県南部で震度四{rest}"
    assert kind(one, f"十九日午後二時ごろ熊本県北部で震度三{rest}") is None


def test_an_edited_part_of_a_text_is_an_excerpt() -> None:
    assert kind(numbered(300), numbered(120).replace("word60", "no")) is (
        CopyKind.EXCERPT
    )
    assert kind(numbered(300), numbered(170).replace("word60", "no")) is CopyKind.NEAR


def test_a_near_copy_with_other_numbers_is_flagged_from_either_side() -> None:
    words = "the fire spread from house to house along the river and then " * 3
    one, other = (
        fingerprint("", f"{words} {n_hurt} people were hurt, the mayor said")
        for n_hurt in (12, 15)
    )
    found = compare(one, other)
    assert found is not None
    assert found.numbers_differ
    assert compare(other, one) == found
    cut = compare(one, fingerprint("", words))
    assert cut is not None
    assert not cut.numbers_differ


def test_shares_of_marks_tell_an_excerpt_from_a_rewrite() -> None:
    whole, part = fingerprint("", numbered(300)), fingerprint("", numbered(120, 90))
    found = overlap(part, whole)
    assert found.containment == 1.0
    assert 0.0 < found.resemblance < 0.8
    assert overlap(whole, part) == found


def test_a_text_without_words_has_nothing_in_common_with_others() -> None:
    whole, empty = fingerprint("", numbered(300)), fingerprint("", "?")
    found = overlap(whole, empty)
    assert (found.containment, found.resemblance) == (0.0, 0.0)
    assert overlap(empty, fingerprint("", "")).kind is CopyKind.IDENTICAL


def test_texts_that_share_a_paragraph_are_no_copies() -> None:
    assert kind(numbered(200), numbered(200, 120)) is None


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 200))
def test_comparing_is_symmetric(n_one: int, n_other: int, shift: int) -> None:
    one = fingerprint("a", numbered(n_one))
    other = fingerprint("a", numbered(n_other, shift))
    assert compare(one, other) == compare(other, one)


def test_copies_point_to_the_earliest_article() -> None:
    verdicts = settle(times(2, 0, 1), [pair(1, 2), pair(2, 3), pair(1, 3)])
    assert [(found.article_id, found.original_id) for found in verdicts] == [
        (1, 2),
        (3, 2),
    ]


def test_equal_times_are_ordered_by_id() -> None:
    (verdict,) = settle(times(0, 0), [pair(1, 2)])
    assert (verdict.article_id, verdict.original_id) == (2, 1)


def test_there_are_no_chains() -> None:
    # 2 is an excerpt of 1 and of 3, which are different articles.
    verdicts = settle(times(0, 1, 2), [pair(1, 2), pair(2, 3)])
    assert [(found.article_id, found.original_id) for found in verdicts] == [(2, 1)]


def test_an_earlier_article_takes_over_all_of_its_text_though_met_by_one() -> None:
    same = [pair(1, other, 1.0, CopyKind.IDENTICAL) for other in (2, 3, 4)]
    verdicts = settle(times(3, 2, 1, 0), same)
    assert [found.original_id for found in verdicts] == [4, 4, 4]
    assert {found.comparison.kind for found in verdicts} == {CopyKind.IDENTICAL}


def test_what_holds_of_an_article_holds_of_those_with_its_text() -> None:
    pairs = [pair(1, 2, 1.0, CopyKind.IDENTICAL), pair(2, 3, 0.8)]
    verdicts = settle(times(2, 1, 0), pairs)
    assert [(found.article_id, found.original_id) for found in verdicts] == [
        (1, 3),
        (2, 3),
    ]
    assert {found.comparison.kind for found in verdicts} == {CopyKind.NEAR}


def test_an_article_that_holds_another_is_a_copy_of_the_one_like_itself() -> None:
    pairs = [pair(1, 3, 1.0, CopyKind.EXCERPT), pair(2, 3)]
    (verdict,) = settle(times(0, 1, 2), pairs)
    assert (verdict.article_id, verdict.original_id) == (3, 2)
    assert verdict.comparison.kind is CopyKind.NEAR


def test_no_pairs_no_verdicts() -> None:
    assert settle(times(0, 1), []) == []


PAIRS = st.lists(
    st.tuples(
        st.integers(1, 8),
        st.integers(1, 8),
        st.sampled_from([0.7, 0.8, 1.0]),
        st.sampled_from(CopyKind),
    )
    .filter(lambda found: found[0] != found[1])
    .map(lambda found: pair(*found)),
    max_size=20,
)


@given(PAIRS, st.lists(st.integers(0, 3), min_size=8, max_size=8), st.randoms())
def test_the_order_of_arrival_never_matters(
    pairs: list[CopyPair], hours: list[int], random: object
) -> None:
    at = times(*hours)
    expected = settle(at, pairs)
    shuffled = pairs.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types it so
    reversed_times = dict(reversed(at.items()))
    assert settle(reversed_times, shuffled) == expected
    copies = {found.article_id for found in expected}
    assert not any(found.original_id in copies for found in expected)
    linked = {number for found in pairs for number in (found.low_id, found.high_id)}
    # Every article of a pair is either a copy or an original.
    assert copies <= linked
