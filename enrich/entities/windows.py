"""Sentences as windows of pieces that a model with bounded sight can read."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from enrich.entities.wordpiece import Casing, WordPieces, case_of

MAX_PIECES = 128  # of a window, with its two marks
OVERLAP = 32  # pieces that two windows share: half are read in each

_ROOM = MAX_PIECES - 2


class Window(NamedTuple):
    """A stretch of a sentence; what is kept of it are the words `first` to `last`."""

    sentence: int
    first: int  # word of the sentence, half-open
    last: int
    pieces: list[int]
    casing: list[int]  # of each piece
    heads: list[int]  # first piece of each word that is kept


def cut_windows(
    sentences: Iterable[Sequence[str]], pieces: WordPieces
) -> Iterator[Window]:
    """Cut each sentence into windows, which keep each word once.

    A word of more pieces than a window has room for keeps the first of them.
    """
    for number, words in enumerate(sentences):
        cut = [pieces.numbers(word)[:_ROOM] for word in words]
        for first, last, keep_first, keep_last in _bounds([len(one) for one in cut]):
            body, casing, heads = [pieces.start], [int(Casing.NONE)], []
            for place in range(first, last):
                if keep_first <= place < keep_last:
                    heads.append(len(body))
                body += cut[place]
                casing += [int(case_of(words[place]))] * len(cut[place])
            body.append(pieces.end)
            casing.append(int(Casing.NONE))
            yield Window(number, keep_first, keep_last, body, casing, heads)


def _bounds(lengths: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield words of each window, and those of them that are kept."""
    first = keep = 0
    while keep < len(lengths):
        last = _reach(lengths, first)
        if last == len(lengths):
            yield first, last, keep, last
            return
        middle = max(keep + 1, _back(lengths, last, OVERLAP // 2))
        yield first, last, keep, middle
        first, keep = max(first + 1, _back(lengths, last, OVERLAP)), middle
        while _reach(lengths, first) <= keep:  # long words: see the next one at least
            first += 1


def _reach(lengths: Sequence[int], first: int) -> int:
    """Return the end of the words from `first` on that fit into a window."""
    room, place = _ROOM, first
    while place < len(lengths) and lengths[place] <= room:
        room -= lengths[place]
        place += 1
    return place


def _back(lengths: Sequence[int], last: int, n_pieces: int) -> int:
    """Return the first of the words before `last` that have so many pieces."""
    place = last
    while place and lengths[place - 1] <= n_pieces:
        place -= 1
        n_pieces -= lengths[place]
    return place
