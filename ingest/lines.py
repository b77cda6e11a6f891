"""Lines of a page dump: cleaned, with hard-wrapped paragraphs put together again."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ingest.text import clean

# Far more than any page has. Work and memory for one line are bounded, and this
# bounds them for one file.
MAX_LINES = 50_000
# Shorter columns are poems and lists; longer ones are how long paragraphs just are.
MIN_WIDTH, MAX_WIDTH = 40, 120
MIN_WRAPPED_LINES = 3  # two breaks at one width happen by chance
MIN_WRAPPED_SHARE = 0.6  # wrapped mails and dumps measure 0.8 and more, others < 0.3

# Menus stand on every page of a site, and often twice on one: short lines that were
# seen a moment ago are known. A quarter of the lines of 102 pages of as many sites
# come again on the same page.
KNOWN_LINES = 8_192
KNOWN_CHARS = 80
# Scripts that put no space between words; two or three of their characters carry
# about what one word does.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]"
)
_WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
_SENTENCE_END = re.compile(
    r"[.!?\u2026\u3002\uff01\uff1f\u0964\u06d4\u061f][\"'\u201d\u2019\u00bb\u300d)\]]*"
    r"(?:\s?\[\d{1,3}\]|\s?\(\d{1,3}\))*$"
)
_SPLIT = re.compile(r"[^\W\d_]-$")
_FIRST_PIECE = re.compile(r"[^\s-]*-?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a dump on which decisions are taken."""

    text: str  # single spaces; a wrapped paragraph is one line
    n_words: int
    is_sentence: bool  # ends as a sentence does


def split_lines(dump: str) -> list[Line]:
    """Return the lines of a dump that are not blank, with wrapped ones joined.

    Every line is made of whole lines of the input, joined by single spaces.
    """
    raw = [line.rstrip() for line in clean(dump).expandtabs(4).split("\n")]
    width = _wrap_width(raw)
    if width is None:
        return [make_line(" ".join(line.split())) for line in raw if line.strip()]
    return [make_line(text) for text in _joined(raw, width)]


def make_line(text: str) -> Line:
    """Return a line of cleaned text with single spaces, with what is asked of it."""
    return _known_line(text) if len(text) <= KNOWN_CHARS else _make_line(text)


def _make_line(text: str) -> Line:
    n_unspaced = 0 if text.isascii() else len(_UNSPACED.findall(text))
    return Line(
        text=text,
        # Two characters of an unspaced script weigh as much as one word.
        n_words=len(words(text)) - n_unspaced // 2,
        is_sentence=_SENTENCE_END.search(text[-24:]) is not None,
    )


_known_line = lru_cache(KNOWN_LINES)(_make_line)


def words(text: str) -> list[str]:
    """Return the words of a text; every character of unspaced scripts counts as one."""
    spaced = text if text.isascii() else _UNSPACED.sub(r" \g<0> ", text)
    return _WORD.findall(spaced)


def _joined(raw: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines that are not blank, joined where the column broke them."""
    parts: list[str] = []
    for line, following in pairwise([*raw, ""]):
        if line.strip():
            parts.append(line)
            if not _breaks_at(width, line, following):
                yield _flow(parts)
                parts = []


def _flow(parts: Sequence[str]) -> str:
    # A wrapper may break after the hyphen of "el-Sisi": there was no space.
    text = "".join(part if _SPLIT.search(part) else part + " " for part in parts)
    return " ".join(text.split())


def _wrap_width(raw: Sequence[str]) -> int | None:
    """Return the column at which the dump was wrapped, if it was.

    A greedy wrapper breaks where the next word would not fit. Each break is thus
    explained by a range of widths; the width that explains most breaks is it.
    """
    spans = [
        (len(line), len(line) + _piece(following))
        for line, following in pairwise(raw)
        if len(line) >= MIN_WIDTH and " " in line.strip() and _goes_on(line, following)
    ]
    starts = sorted(start for start, _ in spans)
    ends = sorted(end for _, end in spans)
    widths = sorted({start for start in starts if start <= MAX_WIDTH})
    if not widths:
        return None

    def n_explained(width: int) -> int:
        return bisect_right(starts, width) - bisect_left(ends, width)

    best = max(widths, key=n_explained)
    n_best = n_explained(best)
    if n_best < MIN_WRAPPED_LINES or n_best < MIN_WRAPPED_SHARE * len(spans):
        return None
    return best


def _breaks_at(width: int, line: str, following: str) -> bool:
    if not _goes_on(line, following):
        return False
    return len(line) <= width <= len(line) + _piece(following)


def _goes_on(line: str, following: str) -> bool:
    """Say whether a paragraph may run on: no blank line, no first-line indent."""
    return bool(following.strip()) and _indent(following) <= _indent(line)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _piece(line: str) -> int:
    """Return the length of what a wrapper had to fit: up to a space or a hyphen."""
    match = _FIRST_PIECE.match(line.lstrip())
    return 0 if match is None else match.end()
