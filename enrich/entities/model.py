"""The trained entity model: the best tags for sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enrich.entities.features import (
    EDGE,
    MARGIN,
    MAX_WORD_CHARS,
    N_PARTS,
    PLACES,
    Keys,
    joint_keys,
    mark_key,
    word_keys,
)
from enrich.entities.gazetteer import Gazetteer
from enrich.entities.iob2 import TAGS
from enrich.entities.weights import SharedRows

Weights = NDArray[np.int32]
Rows = NDArray[np.int64]

N_TAGS = len(TAGS)

MAX_SENTENCE_WORDS = 120  # of a longer one each stretch of so many is read alone
MAX_CACHED_WORDS = 30_000  # 7 MB

_FIRST_ROWS = 1_000
_KEY_BITS, _BEGINNING_BITS, _BYTE_BITS = 32, 24, 3
_NEVER = np.int32(-(2**24))  # more than all weights of a sentence


class NameModel:
    """Weights of features and of pairs of tags.

    They are whole numbers, so that every machine finds the same names. It keeps what
    it has worked out for words, which changes no answer.
    """

    def __init__(
        self,
        keys: Keys,
        weights: NDArray[np.int16] | SharedRows,
        pairs: Weights,
        gazetteer: Gazetteer,
    ) -> None:
        self._keys = keys  # sorted
        self._filter = _mark_beginnings(keys)
        self._weights = weights  # one row more: that of features it does not know
        self._pairs, self._start = forbid_breaks(pairs)
        self._gazetteer = gazetteer
        self._forget()

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return for each word of each sentence the index of its tag in `TAGS`."""
        pieces = [
            sentence[start : start + MAX_SENTENCE_WORDS]
            for sentence in sentences
            for start in range(0, len(sentence), MAX_SENTENCE_WORDS)
        ]
        tagged = iter(self._decode(pieces))
        joined: list[list[int]] = []
        for sentence in sentences:
            tags: list[int] = []
            while len(tags) < len(sentence):
                tags += next(tagged)
            joined.append(tags)
        return joined

    def _decode(self, pieces: Sequence[Sequence[str]]) -> list[list[int]]:
        if not pieces:
            return []
        order = sorted(range(len(pieces)), key=lambda index: -len(pieces[index]))
        lengths = np.array([len(pieces[index]) for index in order])
        scores = self._score([pieces[index] for index in order], lengths)
        paths = find_paths(scores, lengths, self._pairs, self._start)
        tags: list[list[int]] = [[] for _ in pieces]
        for row, index in enumerate(order):
            tags[index] = paths[row, : lengths[row]].tolist()
        return tags

    def _score(self, pieces: Sequence[Sequence[str]], lengths: Rows) -> Weights:
        """Return the score of each tag for each word: piece, place, tag."""
        rows, marks = self._look_up(pieces)
        n_rows = len(rows) - 2 * MARGIN
        total = self._joint_scores(rows)
        for number, place in enumerate(PLACES):
            start = MARGIN + place
            total += self._vectors[rows[start : start + n_rows], number]
        for row, mark in marks:
            key = np.array([mark_key(mark)], np.uint32)
            total[row - MARGIN] += self._find(key)[0]
        scores = np.zeros((len(pieces), lengths[0], N_TAGS), np.int32)
        inside = np.arange(lengths[0]) < lengths[:, None]
        scores[inside] = total[rows[MARGIN : MARGIN + n_rows] != 0]
        return scores

    def _look_up(
        self, pieces: Sequence[Sequence[str]]
    ) -> tuple[Rows, list[tuple[int, str]]]:
        if len(self._rows) > MAX_CACHED_WORDS:
            self._forget()
        known, fresh = self._rows, dict[str, int]()
        rows, marks = [0] * MARGIN, list[tuple[int, str]]()
        for piece in pieces:
            found = self._gazetteer.mark(piece)
            marks += [(len(rows) + place, mark) for place, mark in found.items()]
            for whole in piece:
                word = whole[:MAX_WORD_CHARS]  # what is longer is not kept either
                row = known.get(word)
                if row is None:
                    row = fresh.setdefault(word, len(known) + len(fresh))
                rows.append(row)
            rows += [0] * MARGIN
        self._learn(fresh)
        return np.array(rows), marks

    def _forget(self) -> None:
        self._rows: dict[str, int] = {}  # by word; the edge is the first
        self._vectors = np.zeros((_FIRST_ROWS, len(PLACES), N_TAGS), np.int32)
        self._parts = np.zeros((_FIRST_ROWS, N_PARTS), np.uint32)
        self._learn({EDGE: 0})

    def _learn(self, words: Mapping[str, int]) -> None:
        """Work out new words, with the rows that follow the known ones."""
        if not words:
            return
        n_rows = len(self._rows) + len(words)
        if n_rows > len(self._vectors):
            self._vectors = _lengthen(self._vectors, 2 * n_rows)
            self._parts = _lengthen(self._parts, 2 * n_rows)
        views = [word_keys(word, self._gazetteer) for word in words]
        keys = [key for view in views for place in view.places for key in place]
        sizes = [len(place) for view in views for place in view.places]
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        sums = np.add.reduceat(self._find(np.array(keys, np.uint32)), starts, axis=0)
        fresh = slice(n_rows - len(words), n_rows)
        self._vectors[fresh] = sums.reshape(len(words), len(PLACES), N_TAGS)
        self._parts[fresh] = np.array([view.parts for view in views], np.uint32)
        # Last, so that a task that is cut short here leaves nothing half done.
        self._rows.update(words)

    def _joint_scores(self, rows: Rows) -> Weights:
        keys = np.stack(list(joint_keys(self._parts[rows])))
        found = self._find(keys.reshape(-1)).reshape(*keys.shape, N_TAGS)
        total: Weights = found.sum(axis=0, dtype=np.int32)
        return total

    def _find(self, keys: Keys) -> Weights:
        """Return the weights of features; those unknown have a row of zeros."""
        found = np.zeros((len(keys), N_TAGS), np.int32)
        # Most joined features are unknown, and nearly all of these are told by a bit.
        beginnings = keys >> np.uint32(_KEY_BITS - _BEGINNING_BITS)
        marks = self._filter[beginnings >> np.uint32(_BYTE_BITS)]
        (likely,) = np.nonzero(marks >> (beginnings & np.uint32(7)) & np.uint32(1))
        wanted = keys[likely]
        places = np.searchsorted(self._keys, wanted)
        places[places == len(self._keys)] = 0
        known = self._keys[places] == wanted
        found[likely[known]] = self._weights[places[known]]
        return found


