"""Languages."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.language import LanguageDetector, detect_language, load_detector
from enrich.messages import Language

ENGLISH = (
    "The council agreed on Tuesday to rebuild the old bridge over the river, which was"
    " closed to lorries last winter after inspectors found cracks in two of its piers."
    " Work begins in May and is expected to last until the following spring."
)
GERMAN = (
    "Der Stadtrat hat am Dienstag beschlossen, die alte Brücke über den Fluss neu zu"
    " bauen, die im vergangenen Winter nach dem Fund von Rissen in zwei Pfeilern für"
    " Lastwagen gesperrt worden war. Die Arbeiten beginnen im Mai."
)


@cache
def detector() -> LanguageDetector:
    return load_detector()


def language(title: str, text: str, declared: str | None = None) -> Language:
    return detect_language(title, text, declared, detector())


@pytest.mark.parametrize(("text", "code"), [(ENGLISH, "en"), (GERMAN, "de")])
def test_a_long_text_tells_its_language(text: str, code: str) -> None:
    found = language("", text)
    assert (found.code, found.origin) == (code, "detector")
    assert found.score > 0.9


def test_the_detector_overrules_the_feed_on_a_long_text() -> None:
    found = language("", GERMAN, "en")
    assert (found.code, found.origin) == ("de", "detector")


def test_the_feed_decides_for_a_short_text() -> None:
    found = language("Der Stadtrat baut", "Neue Brücke.", "nl")
    assert (found.code, found.origin) == ("nl", "declared")
    assert found.score < 0.5


def test_a_region_in_the_declaration_is_dropped() -> None:
    assert language("", "Short.", "PT-br").code == "pt"


@pytest.mark.parametrize("declared", ["und", "", "  ", "x", "12"])
def test_a_declaration_that_says_nothing_is_no_hint(declared: str) -> None:
    assert language("Hi", "", declared).code == "und"


def test_too_little_text_without_a_hint_is_undetermined() -> None:
    assert language("", "") == Language(code="und", score=0.0, origin="detector")
    assert language("4:2", "3.141592653589793238").code == "und"


def test_a_headline_alone_can_be_enough() -> None:
    assert language("Bundesregierung beschließt neues Gesetz", "").code == "de"


def test_the_feed_decides_between_close_neighbours() -> None:
    text = (
        "Vlada je u utorak odlučila da obnovi stari most preko reke, koji je zbog"
        " pukotina bio zatvoren za kamione. Radovi počinju u maju i trajaće godinu"
        " dana, saopšteno je posle sednice. Građani su to tražili godinama."
    )
    assert language("", text, "sr").code == "sr"
    assert language("", text, "hr").code == "hr"


def test_numbers_take_the_declared_language() -> None:
    assert language("", "1 2 3 4 5 " * 40, "fr").code == "fr"


@settings(max_examples=50)
@given(st.text(max_size=400), st.none() | st.text(max_size=6))
def test_any_text_has_an_answer(text: str, declared: str | None) -> None:
    found = language("", text, declared)
    assert 0.0 <= found.score <= 1.0
    assert found.code
