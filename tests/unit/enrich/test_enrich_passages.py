"""Where two texts are the same word for word."""

from hypothesis import given
from hypothesis import strategies as st

from enrich.dedup.fingerprint import GRAM_TOKENS
from enrich.dedup.passages import find_passages

FERRY = "The ferry Nordstern sank off Hamburg in a heavy storm on Monday night."
CREW = "All forty people on board were brought ashore by boats of the coast guard."


def shared(one: str, other: str, most: int = 3) -> list[tuple[int, str, str]]:
    return [
        (found.n_tokens, one[found.one], other[found.other])
        for found in find_passages(one, other, most=most)
    ]


def test_passages_are_as_long_as_they_can_be_and_the_longest_comes_first() -> None:
    one = f"{FERRY} Nobody said why. {CREW}"
    other = f"{CREW} So it was. {FERRY}"
    assert shared(one, other) == [
        (14, CREW.removesuffix("."), CREW.removesuffix(".")),
        (13, FERRY.removesuffix("."), FERRY.removesuffix(".")),
    ]
    assert len(shared(one, other, most=1)) == 1


def test_case_quotes_and_spacing_do_not_end_a_passage() -> None:
    one, other = "“Rain, rain” fell on old Paris", 'x "RAIN rain"\nfell on  old Paris y'
    assert shared(one, other) == [
        (6, "Rain, rain” fell on old Paris", 'RAIN rain"\nfell on  old Paris')
    ]


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert shared("今日は東京で大雨が降った。", "昨日、東京で大雨が降りました。") == [
        (7, "東京で大雨が降", "東京で大雨が降")
    ]


def test_a_few_words_in_common_are_no_passage() -> None:
    assert shared("one two three four five", "one two three four six") == []
    assert shared("", FERRY) == []


@given(st.lists(st.sampled_from("ab"), max_size=60), st.integers(0, 60))
def test_a_text_is_one_passage_with_itself_however_it_repeats(
    letters: list[str], cut: int
) -> None:
    text = " ".join(letters)
    found = find_passages(text, text, most=100)
    longest = max((one.n_tokens for one in found), default=0)
    assert longest == (len(letters) if len(letters) >= GRAM_TOKENS else 0)
    for one in find_passages(text, text[cut:], most=100):
        assert text[one.one] == text[cut:][one.other]
