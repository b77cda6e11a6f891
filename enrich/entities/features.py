"""What the entity model is told of each word, as numbers.

A feature is known by 32 bits of its name. Most are of one word, seen from where it
stands; the others join what stands side by side.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from enrich.entities.gazetteer import Gazetteer

FEATURES_VERSION = "1"  # raise it with every change; the model must be trained anew

MAX_WORD_CHARS = 40  # of longer words the rest is ignored; none is a name

Keys = NDArray[np.uint32]

# Where the word stands, seen from the one that is described.
PLACES = (0, -1, 1, -2, 2)

_MAX_AFFIX_CHARS = 5
_SHAPE_CHARS = 10
_DIGIT = re.compile(r"\d")
_REPEATED = re.compile(r"(.)\1+")
_CLASS = re.compile(r"\*?\w")


class WordKeys(NamedTuple):
    """The features of one word."""

    places: tuple[list[int], ...]  # as `PLACES`
    parts: tuple[int, ...]  # as `_PARTS`: what is joined with that of neighbours


# Columns of the parts of a word.
_LOWER, _SHAPE, _CLASSES = range(3)
N_PARTS = 3

# Which parts are joined, each with where its word stands.
_JOINTS = (
    ((-1, _LOWER), (0, _LOWER)),
    ((0, _LOWER), (1, _LOWER)),
    ((-1, _LOWER), (1, _LOWER)),
    ((-2, _LOWER), (-1, _LOWER)),
    ((1, _LOWER), (2, _LOWER)),
    ((-1, _LOWER), (0, _SHAPE)),
    ((0, _SHAPE), (1, _LOWER)),
    ((-1, _SHAPE), (0, _SHAPE), (1, _SHAPE)),
    ((-1, _CLASSES), (0, _CLASSES)),
    ((0, _CLASSES), (1, _CLASSES)),
    ((-1, _CLASSES), (0, _CLASSES), (1, _CLASSES)),
)
EDGE = "\n"  # stands before and after every sentence, twice
MARGIN = 2


def word_keys(word: str, gazetteer: Gazetteer) -> WordKeys:
    """Return the features of a word; of more than 40 characters the first 40 count."""
    word = word[:MAX_WORD_CHARS]
    lower = _DIGIT.sub("0", word.lower())
    shape = "".join(map(_char_shape, word[:_SHAPE_CHARS]))
    short = _REPEATED.sub(r"\1", shape)
    classes = gazetteer.classes(word)
    letters = _CLASS.findall(classes)
    far = ["w" + lower, "g" + short + classes]
    near = [*far, "t" + short, "e" + lower[-3:], "k" + gazetteer.cluster(word)]
    near += ["c" + letter for letter in letters]
    here = [*near, "x" + word, "s" + shape, *_affixes(lower)]
    if "-" in word[1:-1]:
        here += ["h" + part for part in lower.split("-")]
    names = [_encode(name) for name in here]
    return WordKeys(
        places=tuple(
            [zlib.crc32(name, start) for name in names[:n_names]]
            for start, n_names in zip(
                _STARTS, (None, len(near), len(near), 2, 2), strict=True
            )
        ),
        parts=(_hash(lower), _hash(short), _hash(short + classes)),
    )


def mark_key(mark: str) -> int:
    """Return the feature of a part of a name of several words."""
    return _hash("m" + mark)


def joint_keys(parts: Keys) -> Iterable[Keys]:
    """Yield, for each kind of joint, the feature of each word.

    Args:
        parts: Parts of the words, one row a word, with a margin of two at both ends.

    Yields:
        One feature for each word without the margins.
    """
    n_words = len(parts) - 2 * MARGIN
    for number, joint in enumerate(_JOINTS, start=1):
        keys = np.full(n_words, number, dtype=np.uint32)
        for place, column in joint:
            start = MARGIN + place
            keys = _mix(keys, parts[start : start + n_words, column])
        yield keys


def sentence_keys(
    words: Sequence[str],
    gazetteer: Gazetteer,
    keys_of: Callable[[str, Gazetteer], WordKeys] = word_keys,
) -> list[list[int]]:
    """Return the features of each word of a sentence, as training reads them.

    Args:
        words: The sentence.
        gazetteer: What tables say of words.
        keys_of: `word_keys`, or what remembers its answers.
    """
    padded = [EDGE] * MARGIN + list(words) + [EDGE] * MARGIN
    views = [keys_of(word, gazetteer) for word in padded]
    parts = np.array([view.parts for view in views], dtype=np.uint32)
    joints = [keys.tolist() for keys in joint_keys(parts)]
    marks = gazetteer.mark(words)
    described = []
    for index in range(len(words)):
        found = [keys[index] for keys in joints]
        for number, place in enumerate(PLACES):
            found += views[index + MARGIN + place].places[number]
        if index in marks:
            found.append(mark_key(marks[index]))
        described.append(found)
    return described


def _affixes(lower: str) -> list[str]:
    lengths = range(1, min(_MAX_AFFIX_CHARS, len(lower) - 1) + 1)
    return [
        *(f"p{lower[:length]}" for length in lengths),
        *(f"e{lower[-length:]}" for length in lengths),
        f"l{min(len(lower), _SHAPE_CHARS)}",
    ]


def _char_shape(char: str) -> str:
    if char.isupper():
        return "X"
    if char.islower():
        return "x"
    if char.isdigit():
        return "0"
    return "a" if char.isalpha() else char


def _hash(name: str) -> int:
    return zlib.crc32(_encode(name))


def _encode(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


# A checksum goes on where another one ended: names are hashed behind their place.
_STARTS = tuple(_hash(str(place)) for place in PLACES)


def _mix(one: Keys, two: Keys) -> Keys:
    # Multiplication by odd numbers, cut at 32 bits, loses nothing; the shift lets
    # high bits reach low ones.
    mixed: Keys = one * np.uint32(0x9E3779B1) + two * np.uint32(0x85EBCA77)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    return mixed
