"""What tables say of words and of names of several words, as the model reads it."""

import lzma
import re
from collections.abc import Iterator, Mapping, Sequence

from enrich.entities.card import CLUSTERS, MODEL, NAMES
from enrich.entities.packed import PackedWords
from enrich.entities.tables import (
    ANY_LANGUAGE,
    read_aliases,
    read_common_words,
    read_cues,
    read_given_names,
)
from enrich.entities.tokens import tokenize
from enrich.messages import EntityKind

_KINDS = {
    EntityKind.LOC: "P",
    EntityKind.ORG: "O",
    EntityKind.MISC: "D",
    EntityKind.PER: "S",
}

# What a cue word says wherever it stands.
_CUES = {
    "honorific": "h",
    "title": "t",
    "saying": "v",
    "org_head": "o",
    "org_tail": "o",
    "loc_head": "l",
    "loc_tail": "l",
    "misc_head": "m",
    "misc_tail": "m",
    "legal": "b",
    "place_noun": "n",
    "calendar": "d",
    "direction": "r",
}
_COMMON = "w"
Words = Mapping[str, str] | PackedWords
_DIGIT = re.compile(r"\d")
_SHOUTED_CHARS = 4  # shorter words in capitals are acronyms


class Gazetteer:
    """Classes of words, one letter each, and names of several words.

    A capital letter is the class of a name that the tables of aliases have, a small
    one that of a word. "*" precedes a class that a word has as part of a name only.
    """

    def __init__(
        self,
        names: Words,
        cues: Words,
        phrases: Mapping[str, Sequence[tuple[str, tuple[str, ...]]]],
        clusters: Words,
    ) -> None:
        self._names = names
        self._cues = cues
        self._phrases = phrases
        self._clusters = clusters

    def classes(self, word: str) -> str:
        """Return the letters of all classes of a word, "" where it has none."""
        lower = word.lower()
        found = self._names.get(word, "")
        if not found and len(word) >= _SHOUTED_CHARS and word.isupper():
            found = self._names.get(word.capitalize(), "")
        return found + self._cues.get(lower, "")

    def cluster(self, word: str) -> str:
        """Return the number of the words that a word is used like, "" if unknown."""
        spelt = _DIGIT.sub("0", word)
        return self._clusters.get(spelt, "") or self._clusters.get(spelt.lower(), "")

    def mark(self, words: Sequence[str]) -> dict[int, str]:
        """Return, by place, the class of names of several words and the part of it."""
        marks: dict[int, str] = {}
        end = 0
        for first, word in enumerate(words):
            if first < end or word not in self._phrases:
                continue
            for letter, rest in self._phrases[word]:
                last = first + 1 + len(rest)
                if tuple(words[first + 1 : last]) == rest:
                    marks[first] = "B" + letter
                    for place in range(first + 1, last):
                        marks[place] = "I" + letter
                    end = last
                    break
        return marks


def load_gazetteer() -> Gazetteer:
    """Read the tables: about 0.4 CPU-seconds and 15 MB."""
    names: dict[str, str] = {}
    phrases: dict[str, dict[tuple[str, ...], str]] = {}
    for letter, name in _all_names():
        first, *rest = (token.text for token in tokenize(name))
        if not rest:
            _add(names, first, letter)
            continue
        phrases.setdefault(first, {}).setdefault(tuple(rest), letter)
        for word in (first, *rest):
            if word[0].isupper():
                _add(names, word, "*" + letter)
    longest_first = {
        first: sorted(
            ((letter, rest) for rest, letter in found.items()),
            key=lambda phrase: -len(phrase[1]),
        )
        for first, found in phrases.items()
    }
    return Gazetteer(
        PackedWords(names), PackedWords(_read_cues()), longest_first, _read_clusters()
    )


def _all_names() -> Iterator[tuple[str, str]]:
    for alias in read_aliases():
        if alias.language in {"en", ANY_LANGUAGE}:
            is_country = alias.kind is EntityKind.LOC and alias.key[:2] == "co"
            yield "C" if is_country else _KINDS[alias.kind], alias.spelling
    for name in sorted(read_given_names()):
        yield "g", name
    for letters, name in _read_rows(NAMES):
        yield from ((letter, name) for letter in letters)


def _read_clusters() -> PackedWords:
    return PackedWords({word: number for number, word in _read_rows(CLUSTERS)})


def _read_rows(name: str) -> Iterator[list[str]]:
    with lzma.open(MODEL / name, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield line.removesuffix("\n").split("\t")


def _read_cues() -> dict[str, str]:
    cues: dict[str, str] = dict.fromkeys(read_common_words(), _COMMON)
    tables = read_cues()
    for language in (ANY_LANGUAGE, "en"):
        for name, letter in _CUES.items():
            for word in sorted(tables[language].get(name, ())):
                _add(cues, word, letter)
    return cues


def _add(classes: dict[str, str], word: str, letter: str) -> None:
    known = classes.get(word, "")
    if letter not in known.replace("*" + letter, "" if letter[0] != "*" else known):
        classes[word] = known + letter
