"""Judging pages: whether what a page holds is the text that an entry teased.

Pure. A page counts where it is longer than the entry and speaks of the same thing:
sites send readers of old addresses to their front page, and answer 200 to anything.
"""

import re
from urllib.parse import urlsplit

from ingest.articles import made_title
from ingest.pagewords import MORE, PageOutcome
from ingest.teasers import count_words, is_long

MIN_WORDS = 25  # fewer are a caption or an apology
# Of the words of the title, or of the text, that the page must have. Summaries are
# often written anew, and share half of their words with the article.
RELATED = 0.5
MIN_CHARS = 3  # shorter words stand everywhere
COMPARED_CHARS = 5_000  # of what the entry says

_WORDS = re.compile(rf"\w{{{MIN_CHARS},}}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]{2,}")


def judge(
    page_text: str, *, title: str, text: str, page_title: str = ""
) -> PageOutcome:
    """Return whether the text of a page is accepted for what an entry says.

    Args:
        page_text: Of the page.
        title: Of the entry.
        text: Of the entry.
        page_title: Of the page.
    """
    n_found = count_words(page_text)
    if n_found < MIN_WORDS or n_found < MORE * count_words(text):
        return PageOutcome.NO_BETTER
    there = _words(f"{page_title} {page_text}")
    # What was given at length must be there: a page may be longer by other things.
    compared = (text,) if is_long(text) else (title, text)
    said = [words for one in compared if (words := _words(one[:COMPARED_CHARS]))]
    if said and all(len(one & there) < RELATED * len(one) for one in said):
        return PageOutcome.UNRELATED
    return PageOutcome.ACCEPTED


def _words(text: str) -> frozenset[str]:
    """Return the longer words; where no spaces are written, each two characters."""
    folded = text.casefold()
    pairs = (
        run[i : i + 2] for run in _UNSPACED.findall(folded) for i in range(len(run) - 1)
    )
    return frozenset(_WORDS.findall(_UNSPACED.sub(" ", folded))) | frozenset(pairs)


def is_front_page(asked: str, final: str) -> bool:
    """Say whether a reader who asked for a page was sent on to the front page."""
    there = urlsplit(final)
    return not there.path.strip("/") and not there.query and bool(_place(asked))


def _place(url: str) -> str:
    parts = urlsplit(url)
    return parts.path.strip("/") + parts.query


def is_made_title(title: str, text: str) -> bool:
    """Say whether a title is the one that its text is given where it has none.

    Many feeds begin their texts with the title: that alone makes it no made one.
    """
    return bool(title) and title == made_title(text)
