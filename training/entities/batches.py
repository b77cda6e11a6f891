"""What the neural model is trained on, in which order, and in which batches."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enrich.entities.iob2 import TAGS, LabelledSentence
from enrich.entities.windows import Window, cut_windows
from enrich.entities.wordpiece import WordPieces
from training.entities.corpora import Corpus

Sets = Mapping[Corpus, Sequence[LabelledSentence]]

# Of the silver sets each epoch draws others: what is hand-made and of many kinds
# teaches more a word, and a model of this size learns their noise by heart.
SHARES = {"gmb": 0.25, "wikiann-en": 0.15}
TIMES = {"wikigold": 2}

# Of headlines, shouted and careless lines there are few in the corpora.
TITLE_SHARE, UPPER_SHARE, LOWER_SHARE = 0.04, 0.03, 0.03

PIECES_PER_BATCH = 1_024  # padding included
BATCHES_PER_BUCKET = 40  # windows are sorted by length within so many

NO_WORD = -1  # the tag of a piece that does not open a word
TAG_NUMBERS = {tag: number for number, tag in enumerate(TAGS)}


@dataclass(frozen=True, slots=True)
class Example:
    """A window, the tags of its words, and whether other names are labelled."""

    window: Window
    tags: list[int]
    has_misc: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Arrays of windows by pieces."""

    pieces: NDArray[np.int64]
    casing: NDArray[np.int64]
    mask: NDArray[np.bool_]  # whether there is a piece
    tags: NDArray[np.int64]  # NO_WORD where no word opens
    has_misc: NDArray[np.bool_]  # of each window
    n_words: int


def mix_epoch(sets: Sets, seed: int) -> list[tuple[LabelledSentence, bool]]:
    """Draw an epoch's sentences, some recased; beside each, whether it has MISC."""
    chance = random.Random(seed)  # noqa: S311 - equal runs must give equal models
    mixed: list[tuple[LabelledSentence, bool]] = []
    for corpus, sentences in sets.items():
        n_taken = int(len(sentences) * SHARES.get(corpus.name, 1))
        drawn = chance.sample(sentences, n_taken) * TIMES.get(corpus.name, 1)
        mixed += [(sentence, corpus.has_misc) for sentence in drawn]
    chance.shuffle(mixed)
    return [(recase(sentence, chance.random()), misc) for sentence, misc in mixed]


def recase(sentence: LabelledSentence, drawn: float) -> LabelledSentence:
    """Return the sentence as a headline, shouted or careless, by a number of 0 to 1."""
    words, tags = sentence
    if drawn < TITLE_SHARE:
        return LabelledSentence([word[:1].upper() + word[1:] for word in words], tags)
    if drawn < TITLE_SHARE + UPPER_SHARE:
        return LabelledSentence([word.upper() for word in words], tags)
    if drawn < TITLE_SHARE + UPPER_SHARE + LOWER_SHARE:
        return LabelledSentence([word.lower() for word in words], tags)
    return sentence


def batch_epoch(sets: Sets, seed: int, pieces: WordPieces) -> list[Batch]:
    """Return an epoch's batches of windows of like length, shuffled."""
    mixed = mix_epoch(sets, seed)
    examples = list(_examples(mixed, pieces))
    batches: list[Batch] = []
    size = max(1, PIECES_PER_BATCH * BATCHES_PER_BUCKET // 30)
    for start in range(0, len(examples), size):
        bucket = sorted(
            examples[start : start + size], key=lambda one: len(one.window.pieces)
        )
        batches += [make_batch(part, pieces.padding) for part in _fill(bucket)]
    random.Random(seed).shuffle(batches)  # noqa: S311 - as above
    return batches


def _examples(
    mixed: Sequence[tuple[LabelledSentence, bool]], pieces: WordPieces
) -> Iterator[Example]:
    for window in cut_windows((sentence.words for sentence, _ in mixed), pieces):
        sentence, has_misc = mixed[window.sentence]
        tags = [TAG_NUMBERS[tag] for tag in sentence.tags[window.first : window.last]]
        yield Example(window, tags, has_misc)


def _fill(examples: Sequence[Example]) -> Iterator[list[Example]]:
    """Cut a row of ever longer examples into batches of about as many pieces."""
    part: list[Example] = []
    for example in examples:
        if part and (len(part) + 1) * len(example.window.pieces) > PIECES_PER_BATCH:
            yield part
            part = []
        part.append(example)
    if part:
        yield part


def make_batch(examples: Sequence[Example], padding: int) -> Batch:
    """Lay examples into arrays as wide as the longest of them."""
    shape = len(examples), max(len(one.window.pieces) for one in examples)
    pieces = np.full(shape, padding, np.int64)
    casing = np.zeros(shape, np.int64)
    mask = np.zeros(shape, np.bool_)
    tags = np.full(shape, NO_WORD, np.int64)
    for row, example in enumerate(examples):
        window = example.window
        n_pieces = len(window.pieces)
        pieces[row, :n_pieces] = window.pieces
        casing[row, :n_pieces] = window.casing
        mask[row, :n_pieces] = True
        tags[row, window.heads] = example.tags
    return Batch(
        pieces=pieces,
        casing=casing,
        mask=mask,
        tags=tags,
        has_misc=np.array([one.has_misc for one in examples]),
        n_words=sum(len(one.tags) for one in examples),
    )
