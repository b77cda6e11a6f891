"""Trains the embedded entity model and writes it into the package with its card.

Run as `python -m training.entities.crf CORPORA`, or `make train-crf`. Equal corpora
give equal bytes. `--dev` trains on four fifths and prints scores on the others; on
those, and never on the gate, everything here was chosen.
"""

import argparse
import ctypes
import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pycrfsuite
from numpy.typing import NDArray

from enrich.entities.card import CARD, FILES, MODEL, WEIGHTS
from enrich.entities.features import FEATURES_VERSION, sentence_keys, word_keys
from enrich.entities.gazetteer import Gazetteer, load_gazetteer
from enrich.entities.iob2 import TAGS, LabelledSentence, Scores, labelled_words
from enrich.entities.minilmcard import read_minilm_card
from enrich.entities.model import N_TAGS, NameModel
from enrich.entities.modelfile import save_weights
from enrich.messages import EntityKind
from training.entities.corpora import (
    CORPORA,
    DEV_SHARE,
    Corpus,
    read_corpora,
    read_gate,
)

# Two models of two mixes, whose mean is the model: each sees another part of what is
# taken in part, and the mean errs less than either.
SEEDS = (13, 14)
ITERATIONS = 10  # of the averaged perceptron; more changed nothing
SCALE = 16  # of the whole numbers that weights become; finer ones changed nothing
MIN_WEIGHT = 6  # features that weigh no more, in those numbers, told nothing

# Of headlines and shouted lines there are few in the corpora and many in news.
TITLE_CASE_SHARE, UPPER_CASE_SHARE = 0.04, 0.02

Weights = tuple[NDArray[np.uint32], NDArray[np.int16], NDArray[np.int32]]
Sets = Mapping[Corpus, Sequence[LabelledSentence]]


