"""Groups words that stand in the same surroundings, for the entity model to read.

Run as `python -m training.entities.build_clusters CORPORA`. Words of the corpora that
may be trained on are counted; no label is read.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from enrich.entities.card import CLUSTERS, MODEL
from training.entities.corpora import read_corpora
from training.stories.build_idf import write_table

MIN_COUNT = 4
N_NEIGHBOURS = 1_500  # the commonest words; a context is one of them on one side
N_DIMENSIONS = 80
N_CLUSTERS = 256
ROUNDS = 25
SEED = 13

Vectors = NDArray[np.float32]


def main() -> None:
    """Write one word a line, after the number of its cluster."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of *.iob2.xz")
    sets = read_corpora(parser.parse_args().corpora)
    sentences = [
        ["", *(re.sub(r"\d", "0", word) for word in words), ""]
        for found in sets.values()
        for words, _ in found
    ]
    counts = Counter(word for words in sentences for word in words)
    vocabulary = sorted(word for word, count in counts.items() if count >= MIN_COUNT)
    numbers = group(embed(sentences, vocabulary, counts))
    lines = [
        f"{number}\t{word}"
        for word, number in zip(vocabulary, numbers, strict=True)
        if word
    ]
    write_table(MODEL / CLUSTERS, lines)
    sys.stdout.write(f"{len(lines)} words in {N_CLUSTERS} clusters\n")


def embed(
    sentences: Sequence[Sequence[str]], vocabulary: Sequence[str], counts: Counter[str]
) -> Vectors:
    """Return a unit vector for each word, near where surroundings are alike."""
    row = {word: index for index, word in enumerate(vocabulary)}
    common = sorted(vocabulary, key=lambda word: (-counts[word], word))[:N_NEIGHBOURS]
    column = {word: index for index, word in enumerate(common)}
    table = np.zeros((len(vocabulary), 2 * N_NEIGHBOURS), np.float32)
    for words in sentences:
        for left, right in pairwise(words):
            if left in row and right in column:
                table[row[left], column[right]] += 1
            if right in row and left in column:
                table[row[right], N_NEIGHBOURS + column[left]] += 1
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    # Positive pointwise mutual information: how much oftener than by chance.
    table = np.log(np.maximum(table, 1e-9) / np.maximum(expected, 1e-9)).clip(0)
    strengths, axes = np.linalg.eigh(table.T @ table)
    del strengths
    vectors: NDArray[np.float32] = table @ axes[:, -N_DIMENSIONS:]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return vectors


def group(vectors: Vectors) -> list[int]:
    """Return the number of the cluster of each vector (spherical k-means)."""
    chance = np.random.default_rng(SEED)
    centres = vectors[chance.choice(len(vectors), N_CLUSTERS, replace=False)]
    numbers = np.zeros(len(vectors), np.int64)
    for _ in range(ROUNDS):
        numbers = (vectors @ centres.T).argmax(axis=1)
        for number in range(N_CLUSTERS):
            members = vectors[numbers == number]
            if len(members):
                centres[number] = members.sum(0) / np.linalg.norm(members.sum(0))
    return [int(number) for number in numbers]


if __name__ == "__main__":
    main()
