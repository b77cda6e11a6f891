"""Words as the numbers of their pieces and the class of their casing."""

import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

MAX_WORD_CHARS = 100  # of a longer word, an address or noise, nothing is read
MAX_CACHED_WORDS = 30_000  # about 10 MB

PADDING, UNKNOWN, START, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
_GOES_ON = "##"  # marks a piece that does not open a word

# Scripts without spaces: each sign is a word. First and last of each range.
_SIGNS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


class Casing(IntEnum):
    """How a word is written; the vocabulary itself knows small letters alone."""

    NONE = 0  # marks of the model: start, end, padding
    LOWER = 1
    TITLE = 2
    UPPER = 3
    INITIAL = 4  # one capital, as in "A", "B." and "I"
    DIGITS = 5
    MARK = 6
    MIXED = 7


class Cut(NamedTuple):
    """A piece of a word: its number, and its characters of the word, half-open."""

    piece: int
    start: int
    end: int


class WordPieces:
    """Cuts words into the longest pieces of a vocabulary, from left to right.

    It keeps what it has worked out, which changes no answer.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._max_chars = max(map(len, self._numbers))
        self.padding = self._numbers[PADDING]
        self.unknown = self._numbers[UNKNOWN]
        self.start = self._numbers[START]
        self.end = self._numbers[END]
        self._known: dict[str, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the pieces of a word: one and more."""
        found = self._known.get(word)
        if found is None:
            found = tuple(cut.piece for cut in self.cut(word))
            if len(word) <= MAX_WORD_CHARS:
                if len(self._known) >= MAX_CACHED_WORDS:
                    self._known.clear()
                self._known[word] = found
        return found

    def cut(self, word: str) -> list[Cut]:
        """Cut a word into pieces, which cover it from end to end.

        A character that the vocabulary writes with two may be shared by two pieces.
        """
        if len(word) > MAX_WORD_CHARS:
            return [Cut(self.unknown, 0, len(word))]
        letters, origins = _plain(word)
        found: list[tuple[int, int]] = []  # number, first letter
        for first, last in _parts(letters):
            found += self._longest(letters, first, last)
        if not found:
            return [Cut(self.unknown, 0, len(word))]
        starts = [0, *(origins[first] for _, first in found[1:]), len(word)]
        return [
            Cut(number, start, end)
            for (number, _), start, end in zip(found, starts, starts[1:], strict=False)
        ]

    def _longest(
        self, letters: Sequence[str], first: int, last: int
    ) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        start, prefix = first, ""
        while start < last:
            stop = min(last, start + self._max_chars)
            for end in range(stop, start, -1):
                number = self._numbers.get(prefix + "".join(letters[start:end]))
                if number is not None:
                    found.append((number, start))
                    start, prefix = end, _GOES_ON
                    break
            else:
                return [(self.unknown, first)]
        return found


def case_of(word: str) -> Casing:
    """Return the class of the casing of a word."""
    letters = [char for char in word[:MAX_WORD_CHARS] if char.isalpha()]
    if not letters:
        digits = any(char.isdigit() for char in word[:MAX_WORD_CHARS])
        return Casing.DIGITS if digits else Casing.MARK
    n_capitals = sum(char.isupper() or char.istitle() for char in letters)
    if not n_capitals:
        return Casing.LOWER
    if len(letters) == 1:
        return Casing.INITIAL
    if n_capitals == len(letters):
        return Casing.UPPER
    first = word[0].isupper() or word[0].istitle()
    return Casing.TITLE if n_capitals == 1 and first else Casing.MIXED


def _plain(word: str) -> tuple[list[str], list[int]]:
    """Return small letters without accents, and for each its place in the word."""
    letters: list[str] = []
    origins: list[int] = []
    for place, char in enumerate(word):
        for letter in unicodedata.normalize("NFD", char.lower()):
            if unicodedata.category(letter) not in {"Mn", "Cc", "Cf", "Co", "Cs"}:
                letters.append(letter)
                origins.append(place)
    return letters, origins


def _parts(letters: Sequence[str]) -> list[tuple[int, int]]:
    """Cut at marks, each of which is a part of its own."""
    parts: list[tuple[int, int]] = []
    start = 0
    for place, letter in enumerate(letters):
        if _is_mark(letter):
            if start < place:
                parts.append((start, place))
            parts.append((place, place + 1))
            start = place + 1
    if start < len(letters):
        parts.append((start, len(letters)))
    return parts


def _is_mark(letter: str) -> bool:
    if letter.isascii():
        return not letter.isalnum()
    if unicodedata.category(letter)[0] == "P":
        return True
    return any(first <= ord(letter) <= last for first, last in _SIGNS)