def main(arguments: list[str] | None = None) -> None:
    """Train a model; write it, or with `--dev` say how good its like would be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of *.iob2.xz")
    parser.add_argument("--dev", action="store_true", help="score, write nothing")
    parser.add_argument("--taught", type=Path, help="sets labelled anew by a model")
    options = parser.parse_args(arguments)
    rewind_chance()
    sets = read_corpora(options.corpora, options.taught)
    gazetteer = load_gazetteer()
    train, dev = _split(sets) if options.dev else (sets, read_gate(options.corpora))
    weights = train_weights(fill_misc(train, gazetteer), gazetteer, SEEDS)
    model = NameModel(*weights, gazetteer)
    scores = {
        name: score(model, sentences, has_misc=_has_misc(name))
        for name, sentences in dev.items()
    }
    if not options.dev:
        write_model(weights, scores, train)
        if options.taught:
            note_teacher(options.taught)
    sys.stdout.write(json.dumps(scores, indent=2) + "\n")


def rewind_chance() -> None:
    """Let crfsuite shuffle from here on as it does in a new process.

    It draws from the C library and has no seed of its own.
    """
    ctypes.CDLL(None).srand(1)


def train_weights(sets: Sets, gazetteer: Gazetteer, seeds: Sequence[int]) -> Weights:
    """Train a model for each seed on a mix of the sets, and return their mean."""
    rows: dict[int, NDArray[np.float64]] = {}
    pairs = np.zeros((N_TAGS, N_TAGS))
    column = {tag: index for index, tag in enumerate(TAGS)}
    for seed in seeds:
        info = _train(mix(sets, seed), gazetteer)
        for (key, tag), weight in info.state_features.items():
            row = rows.setdefault(int(key, 16), np.zeros(N_TAGS))
            row[column[tag]] += weight / len(seeds)
        for (earlier, later), weight in info.transitions.items():
            pairs[column[earlier], column[later]] += weight / len(seeds)
    keys = np.array(sorted(rows), np.uint32)
    table = np.rint(np.array([rows[int(key)] for key in keys]) * SCALE)
    kept = np.abs(table).max(axis=1) > MIN_WEIGHT
    limit = np.iinfo(np.int16).max
    weights = np.clip(table[kept], -limit, limit).astype(np.int16)
    unknown = np.zeros((1, N_TAGS), np.int16)
    whole_pairs = np.rint(pairs * SCALE).astype(np.int32)
    return keys[kept], np.vstack([weights, unknown]), whole_pairs


def _train(sentences: Iterable[LabelledSentence], gazetteer: Gazetteer) -> Any:
    """Return what the averaged perceptron has learnt: weights by feature and tag."""
    trainer = pycrfsuite.Trainer("ap", verbose=False)
    trainer.set_params({"max_iterations": ITERATIONS})
    spell, keys_of = cache("{:x}".format), cache(word_keys)
    for words, tags in sentences:
        keys = sentence_keys(words, gazetteer, keys_of)
        trainer.append([list(map(spell, found)) for found in keys], tags)
    with tempfile.NamedTemporaryFile() as file:
        trainer.train(file.name)
        tagger = pycrfsuite.Tagger()
        tagger.open(file.name)
        return tagger.info()


def fill_misc(sets: Sets, gazetteer: Gazetteer) -> Sets:
    """Label names of other kinds where a set leaves them out.

    Their absence means nothing there; trained on as it is, it would teach the model
    to overlook them. A model of the sets that have them says where they are.
    """
    labelled = {one: found for one, found in sets.items() if one.has_misc}
    teacher = NameModel(*train_weights(labelled, gazetteer, SEEDS[:1]), gazetteer)
    return {
        corpus: sentences if corpus.has_misc else _fill(sentences, teacher)
        for corpus, sentences in sets.items()
    }


def _fill(
    sentences: Sequence[LabelledSentence], teacher: NameModel
) -> list[LabelledSentence]:
    filled = []
    for words, tags in sentences:
        (found,) = teacher.tag([words])
        added = list(tags)
        for first, last, kind in labelled_words(TAGS[tag] for tag in found):
            if kind == "MISC" and set(tags[first:last]) == {"O"}:
                added[first:last] = ["B-MISC", *["I-MISC"] * (last - first - 1)]
        filled.append(LabelledSentence(words, added))
    return filled


def mix(sets: Sets, seed: int) -> list[LabelledSentence]:
    """Take from each set its share, change some to headlines, and shuffle all."""
    chance = random.Random(seed)  # noqa: S311 - equal runs must give equal models
    mixed: list[LabelledSentence] = []
    for corpus, sentences in sets.items():
        n_taken = int(len(sentences) * corpus.share)
        mixed += chance.sample(sentences, n_taken) * corpus.times
    chance.shuffle(mixed)
    return [_recase(sentence, chance.random()) for sentence in mixed]


def _recase(sentence: LabelledSentence, drawn: float) -> LabelledSentence:
    words, tags = sentence
    if drawn < TITLE_CASE_SHARE:
        return LabelledSentence([word[:1].upper() + word[1:] for word in words], tags)
    if drawn < TITLE_CASE_SHARE + UPPER_CASE_SHARE:
        return LabelledSentence([word.upper() for word in words], tags)
    return sentence


def _split(sets: Sets) -> tuple[Sets, dict[str, Sequence[LabelledSentence]]]:
    train, dev = {}, {}
    for corpus, sentences in sets.items():
        cut = int(len(sentences) * (1 - DEV_SHARE))
        train[corpus], dev[corpus.name] = sentences[:cut], sentences[cut:]
    return train, dev


def _has_misc(name: str) -> bool:
    return all(corpus.has_misc for corpus in CORPORA if corpus.name == name)


def score(
    model: NameModel, sentences: Sequence[LabelledSentence], *, has_misc: bool
) -> dict[str, float]:
    """Return F1 of each kind and over all, in percent, on the words as they are."""
    kinds = [kind.value for kind in EntityKind if has_misc or kind != "MISC"]
    scores = Scores()
    for words, tags in sentences:
        (found,) = model.tag([words])
        scores.add(labelled_words(TAGS[tag] for tag in found), labelled_words(tags))
    rated = {kind: scores.of([kind])[2] for kind in kinds} | {
        "all": scores.of(kinds)[2]
    }
    return {name: round(100 * f1, 1) for name, f1 in rated.items()}


def write_model(
    weights: Weights, scores: Mapping[str, Mapping[str, float]], sets: Sets
) -> None:
    """Write the weights and their card."""
    save_weights(MODEL / WEIGHTS, weights[0], weights[1][:-1], weights[2])
    card = {
        "name": "crf",
        "language": "en",
        "tags": TAGS,
        "features": FEATURES_VERSION,
        "sha256": {
            name: hashlib.sha256((MODEL / name).read_bytes()).hexdigest()
            for name in FILES
        },
        "n_features": len(weights[0]),
        "seeds": SEEDS,
        "iterations": ITERATIONS,
        "data": [
            {
                "name": corpus.name,
                "origin": corpus.origin,
                "licence": corpus.licence,
                "sentences": int(len(sentences) * corpus.share),
            }
            for corpus, sentences in sets.items()
        ],
        "f1": scores,
    }
    body = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (MODEL / CARD).write_text(body, "utf-8")


def note_teacher(taught: Path) -> None:
    """Say in the card whose labels were learnt."""
    card = json.loads((MODEL / CARD).read_text("utf-8"))
    teacher = f"minilm {read_minilm_card().version}"
    for about in card["data"]:
        if (taught / f"{about['name']}.iob2.xz").exists():
            about["labels"] = teacher
    body = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (MODEL / CARD).write_text(body, "utf-8")


if __name__ == "__main__":
    main()
