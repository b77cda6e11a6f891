import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lines import split_lines, words

PARAGRAPHS = [
    (
        "Six coastal states agreed on Tuesday to cut the catch of mackerel in the "
        "north Atlantic by a third this year, after scientists warned of a collapse."
    ),
    (
        "Delegates from Norway, Iceland and the Faroe Islands met through the night "
        "at Al-Rashid Hall and left without a word to the waiting reporters."
    ),
    (
        "A second round is set for the autumn, when the well-known quarrel over "
        "shares of the stock will be back on the table, according to two people."
    ),
]


def texts(dump: str) -> list[str]:
    return [line.text for line in split_lines(dump)]


@pytest.mark.parametrize("width", [60, 66, 72, 78, 100])
@pytest.mark.parametrize(("gap", "indent"), [("\n\n", ""), ("\n", "   ")])
def test_wrapped_paragraphs_are_put_together_again(
    width: int, gap: str, indent: str
) -> None:
    wrapped = gap.join(
        textwrap.fill(one, width, initial_indent=indent) for one in PARAGRAPHS
    )
    assert texts(wrapped) == PARAGRAPHS


def test_lines_of_a_menu_are_not_joined() -> None:
    menu = ["Home", "World news and politics", "Sport", "Weather in your region"]
    wrapped = "\n\n".join(textwrap.fill(one, 72) for one in PARAGRAPHS)
    assert texts("\n".join(menu) + "\n\n" + wrapped) == menu + PARAGRAPHS


def test_paragraphs_on_single_lines_stay_apart() -> None:
    assert texts("\n".join(PARAGRAPHS)) == PARAGRAPHS


@given(st.lists(st.text("ab .\t-\u00a0é", max_size=90), max_size=12))
def test_lines_are_whole_lines_of_the_input(raw: list[str]) -> None:
    dump = "\n".join(raw)
    assert "".join("".join(texts(dump)).split()) == "".join(dump.split())


def test_words_of_unspaced_scripts_are_counted() -> None:
    (line,) = split_lines("普京访问叙利亚期间下令撤回部分俄罗斯军事人员。")
    assert line.is_sentence
    assert line.n_words >= 10
    assert words("a well-known case") == ["a", "well-known", "case"]


@pytest.mark.parametrize(
    ("text", "is_sentence"),
    [
        ("He left.", True),
        ("“He left.”", True),
        ("He left.[12]", True),
        ("Did he leave?", True),
        ("He left", False),
        ("The terms:", False),
    ],
)
def test_a_sentence_ends_as_sentences_do(text: str, *, is_sentence: bool) -> None:
    assert split_lines(text)[0].is_sentence is is_sentence
