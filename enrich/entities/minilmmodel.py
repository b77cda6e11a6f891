"""The neural entity model: the best tags for sentences."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from enrich.entities.model import N_TAGS, Weights, find_paths, forbid_breaks
from enrich.entities.windows import Window, cut_windows
from enrich.entities.wordpiece import WordPieces
from enrich.graphs import Session

# What is read at once: more is no faster, and padding costs as much as text does.
MAX_BATCH_PIECES = 512  # padding included
MIN_BATCH_PIECES = 48  # so few are read along with longer windows
MAX_STRETCH = 1.2  # of the longest window over the shortest, else

MAX_SENTENCE_WORDS = 120  # of a longer one the best tags are found stretch by stretch
PRECISION = 1_000  # scores are whole numbers of this part, as `find_paths` wants them

_INPUTS = ("pieces", "casing", "lengths")
_START = 0  # the tag of a sentence without a name is "O"


class PieceModel:
    """Reads pieces of words in their sentence.

    Its whole numbers are the same for a sentence alone and among others, so that an
    article has its names whatever it is read with.
    """

    def __init__(self, session: Session, pieces: WordPieces) -> None:
        self._session = session
        self._pieces = pieces
        no_pairs = np.zeros((N_TAGS, N_TAGS), np.int32)
        self._pairs, self._start = forbid_breaks(no_pairs)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return for each word of each sentence the index of its tag in `TAGS`."""
        tags = [[_START] * len(words) for words in sentences]
        places: dict[tuple[str, ...], list[int]] = {}
        for index, words in enumerate(sentences):
            if any(map(_has_letter, words)):  # no mark and no number is a name
                places.setdefault(tuple(words), []).append(index)
        scores = self._score(list(places))
        found = self._decode(scores)
        for indexes, best in zip(places.values(), found, strict=True):
            for index in indexes:
                tags[index] = list(best)
        return tags

    def _score(self, sentences: Sequence[Sequence[str]]) -> list[Weights]:
        """Return for each sentence the scores of each tag for each word."""
        scores = [np.zeros((len(words), N_TAGS), np.int32) for words in sentences]
        windows = sorted(
            cut_windows(sentences, self._pieces),
            key=lambda window: len(window.pieces),
        )
        for batch in _batches(windows):
            (answer,) = self._session.run(["scores"], self._lay(batch))
            whole = np.rint(answer * PRECISION).astype(np.int32)
            for window, rows in zip(batch, whole, strict=True):
                kept = slice(window.first, window.last)
                scores[window.sentence][kept] = rows[window.heads]
        return scores

    def _lay(self, windows: Sequence[Window]) -> dict[str, NDArray[np.int32]]:
        lengths = np.array([len(window.pieces) for window in windows], np.int32)
        pieces = np.full((len(windows), lengths.max()), self._pieces.padding, np.int32)
        casing = np.zeros_like(pieces)
        for row, window in enumerate(windows):
            pieces[row, : lengths[row]] = window.pieces
            casing[row, : lengths[row]] = window.casing
        return dict(zip(_INPUTS, (pieces, casing, lengths), strict=True))

    def _decode(self, scores: Sequence[Weights]) -> Iterator[list[int]]:
        """Yield the best tags of each sentence."""
        for whole in scores:
            tags: list[int] = []
            for first in range(0, len(whole), MAX_SENTENCE_WORDS):
                part = whole[first : first + MAX_SENTENCE_WORDS]
                paths = find_paths(
                    part[None], np.array([len(part)]), self._pairs, self._start
                )
                tags += paths[0].tolist()
            yield tags


def _batches(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Cut a row of ever longer windows into batches of about one length."""
    batch: list[Window] = []
    for window in windows:
        if batch and _is_full(batch, len(window.pieces)):
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _is_full(batch: Sequence[Window], n_pieces: int) -> bool:
    """Whether a window of so many pieces belongs into the next batch."""
    if (len(batch) + 1) * n_pieces > MAX_BATCH_PIECES:
        return True
    stretched = n_pieces > MAX_STRETCH * len(batch[0].pieces)
    return stretched and len(batch) * n_pieces >= MIN_BATCH_PIECES


def _has_letter(word: str) -> bool:
    return any(map(str.isalpha, word))
