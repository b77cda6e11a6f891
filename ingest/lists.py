"""Lists and tables: lines that belong to a text although they are no sentences.

A text announces a list ("The dates:") or numbers it, and what comes next is part of it.
A table is told by its numbers: a stretch of short lines, many of them figures, that
stands under a sentence.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.furniture import Marked
from ingest.phrases import Kind

PROSE_SCORE = 12.0  # what a sentence gains that is no teaser
MAX_ITEMS = 60  # lines after "The dates:"; concerts of a tour fill that many
ITEM_LINES = 3  # "1) Title", its address and its price
ANNOUNCED = 2  # words before the colon; one is the name of a field
_ENDS_LIST = set(Kind) - {Kind.LINK, Kind.CAPTION, Kind.ADVERT}
_NUMBERED = re.compile(r"^\(?(\d{1,2})[.)]\s")

MIN_FIGURES = 10  # fewer are shares, comments and pages
MAX_CELLS = 5  # lines from one figure to the next: the rest of a row
MAX_CELL_WORDS = 15
HEAD_LINES = 16  # from a sentence to the first figure: columns, often named twice
COUNTED_SHARE = 0.5  # of neighbours that count on: the days of a calendar, pages
_FIGURE = re.compile(r"[#$€£+−-]?\d[\d.,:/]*\s?[%a-z°]{0,2}")  # noqa: RUF001 - minus sign
# They end a table, as they end what else is of the article.
_ENDS_TABLE = {Kind.COMMENTS, Kind.RELATED, Kind.LEGAL, Kind.BIOGRAPHY, Kind.SIGN_UP}


@dataclass(frozen=True, slots=True)
class Inner:
    """The lines, by number, that are of a text although they are no sentences."""

    lists: frozenset[int]
    tables: frozenset[int]

    def is_kept(self, i: int, one: Marked) -> bool:
        """Say whether a line is text, if it stands in the article.

        A table has the same figure many times, and a list its links.
        """
        if i in self.tables:
            return True
        if i in self.lists and one.kind is Kind.LINK:
            return one.nth == 1
        return one.kind is None and one.nth == 1


def find_inner(marked: Sequence[Marked], scores: Sequence[float]) -> Inner:
    """Return the lines of lists and tables; scores are what each line gains alone."""
    return Inner(frozenset(_lists(marked, scores)), frozenset(_tables(marked, scores)))


def _lists(marked: Sequence[Marked], scores: Sequence[float]) -> Iterator[int]:
    n_left = number = 0
    prose_at = -ITEM_LINES
    for i, one in enumerate(marked):
        prose_at = i if scores[i] >= PROSE_SCORE else prose_at
        if one.kind in _ENDS_LIST:
            n_left = 0
        elif n_left > 0:
            n_left -= 1
            yield i
        if one.kind is None and (n_left > 0 or i - prose_at < ITEM_LINES):
            item = _NUMBERED.match(one.line.text)
            if item is not None and int(item[1]) in {1, number + 1}:
                number = int(item[1])
                n_left = max(n_left, ITEM_LINES)
            if _announces(one):
                n_left = MAX_ITEMS
                yield i


def _announces(one: Marked) -> bool:
    return one.line.text.endswith(":") and one.line.n_words >= ANNOUNCED


def _tables(marked: Sequence[Marked], scores: Sequence[float]) -> Iterator[int]:
    for figures in _stretches(marked):
        first = _first_line(marked, scores, figures[0])
        if first is not None:
            yield from range(first, figures[-1] + 1)


def _stretches(marked: Sequence[Marked]) -> Iterator[list[int]]:
    """Yield the numbers of the lines that are the figures of one table."""
    figures: list[int] = []
    for i, one in enumerate(marked):
        is_over = one.kind in _ENDS_TABLE or one.line.n_words > MAX_CELL_WORDS
        if figures and (is_over or i - figures[-1] > MAX_CELLS):
            yield from _if_table(marked, figures)
            figures = []
        if _FIGURE.fullmatch(one.line.text):
            figures.append(i)
    yield from _if_table(marked, figures)


def _if_table(marked: Sequence[Marked], figures: list[int]) -> Iterator[list[int]]:
    if len(figures) < MIN_FIGURES:
        return
    values = [_value(marked[i]) for i in figures]
    n_counted = sum(b == a + 1 for a, b in pairwise(values))
    if n_counted < COUNTED_SHARE * len(values):
        yield figures


def _value(one: Marked) -> int:
    digits = re.sub(r"\D", "", one.line.text)[:9]
    return int(digits) if digits else -1


def _first_line(
    marked: Sequence[Marked], scores: Sequence[float], figure: int
) -> int | None:
    """Return where a table begins: under what introduces it; None without that."""
    for i in range(figure - 1, max(-1, figure - 1 - HEAD_LINES), -1):
        if marked[i].kind in _ENDS_TABLE:
            return None
        if scores[i] >= PROSE_SCORE or (
            marked[i].kind is None and _announces(marked[i])
        ):
            return i + 1
    return None