def _mark_beginnings(keys: Keys) -> NDArray[np.uint8]:
    """Return a bit for each beginning of 24 bits: whether a key begins so; 2 MB."""
    marks = np.zeros(1 << _BEGINNING_BITS, np.bool_)
    marks[keys >> np.uint32(_KEY_BITS - _BEGINNING_BITS)] = True
    return np.packbits(marks, bitorder="little")


def _lengthen(array: NDArray[Any], n_rows: int) -> NDArray[Any]:
    longer = np.zeros((n_rows, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def find_paths(
    scores: Weights, lengths: Rows, pairs: Weights, start: Weights
) -> NDArray[np.int8]:
    """Return the tags with the highest sum for each sentence (Viterbi).

    Args:
        scores: Of each tag for each word: sentence, place, tag.
        lengths: Words of each sentence, longest sentence first.
        pairs: Score of each tag after each tag: earlier, later.
        start: Score of each tag for a first word.

    Returns:
        Indexes of tags: sentence, place; behind the end of a sentence they mean
        nothing.
    """
    n_sentences, n_places, n_tags = scores.shape
    best = scores[:, 0] + start
    origins = np.zeros((n_places, n_sentences, n_tags), np.int8)
    n_active = [int(np.count_nonzero(lengths > place)) for place in range(n_places)]
    for place in range(1, n_places):
        active = n_active[place]
        ways = best[:active, :, None] + pairs
        origins[place, :active] = ways.argmax(axis=1)
        best[:active] = ways.max(axis=1) + scores[:active, place]
    paths = np.zeros((n_sentences, n_places), np.int8)
    current = best.argmax(axis=1)
    for place in range(n_places - 1, -1, -1):
        active = n_active[place]
        paths[:active, place] = current[:active]
        current[:active] = origins[place, np.arange(active), current[:active]]
    return paths


def forbid_breaks(pairs: Weights) -> tuple[Weights, Weights]:
    """Let nothing go on that did not begin: "I-PER" follows "B-PER" and itself."""
    allowed, start = pairs.copy(), np.zeros(N_TAGS, np.int32)
    for later, tag in enumerate(TAGS):
        if tag[0] == "I":
            start[later] = _NEVER
            for earlier, previous in enumerate(TAGS):
                if previous[2:] != tag[2:]:
                    allowed[earlier, later] = _NEVER
    return allowed, start
