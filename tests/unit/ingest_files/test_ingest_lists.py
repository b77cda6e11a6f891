"""Lists, tables and quotations: lines of a text that are no sentences."""

import pytest

from ingest.dumps import Extract, extract

FIRST = "The council counted the votes of the whole town on Monday, street by street."
SECOND = (
    "Nobody asked for a second count, and the mayor thanked all who had come to help."
)
FOOT = "Privacy policy"


def found(*lines: str) -> Extract:
    extracted = extract("\n\n".join(("How the town voted", "By Jane Roe", *lines)))
    assert extracted is not None
    return extracted


def body(extracted: Extract) -> list[str]:
    return extracted.text.split("\n\n")


ROWS = [
    *("Mill Street", "40", "12", "Harbour Row", "40", "9", "High Street", "112", "31"),
    *("Station Road", "77", "40", "Church Lane", "40", "12", "Castle Hill", "8", "3"),
]


def test_a_table_under_a_sentence_is_part_of_the_text_with_all_its_figures() -> None:
    extracted = found(FIRST, "Street", "For", "Against", *ROWS, SECOND, FOOT)
    assert body(extracted) == [FIRST, "Street", "For", "Against", *ROWS, SECOND]


def test_a_table_may_end_the_text() -> None:
    extracted = found(SECOND, FIRST, "Street", "For", "Against", *ROWS, FOOT)
    assert body(extracted)[-1] == ROWS[-1]


@pytest.mark.parametrize(
    "lines",
    [
        [str(day) for day in range(1, 32)],  # a calendar
        ["Shares", "12", "Likes", "40"],
        ["Comments", *ROWS],
    ],
    ids=["calendar", "counts", "comments"],
)
def test_other_figures_are_no_table(lines: list[str]) -> None:
    assert body(found(FIRST, SECOND, *lines, FOOT)) == [FIRST, SECOND]


def test_a_list_keeps_its_links() -> None:
    items = ["A lamp", "https://shop.example/1", "A bell", "https://shop.example/2"]
    extracted = found(FIRST, "What was bought for the hall:", *items, SECOND)
    assert body(extracted) == [FIRST, "What was bought for the hall:", *items, SECOND]


def test_the_date_of_a_film_inside_does_not_begin_the_text() -> None:
    film = "(Published Monday, 3 May 2027)"
    assert body(found(FIRST, SECOND, film, *[f"{FIRST} {n}." for n in range(4)]))[
        :2
    ] == [
        FIRST,
        SECOND,
    ]


def test_where_a_quotation_is_from_does_not_begin_the_text() -> None:
    quoted = [f"{FIRST} {n}." for n in range(4)]
    extracted = found(FIRST, "[The Gazette]", *quoted, "[The Gazette]", SECOND)
    assert body(extracted)[0] == FIRST


def test_the_opening_of_an_agency_is_text_though_it_ends_in_a_colon() -> None:
    opening = (
        "HARBOUR, Calif. (AP) — The latest on the count of votes in the town by the "
        "council and the mayor (all times local):"
    )
    assert body(found(opening, "10 p.m.", FIRST, SECOND))[0] == opening


def test_what_stands_above_a_list_of_teasers_is_the_text() -> None:
    buttons = "Whatsapp Facebook Pint Download"
    teasers = [
        text
        for n in range(6)
        for text in (
            f"{n} words of the week on how people live by the sea. " * 3,
            buttons,
        )
    ]
    between = [buttons, "Messages, thoughts on life", "You could like", buttons]
    assert body(found(FIRST, *between, *teasers, FOOT)) == [FIRST]
