"""The trained model: what it reads of words, and the tags it gives."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrich.entities import card, modelfile
from enrich.entities.features import MAX_WORD_CHARS, sentence_keys
from enrich.entities.gazetteer import Gazetteer
from enrich.entities.iob2 import TAGS
from enrich.entities.model import (
    MAX_SENTENCE_WORDS,
    NameModel,
)
from enrich.errors import ModelDamaged

GAZETTEER = Gazetteer(
    names={"Anna": "g", "New": "*P", "York": "*P"},
    cues={"the": "w", "said": "v"},
    phrases={"New": [("P", ("York",))]},
    clusters={"Anna": "7"},
)
WORDS = ["Anna", "said", "New", "York", "the", ".", "1984", "Al-Nahr", "ß", "\ud800"]


def make_model(seed: int = 1) -> NameModel:
    """Return a model that knows features of our few words, with weights by chance."""
    chance = np.random.default_rng(seed)
    known = {
        key
        for words in itertools.permutations(WORDS[:5], 3)
        for keys in sentence_keys(words, GAZETTEER)
        for key in keys
    }
    weights = chance.integers(-30, 30, (len(known) + 1, len(TAGS)), np.int16)
    weights[-1] = 0
    return NameModel(
        np.array(sorted(known), np.uint32),
        weights,
        chance.integers(-30, 30, (len(TAGS), len(TAGS)), np.int32),
        GAZETTEER,
    )


def total(model: NameModel, scores: list[Any], path: tuple[int, ...]) -> int:
    sums = sum(int(row[tag]) for row, tag in zip(scores, path, strict=True))
    pairs = sum(int(model._pairs[pair]) for pair in itertools.pairwise(path))
    return sums + pairs + int(model._start[path[0]])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), st.integers(0, 3))
def test_a_worker_reads_what_training_read_and_finds_the_best_tags(
    words: list[str], seed: int
) -> None:
    model = make_model(seed)
    (tags,) = model.tag([words])
    rows = {
        int(key): model._weights[np.array([number])][0]
        for number, key in enumerate(model._keys)
    }
    zeros = np.zeros(len(TAGS), int)
    scores = [
        sum((rows[key].astype(int) for key in keys if key in rows), zeros)
        for keys in sentence_keys(words, GAZETTEER)
    ]
    paths = itertools.product(range(len(TAGS)), repeat=len(words))
    best = max(total(model, scores, path) for path in paths)
    assert total(model, scores, tuple(tags)) == best


SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), max_size=9), max_size=6)


@settings(max_examples=50, deadline=None)
@given(SENTENCES)
def test_a_sentence_has_its_tags_whatever_was_read_before_or_beside_it(
    sentences: list[list[str]],
) -> None:
    model = make_model()
    together = model.tag(sentences)
    assert together == [make_model().tag([words])[0] for words in sentences]
    assert together == model.tag(sentences)
    for words, tags in zip(sentences, together, strict=True):
        assert len(tags) == len(words)
        spelt = ["O", *(TAGS[tag] for tag in tags)]
        for earlier, later in itertools.pairwise(spelt):
            assert later[0] != "I" or earlier[2:] == later[2:]


def test_a_sentence_without_end_is_read_in_stretches() -> None:
    words = [*WORDS, "said"] * MAX_SENTENCE_WORDS
    (tags,) = make_model().tag([words])
    stretches = [
        words[start : start + MAX_SENTENCE_WORDS]
        for start in range(0, len(words), MAX_SENTENCE_WORDS)
    ]
    assert tags == list(itertools.chain(*make_model().tag(stretches)))


def test_ever_new_words_are_forgotten_again_and_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("enrich.entities.model.MAX_CACHED_WORDS", 50)
    model = make_model()
    expected = model.tag([WORDS])
    for number in range(0, 1000, 10):
        model.tag([[str(number + one) for one in range(10)]])
        assert len(model._rows) <= 50 + 11
    assert model.tag([WORDS]) == expected


def test_of_a_word_without_end_only_the_beginning_is_kept() -> None:
    model = make_model()
    model.tag([["A" * 100_000, "B" * 100_000]])
    assert max(map(len, model._rows)) == MAX_WORD_CHARS


def test_weights_are_read_as_they_were_written(tmp_path: Path) -> None:
    model = make_model()
    table = model._weights[np.arange(len(model._keys))]
    file = tmp_path / "weights.xz"
    modelfile.save_weights(file, model._keys, table, model._pairs)
    first = file.read_bytes()
    keys, weights, pairs = modelfile.decode_weights(first, len(table))
    assert (keys == model._keys).all()
    assert (weights[np.arange(len(table))] == table).all()
    assert (weights[np.array([len(table)])] == 0).all()
    assert (pairs == model._pairs).all()
    modelfile.save_weights(file, keys, weights[np.arange(len(table))], pairs)
    assert file.read_bytes() == first


@pytest.mark.parametrize("name", ["weights.xz", "names.txt.xz", "clusters.txt.xz"])
def test_a_changed_file_of_the_model_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in card.MODEL.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(modelfile, "MODEL", tmp_path)
    (tmp_path / name).write_bytes((card.MODEL / name).read_bytes() + b"x")
    with pytest.raises(ModelDamaged, match=name):
        modelfile.load_model()


def test_a_model_of_other_features_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modelfile, "FEATURES_VERSION", "0")
    with pytest.raises(ModelDamaged, match="features"):
        modelfile.load_model()
