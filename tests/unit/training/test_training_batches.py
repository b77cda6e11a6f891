"""What the neural model is trained on: how it is drawn, changed and laid out."""

import numpy as np

from enrich.entities.iob2 import TAGS, LabelledSentence
from enrich.entities.windows import MAX_PIECES
from enrich.entities.wordpiece import WordPieces
from training.entities.batches import (
    NO_WORD,
    PIECES_PER_BATCH,
    SHARES,
    TIMES,
    batch_epoch,
    mix_epoch,
    recase,
)
from training.entities.corpora import CORPORA

PIECES = WordPieces(
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ada", "brandt", "flew", "##s", "to", "oslo"]
)
SENTENCE = LabelledSentence(
    ["Ada", "Brandt", "flews", "to", "Oslo"], ["B-PER", "I-PER", "O", "O", "B-LOC"]
)
BY_NAME = {corpus.name: corpus for corpus in CORPORA}


def test_an_epoch_draws_of_silver_sets_a_part_and_another_the_next_time() -> None:
    numbered = [LabelledSentence([f"w{number}"], ["O"]) for number in range(400)]
    sets = {BY_NAME["gmb"]: numbered, BY_NAME["wikigold"]: numbered}
    first, again, second = (mix_epoch(sets, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != second
    expected = 400 * SHARES["gmb"] + 400 * TIMES["wikigold"]
    assert len(first) == expected


def test_each_sentence_says_whether_other_names_are_labelled_in_it() -> None:
    silent = next(corpus for corpus in CORPORA if not corpus.has_misc)
    sets = {silent: [SENTENCE] * 20, BY_NAME["crossner-ai"]: [SENTENCE] * 30}
    mixed = mix_epoch(sets, 1)
    assert sum(has_misc for _, has_misc in mixed) == 30


def test_a_tenth_is_recased_and_keeps_its_labels() -> None:
    changed = [recase(SENTENCE, number / 1000) for number in range(1000)]
    assert all(found.tags == SENTENCE.tags for found in changed)
    assert sum(found != SENTENCE for found in changed) == 100
    assert {" ".join(found.words) for found in changed} == {
        "Ada Brandt flews to Oslo",
        "Ada Brandt Flews To Oslo",
        "ADA BRANDT FLEWS TO OSLO",
        "ada brandt flews to oslo",
    }


def test_batches_hold_each_word_once_with_its_tag() -> None:
    sets = {BY_NAME["crossner-ai"]: [SENTENCE] * 300}
    batches = batch_epoch(sets, 1, PIECES)
    assert sum(batch.n_words for batch in batches) == 1_500
    counted = np.concatenate([batch.tags.ravel() for batch in batches])
    for tag in ("B-PER", "I-PER", "B-LOC"):
        assert (counted == TAGS.index(tag)).sum() == 300
    for batch in batches:
        assert batch.pieces.size <= PIECES_PER_BATCH
        assert (batch.tags[~batch.mask] == NO_WORD).all()
        assert (batch.pieces[~batch.mask] == PIECES.padding).all()
        assert batch.has_misc.all()


def test_a_long_sentence_is_learnt_window_by_window() -> None:
    long = LabelledSentence(["ada"] * 1_000, ["B-PER"] * 1_000)
    batches = batch_epoch({BY_NAME["crossner-ai"]: [long]}, 1, PIECES)
    assert sum(batch.n_words for batch in batches) == 1_000
    assert max(batch.pieces.shape[1] for batch in batches) <= MAX_PIECES
