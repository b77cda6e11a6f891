"""The library's language identifier, on tables a sixth of the size of its own.

The library walks a table of all moves between states, which is nearly all repetition:
a state is the longest known gram that the text so far ends with. Here the grams are
kept as a tree, and of the probabilities those that are not the lowest of a language.
What it answers is the same to the last bit.
"""

import lzma
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

_N_BYTES = 256
_BLOCK_ROWS = 4_096  # of a table that is read bit by bit; some megabytes

Numbers = NDArray[np.int64]


class Grams:
    """The grams of bytes that tell languages apart, as a tree.

    Nodes are numbered level by level, and inside a level by parent and byte. So what
    leads to a node, its parent and its byte in one number, grows with its number.
    """

    def __init__(
        self,
        edges: NDArray[np.uint32],
        levels: list[int],
        features: NDArray[np.int32],
    ) -> None:
        """Take a tree apart from its root, which is node 0 and no gram.

        Args:
            edges: Of each node but the root: 256 * its parent + its byte.
            levels: Number of the first node of each level, and of one behind the last.
            features: Of each node; -1 where it has none.
        """
        self._edges = edges
        self._levels = levels
        self._features = features

    def find(self, text: bytes) -> list[int]:
        """Return the feature of the longest gram that ends at each byte, if it has one.

        They come in the order of the text.
        """
        letters = np.frombuffer(text, np.uint8)
        longest = np.zeros(len(letters), np.uint32)
        ends = np.arange(len(letters))
        nodes = np.zeros(len(letters), np.uint32)
        for first, last in zip(self._levels, self._levels[1:], strict=False):
            wanted = (nodes << np.uint32(8)) | letters[ends]
            edges = self._edges[first - 1 : last - 1]
            places = np.searchsorted(edges, wanted)
            places[places == len(edges)] = 0
            known = edges[places] == wanted
            nodes = (places[known] + first).astype(np.uint32)
            # Level by level grams grow longer, and of two the longer one counts.
            longest[ends[known]] = nodes
            ends = ends[known] + 1
            if len(ends) and ends[-1] == len(letters):
                nodes, ends = nodes[:-1], ends[:-1]
        found = self._features[longest]
        features: list[int] = found[found >= 0].tolist()
        return features


class LogProbabilities:
    """How likely each feature is in each language, without what is the lowest."""

    def __init__(self, table: NDArray[np.float16]) -> None:
        """Take the values out of a table: feature, language."""
        n_features, self._n_languages = table.shape
        lowest = table.min(axis=0)
        self._lowest = lowest.astype(np.float32)
        self._starts = np.zeros(n_features, np.uint32)
        bits, values, n_values = [], [], 0
        for start in range(0, n_features, _BLOCK_ROWS):
            block = table[start : start + _BLOCK_ROWS]
            told = block.view(np.uint16) != lowest.view(np.uint16)
            counts = np.cumsum(np.count_nonzero(told, axis=1))
            self._starts[start + 1 : start + len(block)] = counts[:-1]
            self._starts[start : start + len(block)] += np.uint32(n_values)
            bits.append(np.packbits(told, axis=1))
            values.append(block[told].view(np.uint16))
            n_values += int(counts[-1])
        self._told = np.concatenate(bits)
        self._values = np.concatenate(values)
        # Looked up here, a short number grows longer in a tenth of the time.
        self._longer = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
        self._longer = self._longer.astype(np.float32)

    def __getitem__(self, features: Numbers) -> NDArray[np.float32]:
        """Return the rows of features as the table has them, in longer numbers."""
        bits = self._told[features]
        told = np.unpackbits(bits, axis=1, count=self._n_languages).view(np.bool_)
        counts = np.count_nonzero(told, axis=1)
        ends = np.cumsum(counts)
        places = np.arange(ends[-1])
        places += np.repeat(self._starts[features] - (ends - counts), counts)
        rows = np.empty(told.shape, np.float32)
        rows[:] = self._lowest
        rows.reshape(-1)[np.flatnonzero(told)] = self._longer[self._values[places]]
        return rows


class SmallIdentifier(LanguageIdentifier):
    """The library's identifier, which finds grams and probabilities in our tables."""

    __slots__ = ("_grams",)

    def __init__(
        self,
        grams: Grams,
        probabilities: LogProbabilities,
        priors: NDArray[np.float32],
        languages: list[str],
    ) -> None:
        """Take what the library would be given as tables of moves."""
        super().__init__(
            probabilities, priors, languages, (), (), norm_probs=True, tk_row=()
        )
        self._grams = grams

    def _raw_score(self, text: bytes) -> NDArray[np.float32]:
        found = self._grams.find(text)
        if not found:
            return super()._raw_score(b"")
        # In the order of the text: sums of another order have another last digit.
        return self._sparse_score(Counter(found), self.nb_ptc)


def load_identifier() -> SmallIdentifier:
    """Load the model that stands in the library's wheel: 0.7 CPU-seconds and 12 MB.

    While it loads it takes 45 MB, and as a temporary file the unpacked model of 68 MB.

    Raises:
        ValueError: The library's model is not one of grams.
    """
    with tempfile.TemporaryFile() as unpacked:
        with lzma.open(MODEL_DIR / MODEL_FILE) as packed:
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        unpacked.seek(0)
        with np.load(unpacked, allow_pickle=False) as model:
            return SmallIdentifier(
                make_grams(
                    model["nextmove"].reshape(-1, _N_BYTES),
                    model["nextmove_row"],
                    model["out_feat"],
                ),
                LogProbabilities(model["ptc"]),
                model["pc"],
                model["classes"].tolist(),
            )


def make_grams(
    moves: NDArray[np.uint32], rows: NDArray[Any], features: NDArray[np.int32]
) -> Grams:
    """Return the tree of grams behind a table of moves.

    Whoever reads the bytes of a gram from the start comes to its state by them alone,
    and to no state sooner than by its gram: the first way to a state spells it.

    Args:
        moves: State by row and byte.
        rows: Row of each state in `moves`; the start is state 0.
        features: Of each state; -1 where it has none.

    Raises:
        ValueError: Not every state can be reached.
    """
    unseen = np.ones(len(rows), np.bool_)
    unread = np.ones(len(moves), np.bool_)
    unseen[0] = False
    order, edges, levels = [np.zeros(1, np.int64)], [], [0, 1]
    while len(order[-1]):
        states = order[-1]
        # A row that two states share leads to nothing new from the second.
        _, firsts = np.unique(rows[states], return_index=True)
        parents = np.sort(firsts[unread[rows[states[firsts]]]])
        unread[rows[states]] = False
        found = [
            (parents[start + places] + levels[-2], letters, block[places, letters])
            for start, block in _blocks(moves, rows[states[parents]])
            for places, letters in [np.nonzero(unseen[block])]
        ]
        if not found:
            break
        owners, letters, states = map(np.concatenate, zip(*found, strict=True))
        unseen[states] = False
        edges.append((owners << 8 | letters).astype(np.uint32))
        order.append(states)
        levels.append(levels[-1] + len(states))
    if unseen.any():
        raise ValueError("the language model has states that no text leads to")
    return Grams(np.concatenate(edges), levels[1:], features[np.concatenate(order)])


def _blocks(
    table: NDArray[np.uint32], rows: Numbers
) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    for start in range(0, len(rows), _BLOCK_ROWS):
        yield start, table[rows[start : start + _BLOCK_ROWS]]
