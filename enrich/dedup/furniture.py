"""Furniture among marks: what the articles of one source have in common by habit.

A footer, a disclaimer or a stock phrase stands under many articles of its source and
says nothing of two of them being copies. What one article shares with its reprints
looks alike when it is counted, so reprints are counted as one.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from enrich.dedup.fingerprint import unpack_marks
from enrich.messages import Fingerprint

# Of the texts of a source, more than so many, and more than this share, have it.
MIN_TEXTS = 20
MIN_SHARE = 0.01
# A text counts by itself where at least so much of it is its own. Of copies with one
# word in twenty changed, nine in ten have less; of articles with a footer of 60 words,
# those from 30 words up have more.
OWN_SHARE = 1 / 3


def find_furniture(texts: Iterable[bytes]) -> bytes:
    """Return the marks that are furniture among texts of one source.

    A text counts where a third of its marks or more are its own: neither in more than
    MIN_TEXTS texts nor in one that was counted before it, which longer ones are. So a
    text with all its reprints, parts and lightly edited copies counts at most once.
    The order of the texts never matters.

    Args:
        texts: The marks of each, as in `Fingerprint.marks`.

    Returns:
        Marks in the same form, sorted.
    """
    longest_first = sorted(set(texts), key=lambda marks: (-len(marks), marks))
    counts = Counter(mark for packed in longest_first for mark in unpack_marks(packed))
    common = {mark for mark, n_texts in counts.items() if n_texts > MIN_TEXTS}
    if not common:
        return b""
    n_texts, n_having = 0, Counter[int]()
    seen: set[int] = set(common)
    for packed in longest_first:
        marks = unpack_marks(packed)
        own = marks - seen
        if own and len(own) >= OWN_SHARE * len(marks):
            n_texts += 1
            n_having.update(marks & common)
            seen |= own
    most = max(MIN_TEXTS, MIN_SHARE * n_texts)
    return _pack(sorted(mark for mark, n in n_having.items() if n > most))


def without(found: Fingerprint, furniture: bytes) -> Fingerprint:
    """Return the fingerprint of what is left of a text without some marks.

    Its length shrinks with its marks, so that hardly anything left is judged as a short
    text is, but never to that of no text. The hash stays that of the whole text.
    """
    marks, gone = _unpack(found.marks), unpack_marks(furniture)
    kept = [mark for mark in marks if mark not in gone]
    if len(kept) == len(marks):
        return found
    lead = marks[: found.n_lead_marks]
    return replace(
        found,
        n_tokens=max(1, found.n_tokens * len(kept) // len(marks)),
        marks=_pack(kept),
        n_lead_marks=sum(mark not in gone for mark in lead),
    )


def _unpack(marks: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(marks) // 8}Q", marks)


def _pack(marks: Sequence[int]) -> bytes:
    return struct.pack(f">{len(marks)}Q", *marks)
