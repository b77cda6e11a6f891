"""The numbers of texts: how they are read, and when those of two texts differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.dedup.numbers import (
    MAX_NUMBERS,
    find_numbers,
    numbers_differ,
    numbers_only_in,
    pack_numbers,
)

NUMBERS = st.sets(st.integers(0, 2_000), max_size=2 * MAX_NUMBERS)


def differ(one: str, other: str) -> bool:
    return numbers_differ(pack_numbers(one), pack_numbers(other))


def spell(numbers: set[int]) -> str:
    return " and ".join(map(str, sorted(numbers)))


@pytest.mark.parametrize(
    "spelling",
    [
        *(
            "1200",
            "1,200",
            "1.200",
            "1 200",
            "1\u2019200",
            "1'200",
            "01200",
            "1,200.00",
        ),
        *(
            "1\u202f200",
            "1\u00a0200",
            "\uff11\uff12\uff10\uff10",
            "1\u066c200",
            "\u0661\u0662\u0660\u0660",
        ),
    ],
)
def test_one_number_is_spelt_in_many_ways(spelling: str) -> None:
    assert list(find_numbers(f"some {spelling} people")) == ["1200"]


def test_decimals_and_millions_and_what_is_no_group_of_thousands() -> None:
    text = "3,5 or 3.50 percent of 1,200,000 in 2008 300 of 12.34 and 1,2345"
    found = ["3.5", "3.5", "1200000", "2008", "300", "12.34", "1.2345"]
    assert list(find_numbers(text)) == found


def test_numbers_stand_also_in_text_without_spaces_and_beside_letters() -> None:
    assert list(find_numbers("死者は12人で負傷者は3人")) == ["12", "3"]
    assert list(find_numbers("at 7pm for $5bn")) == ["7", "5"]


def test_a_replaced_number_is_a_difference() -> None:
    assert differ("Three dead, 12 hurt in 2024", "Three dead, 14 hurt in 2024")


def test_what_is_cut_or_added_is_none() -> None:
    text = "12 hurt on May 5, 2024"
    assert not differ(text, "12 hurt")
    assert not differ(text, "nobody is said to be hurt")
    assert not differ(text, f"UPDATE at 10:30: {text}")
    assert not differ(text, text)


def test_one_replaced_number_among_many_is_an_edit() -> None:
    many = " and ".join(str(number) for number in range(100, 120))
    assert not differ(f"{many} and 5", f"{many} and 6")


def test_each_text_tells_what_the_other_lacks_in_its_order() -> None:
    one, other = "9 of 8 and 1,000 for 5", "1000 of 7 and 5"
    assert numbers_only_in(one, other, most=5) == ("9", "8")
    assert numbers_only_in(one, other, most=1) == ("9",)
    assert numbers_only_in(other, one, most=5) == ("7",)


@given(NUMBERS, NUMBERS)
def test_differing_is_symmetric_and_never_said_of_a_part(
    one: set[int], other: set[int]
) -> None:
    packed, others = pack_numbers(spell(one)), pack_numbers(spell(other))
    assert numbers_differ(packed, others) == numbers_differ(others, packed)
    # Also not where a table has more numbers than are kept.
    assert not numbers_differ(pack_numbers(spell(one | other)), packed)
    assert len(packed) <= 4 * MAX_NUMBERS
