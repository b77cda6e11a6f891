"""Training: what it may see, and that it gives the same model again."""

import lzma
from pathlib import Path

import numpy as np

from enrich.entities.gazetteer import load_gazetteer
from enrich.entities.iob2 import TAGS, LabelledSentence
from enrich.entities.model import NameModel
from training.entities.corpora import CORPORA, read_corpora, read_gate
from training.entities.crf import fill_misc, mix, rewind_chance, train_weights
from training.entities.teach import write_sentences

SENTENCES = [
    LabelledSentence(
        ["The", "Norwegian", "minister", name, "flew", "to", place, "."],
        ["O", "B-MISC", "O", "B-PER", "O", "O", "B-LOC", "O"],
    )
    for name in ("Brandt", "Iturra", "Lefebvre", "Kowalczyk")
    for place in ("Wexcombe", "Ranmoor", "Halvard")
]
PLAIN = [
    LabelledSentence(words, [tag if "MISC" not in tag else "O" for tag in tags])
    for words, tags in SENTENCES
]


def write(folder: Path, name: str, sentences: list[LabelledSentence]) -> None:
    blocks = (
        "\n".join(f"{word}\t{tag}" for word, tag in zip(words, tags, strict=True))
        for words, tags in sentences
    )
    body = lzma.compress("\n\n".join(blocks).encode())
    (folder / f"{name}.iob2.xz").write_bytes(body)


def test_the_gate_is_never_trained_on(tmp_path: Path) -> None:
    for corpus in CORPORA:
        write(tmp_path, corpus.name, SENTENCES[:10])
    write(tmp_path, "wnut17-test", SENTENCES[10:])
    gate = read_gate(tmp_path)
    assert gate["wikigold gate"] == SENTENCES[8:10]
    for corpus, sentences in read_corpora(tmp_path).items():
        if corpus.name == "wikigold":
            assert sentences == SENTENCES[:8]
        assert not any(found in sentences for found in gate["WNUT17 test"])


def test_a_set_labelled_anew_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    taught = tmp_path / "taught"
    taught.mkdir()
    for corpus in CORPORA:
        write(tmp_path, corpus.name, PLAIN)
    write_sentences(taught / "gmb.iob2.xz", SENTENCES)
    for corpus, sentences in read_corpora(tmp_path, taught).items():
        expected = SENTENCES if corpus.name == "gmb" else PLAIN
        assert sentences == expected[: len(sentences)]


def test_labels_of_accounts_and_threads_are_taken_off(tmp_path: Path) -> None:
    words = ["@ada", "met", "#Oslo", "and", "@", "bob"]
    tags = ["B-PER", "O", "B-LOC", "O", "O", "B-PER"]
    for corpus in CORPORA:
        write(tmp_path, corpus.name, [LabelledSentence(words, tags)] * 5)
    for sentences in read_corpora(tmp_path).values():
        assert all(set(found.tags) == {"O"} for found in sentences)


def test_equal_corpora_give_equal_weights_which_find_names() -> None:
    gazetteer = load_gazetteer()
    sets = {CORPORA[1]: SENTENCES}
    trained = []
    for _ in range(2):
        rewind_chance()
        trained.append(train_weights(sets, gazetteer, (1, 2)))
    one, again = trained
    assert np.array_equal(one[0], again[0])
    assert np.array_equal(one[1], again[1])
    assert np.array_equal(one[2], again[2])
    words = ["The", "Norwegian", "minister", "Okafor", "flew", "to", "Ranmoor", "."]
    (tags,) = NameModel(*one, gazetteer).tag([words])
    assert [TAGS[tag] for tag in tags] == SENTENCES[0].tags


def test_names_of_other_kinds_are_added_where_a_set_leaves_them_out() -> None:
    silent = next(corpus for corpus in CORPORA if not corpus.has_misc)
    sets = {CORPORA[1]: SENTENCES, silent: PLAIN}
    filled = fill_misc(sets, load_gazetteer())
    assert filled[silent] == SENTENCES
    assert filled[CORPORA[1]] is SENTENCES


def test_a_mix_holds_of_each_set_its_share() -> None:
    half = next(corpus for corpus in CORPORA if corpus.share == 0.5)
    twice = next(corpus for corpus in CORPORA if corpus.times == 2)
    assert len(mix({half: SENTENCES, twice: SENTENCES}, 1)) == 6 + 24
    assert mix({half: SENTENCES}, 1) == mix({half: SENTENCES}, 1)
