"""How much of its article a text of a feed is."""

import pytest

from ingest.pagewords import Fullness
from ingest.teasers import FULL_WORDS, count_words, fullness_of

LONG = "word " * (FULL_WORDS - 1) + "end."


@pytest.mark.parametrize(
    ("text", "is_content", "fullness"),
    [
        ("", False, Fullness.HEADLINE),
        ("A bridge was closed on Monday.", False, Fullness.SHORT),
        ("A bridge was closed on Monday.", True, Fullness.WHOLE),
        (LONG, False, Fullness.WHOLE),
        (LONG + " And then ...", True, Fullness.CUT_OFF),
        ("橋" * 2 * FULL_WORDS, False, Fullness.WHOLE),
        ("橋" * FULL_WORDS, False, Fullness.SHORT),
    ],
)
def test_a_text_is_whole_if_it_is_called_so_or_has_the_length(
    text: str,
    is_content: bool,  # noqa: FBT001 - of a table
    fullness: Fullness,
) -> None:
    assert fullness_of(text, is_content=is_content) is fullness


@pytest.mark.parametrize(
    "end",
    [
        *("…", "...", "[...]", "[…]", "(…)", ". . .", "⋯", "[&hellip;]", "…»"),
        *("Read more", "READ MORE »", "[Continue reading]", "Keep reading →"),
        *("Read the full story.", "Full story", "Weiterlesen", "weiter lesen »"),
        *("Mehr lesen", "Zum Artikel", "Lire la suite", "Lire l’article"),  # noqa: RUF001
        *("Leer más", "Sigue leyendo", "Leggi tutto", "Continua a leggere"),
        *("Ler mais", "Leia mais", "Lees verder", "Czytaj więcej", "Läs mer"),
        *("Les mer", "Lue lisää", "Číst dále", "Devamını oku", "Читать далее"),  # noqa: RUF001
        *("Читати далі", "Διαβάστε περισσότερα", "اقرأ المزيد"),
        *("続きを読む", "阅读全文", "더 보기"),
    ],
)
def test_a_text_that_goes_on_elsewhere_is_cut_off_in_any_language(end: str) -> None:
    text = f"{LONG}橋 {end}"
    assert fullness_of(text, is_content=True) is Fullness.CUT_OFF


@pytest.mark.parametrize(
    "text",
    [
        "People should read more books.",
        "She asked him to continue reading to the children.",
        "Wait... it is over.",
        "Er will mehr lesen lernen.",
    ],
)
def test_the_same_words_within_a_sentence_cut_nothing_off(text: str) -> None:
    assert fullness_of(text, is_content=True) is Fullness.WHOLE


def test_words_are_counted_also_where_no_spaces_are_written() -> None:
    assert count_words("one two  three") == 3
    assert count_words("東京都知事選挙 now") == 2 + 3
