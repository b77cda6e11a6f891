import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.text import (
    MAX_MARKS,
    MAX_PARSED_CHARS,
    MAX_TITLE_CHARS,
    clean,
    collapse,
    nesting,
    plain_text,
    plain_title,
    shorten,
    tidy,
)

ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert tidy(tidy(text)) == tidy(text)
    assert collapse(collapse(text)) == collapse(text)


@given(ANY_TEXT)
def test_clean_text_can_be_stored_anywhere(text: str) -> None:
    cleaned = clean(text)
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    kept = cleaned.replace("\n", "").replace("\t", "")
    assert not any(unicodedata.category(char) == "Cc" for char in kept)


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("a\x00b", "ab"),
        ("a\r\nb\rc\u2028d\u2029e\x85f", "a\nb\nc\nd\n\ne\nf"),
        ("en\u00a0route\u2009to\u3000Cairo", "en route to Cairo"),
        ("e\u0301te\u0301", "été"),
        ("soft\u00adware\u200b\ufeff", "software"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d!", "\ufffd!"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("\u06cc\u200c\u062e", "\u06cc\u200c\u062e"),
    ],
)
def test_each_oddity_has_one_plain_spelling(dirty: str, cleaned: str) -> None:
    assert clean(dirty) == cleaned


def test_nothing_that_can_be_seen_is_cleaned_away() -> None:
    # With a tab it goes through the table of oddities, alone it does not.
    for char in map(chr, range(sys.maxunicode + 1)):
        if char.isprintable():
            assert f"\t{clean(char)}" == clean(f"\t{char}")


@given(
    st.lists(st.sampled_from(["<", "<p>", "</p>", "<b>", "<br/>", " a"]), max_size=9)
)
def test_a_fragment_with_few_tags_is_shallow(parts: list[str]) -> None:
    assert nesting("".join(parts)) <= "".join(parts).count("<")


def test_tidy_text_has_one_blank_line_between_paragraphs() -> None:
    assert tidy("\n one \n\t\n\n\n two\nthree  \n") == "one\n\ntwo\nthree"


def test_blocks_stand_apart_and_inline_tags_do_not() -> None:
    page = "<p>Para <b>o</b>ne<br>goes on</p><div>two</div>three<br><br>four"
    assert plain_text(page) == "Para one goes on\n\ntwo\n\nthree\n\nfour"


def test_cells_of_a_row_stay_on_one_line() -> None:
    table = "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>"
    assert plain_text(table) == "1 2\n\n3"


@pytest.mark.parametrize(
    "element", ["script", "style", "iframe", "noscript", "svg", "button", "template"]
)
def test_code_and_controls_never_reach_the_text(element: str) -> None:
    assert plain_text(f"<p>a<{element}>alert(1)</{element}> b</p>") == "a b"


def test_entities_are_decoded_once() -> None:
    assert plain_text("<p>AT&amp;T &amp;lt;b&amp;gt; caf&eacute;</p>") == (
        "AT&T &lt;b&gt; café"
    )
    assert plain_text("AT&amp;T &amp;amp;") == "AT&T &amp;"


def test_an_escaped_tag_is_text_and_not_a_tag() -> None:
    assert plain_text("<p>use &lt;script&gt; here</p>") == "use <script> here"


def test_text_without_tags_keeps_its_paragraphs() -> None:
    assert plain_text("one\ntwo\n\n \nthree") == "one two\n\nthree"


def test_a_title_is_one_bounded_line() -> None:
    assert plain_title("<b>Putin</b> says\n <i>some</i>  5 < 6") == (
        "Putin says some 5 < 6"
    )
    title = plain_title("word " * 500)
    assert len(title) <= MAX_TITLE_CHARS
    assert title.endswith("word…")


@given(st.text(max_size=40), st.integers(2, 30))
def test_a_shortened_line_keeps_the_bound_and_its_beginning(
    line: str, max_chars: int
) -> None:
    short = shorten(line, max_chars)
    assert len(short) <= max_chars
    assert line.startswith(short.removesuffix("…"))


@given(st.text(alphabet="<>/!-ab &;p\"'=\n", max_size=80))
def test_no_tag_that_a_parser_sees_survives(fragment: str) -> None:
    assert "\f" not in plain_text(fragment)
    assert plain_text(fragment) == tidy(plain_text(fragment))


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 200_000,
        "<a " + " ".join(f"a{i}=1" for i in range(100_000)) + ">",
        "<!-- " * 200_000,
        "&lt;" * 500_000,
        "<script>" * 100_000,
        "<a b='>" * 200_000,
        "</" * 300_000,
        "\n" * 1_000_000,
    ],
    ids=["depth", "attributes", "comments", "entities", "raw", "quotes", "ends", "eol"],
)
def test_hostile_html_costs_linear_time(bomb: str) -> None:
    started = time.process_time()
    plain_text(bomb + "<p>the end</p>")
    assert time.process_time() - started < 5


def test_text_above_the_parser_bound_is_still_extracted() -> None:
    filler = "<img src='x'>" * (MAX_PARSED_CHARS // 10)
    page = f"<style>p{{}}</style><p>one</p>{filler}<div>A &amp; B</div>"
    assert plain_text(page) == "one\n\nA & B"


@pytest.mark.parametrize(
    "marks", ["\u0315\u0300", "\U0001d165", "\u0315\U0001d165\u0300", "\u0344"]
)
def test_a_pile_of_marks_on_one_letter_is_cut_before_it_is_sorted(marks: str) -> None:
    pile = "a" + marks * 100_000  # sorting these would take hours
    assert len(clean(pile)) <= 2 * MAX_MARKS + 1
    assert clean(f"{pile} b").endswith(" b")


def test_letters_with_all_their_marks_stay() -> None:
    for word in ("Việt", "שָׁלוֹם", "नि\u200d\u0902", "ก็ดี"):
        assert clean(word) == unicodedata.normalize("NFC", word)
