"""Where two texts are the same word for word: the evidence that one is a copy."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from enrich.dedup.fingerprint import GRAM_TOKENS
from enrich.dedup.tokens import normalise

# Of longer texts the beginning is looked at: 8,000 words, in some tenths of a second.
MAX_CHARS = 50_000
# A phrase that a text repeats is looked for at so many of its places.
MAX_PLACES = 8

_PART = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch that two texts share; places count characters of the texts as given."""

    n_tokens: int  # words, or characters of scripts without spaces
    one: slice
    other: slice


@dataclass(frozen=True, slots=True)
class _Words:
    tokens: list[str]
    starts: list[int]
    ends: list[int]


def find_passages(one: str, other: str, *, most: int) -> list[Passage]:
    """Return the longest passages that two texts share, longest first.

    A passage has five tokens or more and is as long as it can be; case, quotes and
    spacing do not end it. Passages do not overlap in the first text.
    """
    words, others = _read(one[:MAX_CHARS]), _read(other[:MAX_CHARS])
    places = _index(others.tokens)
    found: list[tuple[int, int, int]] = []
    start = 0
    while start + GRAM_TOKENS <= len(words.tokens):
        gram = tuple(words.tokens[start : start + GRAM_TOKENS])
        lengths = [
            (_length(words.tokens, others.tokens, start, place), -place)
            for place in places.get(gram, ())
        ]
        length, place = max(lengths, default=(0, 0))
        if length:
            found.append((length, start, -place))
        start += length or 1
    found.sort(key=lambda match: (-match[0], match[1]))
    return [_passage(words, others, match) for match in found[:most]]


def _read(text: str) -> _Words:
    words = _Words([], [], [])
    for part in _PART.finditer(text):
        tokens = normalise(part.group())
        # In scripts without spaces each character is a token with a place of its own.
        single = len(tokens) == part.end() - part.start()
        for number, token in enumerate(tokens):
            start = part.start() + number if single else part.start()
            words.tokens.append(token)
            words.starts.append(start)
            words.ends.append(start + 1 if single else part.end())
    return words


def _index(tokens: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    places: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(tokens) - GRAM_TOKENS + 1):
        known = places.setdefault(tuple(tokens[place : place + GRAM_TOKENS]), [])
        if len(known) < MAX_PLACES:
            known.append(place)
    return places


def _length(
    tokens: Sequence[str], others: Sequence[str], start: int, place: int
) -> int:
    most = min(len(tokens) - start, len(others) - place)
    length = GRAM_TOKENS
    while length < most and tokens[start + length] == others[place + length]:
        length += 1
    return length


def _passage(words: _Words, others: _Words, match: tuple[int, int, int]) -> Passage:
    length, start, place = match
    return Passage(
        n_tokens=length,
        one=slice(words.starts[start], words.ends[start + length - 1]),
        other=slice(others.starts[place], others.ends[place + length - 1]),
    )
