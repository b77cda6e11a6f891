"""Teasers: how much of its article a text of a feed is."""

import re

from ingest.pagewords import Fullness

FULL_WORDS = 120  # a news item in full is seldom shorter, a teaser seldom longer

_TAIL_CHARS = 60
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")  # kana, Han, Thai
# How a text ends that goes on elsewhere. Whole phrases at the very end alone: within a
# text they are words like others.
_CUT_OFF = re.compile(
    r"(?:…|⋯|\.\.\.|\.\s\.\s\.|\[\s*&hellip;\s*\]"
    r"|\b(?:(?:continue|keep) reading|read (?:more|the (?:full|whole|rest of the) "
    r"(?:story|article)|full (?:story|article))|full story"
    r"|weiter\s?lesen|mehr lesen|zum (?:ganzen )?artikel"
    r"|lire (?:la suite|plus|l['’]article)|en savoir plus"  # noqa: RUF001 - in French
    r"|leer más|s(?:eguir|igue) leyendo|continuar leyendo"
    r"|leggi (?:tutto|di più)|continua a leggere"
    r"|(?:ler|leia) mais|continu(?:ar|e) (?:lendo|a ler)|saiba mais"
    r"|lees (?:meer|verder)|czytaj (?:więcej|dalej)"
    r"|läs (?:mer|vidare)|læs (?:mere|videre)|les (?:mer|videre)|lue lisää"
    r"|celý článek|číst (?:dále|více)|devamını oku"  # noqa: RUF001 - in Turkish
    r"|читать (?:далее|дальше|полностью)|читати (?:далі|більше)"
    r"|διαβάστε περισσότερα|اقرأ المزيد)"
    r"|続きを読む|阅读全文|閱讀全文|继续阅读|繼續閱讀|더\s?보기)\W*$",
    re.IGNORECASE,
)


def fullness_of(text: str, *, is_content: bool) -> Fullness:
    """Return how much of its article a text is, by its length and its end.

    Args:
        text: Plain.
        is_content: The feed calls it the article, and not a summary of it.
    """
    if not text:
        return Fullness.HEADLINE
    if is_cut_off(text):
        return Fullness.CUT_OFF
    return Fullness.WHOLE if is_content or is_long(text) else Fullness.SHORT


def is_cut_off(text: str) -> bool:
    """Say whether a text breaks off, or asks to be read on elsewhere."""
    return _CUT_OFF.search(text[-_TAIL_CHARS:]) is not None


def is_long(text: str) -> bool:
    """Say whether a text has the words of a news item in full."""
    return count_words(text, most=FULL_WORDS) >= FULL_WORDS


def count_words(text: str, *, most: int = -1) -> int:
    """Return how many words a text has; beyond `most` it may stop counting."""
    n_words = len(text.split(maxsplit=most))
    if text.isascii() or 0 <= most <= n_words:
        return n_words
    # Two characters are about a word where no spaces are written.
    return n_words + len(_UNSPACED.findall(text)) // 2
