"""Sentences with labelled names: read from files, made running text, and scored."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from enrich.errors import BadLabelledText
from enrich.messages import EntityKind

Labelled = tuple[int, int, str]  # half-open range of words or characters, and kind

TAGS = ("O", *(f"{part}-{kind}" for kind in EntityKind for part in "BI"))

_KINDS = frozenset(EntityKind.__members__)
_QUOTES = frozenset({'"', "''", "``"})
_CLINGING = frozenset(".,;:!?)]}%")
_OPENING = frozenset("([{$")
_MAX_SHORTENED_CHARS = 3  # "'s", "'ve"


class LabelledSentence(NamedTuple):
    """The words of a sentence and a tag of each: "O", "B-PER", "I-PER" and so on."""

    words: list[str]
    tags: list[str]


@dataclass(slots=True)
class Scores:
    """How many names were found, by kind; a name counts if span and kind are right."""

    right: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)

    def add(self, found: set[Labelled], labelled: set[Labelled]) -> None:
        """Count the names of one text."""
        self.right.update(kind for *_, kind in found & labelled)
        self.found.update(kind for *_, kind in found)
        self.labelled.update(kind for *_, kind in labelled)

    def of(self, kinds: Iterable[str]) -> tuple[float, float, float]:
        """Return precision, recall and F1 over some kinds, 0 where there are none."""
        right, found, labelled = (
            sum(counts[kind] for kind in kinds)
            for counts in (self.right, self.found, self.labelled)
        )
        return (
            right / max(found, 1),
            right / max(labelled, 1),
            2 * right / max(found + labelled, 1),
        )


def read_labelled(text: str) -> list[LabelledSentence]:
    """Read one word and its tag a line, divided by a tab or spaces.

    The tag is the last column. A blank line ends a sentence; lines of documents
    ("-DOCSTART-") are skipped.

    Raises:
        BadLabelledText: A line has no tag, or one of another label set.
    """
    sentences: list[LabelledSentence] = []
    words: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or cells[0] == "-DOCSTART-":
            if words:
                sentences.append(LabelledSentence(words, tags))
                words, tags = [], []
            continue
        words.append(cells[0].strip() or "_")
        tags.append(_check_tag(cells, number))
    return sentences


def _check_tag(cells: Sequence[str], number: int) -> str:
    tag = cells[-1].strip()
    if len(cells) == 1:
        raise BadLabelledText(number, "needs a word and a tag")
    part, _, kind = tag.partition("-")
    if tag != "O" and (part not in {"B", "I"} or kind not in _KINDS):
        known = ", ".join(EntityKind.__members__)
        reason = f"tag {tag[:40]!r} is neither O nor B- or I- and one of {known}"
        raise BadLabelledText(number, reason)
    return tag


def labelled_words(tags: Iterable[str]) -> set[Labelled]:
    """Return the names that tags mark, as ranges of words."""
    found: set[Labelled] = set()
    start, kind = 0, ""
    for place, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            found.add((start, place, kind))
            kind = ""
        if tag != "O" and not kind:
            start, kind = place, tag[2:]
    return found


def running_text(sentences: Iterable[LabelledSentence]) -> tuple[str, set[Labelled]]:
    """Put words together as they are printed; return the names as characters.

    A blank line stands between sentences.
    """
    pieces: list[str] = []
    labelled: set[Labelled] = set()
    length = 0
    for words, tags in sentences:
        places: list[tuple[int, int]] = []
        previous, quoting = "", False
        for word in words:
            if not previous:
                gap = "\n\n" if pieces else ""
            else:
                gap = " " if _is_spaced(previous, word, quoting=quoting) else ""
            if word in _QUOTES:
                quoting = not quoting
            pieces += (gap, word)
            start = length + len(gap)
            length = start + len(word)
            places.append((start, length))
            previous = word
        labelled |= {
            (places[first][0], places[last - 1][1], kind)
            for first, last, kind in labelled_words(tags)
        }
    return "".join(pieces), labelled


def _is_spaced(previous: str, word: str, *, quoting: bool) -> bool:
    if word in _QUOTES:
        return not quoting
    shortened = word.startswith("'") and len(word) <= _MAX_SHORTENED_CHARS
    if word in _CLINGING or shortened or previous in _OPENING:
        return False
    return previous not in _QUOTES or not quoting
