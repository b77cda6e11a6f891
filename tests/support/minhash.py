"""What copies and stories are measured beside: MinHash with an index of bands."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from datasketch import MinHash, MinHashLSH

N_PERMUTATIONS, N_BANDS = 128, 32
GRAM_WORDS = 5


class Alike(NamedTuple):
    """How alike two texts are, by estimate."""

    resemblance: float
    containment: float  # share of the shorter text's grams in the longer


class Sketches:
    """Texts by name, found by the bands that they share with another of them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        grams = {name: _grams(text) for name, text in texts.items()}
        self._sizes = {name: len(found) for name, found in grams.items()}
        made = MinHash.bulk(grams.values(), num_perm=N_PERMUTATIONS, scheme="affine32")
        self._sketches = dict(zip(grams, made, strict=True))
        self._index = MinHashLSH(
            num_perm=N_PERMUTATIONS, params=(N_BANDS, N_PERMUTATIONS // N_BANDS)
        )

    def index(self, name: str) -> None:
        """Let a text be found."""
        self._index.insert(name, self._sketches[name])

    def find(self, name: str) -> dict[str, Alike]:
        """Return the indexed texts that share a band with one, itself left out."""
        found = self._index.query(self._sketches[name])
        return {other: self._compare(name, other) for other in found if other != name}

    def _compare(self, name: str, other: str) -> Alike:
        resemblance = self._sketches[name].jaccard(self._sketches[other])
        sizes = self._sizes[name], self._sizes[other]
        n_shared = resemblance / (1 + resemblance) * sum(sizes)
        return Alike(resemblance, n_shared / min(sizes))


def _grams(text: str) -> set[bytes]:
    words = re.findall(r"\w+", text.lower())
    n_grams = max(1, len(words) - GRAM_WORDS + 1)
    return {
        " ".join(words[place : place + GRAM_WORDS]).encode() for place in range(n_grams)
    }
