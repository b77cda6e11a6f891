"""Names as written, and which of them are short for others in the same article."""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from enrich.entities.spans import Document, Span
from enrich.messages import EntityKind

_QUOTES = "\"'\u2018\u2019\u201c\u201d\u201e\xab\xbb"
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_ARTICLE = re.compile(r"^the\s+", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\s*\(\s*$")
_FULL = 2  # words of a full name without middle names
_SHORT_WORDS = frozenset(
    {
        "of",
        "the",
        "and",
        "for",
        "in",
        "on",
        "to",
        "a",
        "de",
        "des",
        "du",
        "la",
        "y",
        "e",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A cleaned name in words; `text` is never empty."""

    kind: EntityKind
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The words with single spaces."""
        return " ".join(self.words)


def clean_surface(surface: str) -> str:
    """Return a name without quotes, possessive, leading "the" and odd spacing.

    Idempotent. A surface that is nothing but such marks is returned as it is.
    """
    name = surface
    while True:
        shorter = unicodedata.normalize("NFKC", name).strip().strip(_QUOTES).strip()
        shorter = _ARTICLE.sub("", _POSSESSIVE.sub("", shorter)).strip()
        shorter = " ".join(shorter.split())
        if not shorter or shorter == name:
            return name
        name = shorter


def fold(name: str) -> str:
    """Return the form in which two spellings of one name are compared."""
    return name.casefold()


class Persons:
    """The persons that an article names in full, by the short forms of their names."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._places: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._names = list(names)
        for place, name in enumerate(self._names):
            for short in _short_forms(name):
                self._places[short].append(place)

    def find_full(self, name: Name, place: int) -> Name:
        """Return the full name that a name is short for, or the name itself.

        One word joins a longer name that starts or ends with it; two words join a
        longer one with the same first and last word. Of several the nearest earlier
        one is meant, or the first if all come later.

        Args:
            name: The name to look for.
            place: How many of the names come before it.
        """
        places = self._places.get(tuple(map(fold, name.words)))
        if not places:
            return name
        n_earlier = bisect_left(places, place)
        return self._names[places[max(n_earlier - 1, 0)]]


def find_acronyms(
    document: Document, spans: Sequence[Span], names: Sequence[Name]
) -> dict[str, Name]:
    """Return the long form of each acronym of the article, by folded acronym.

    A long form is an organisation whose capitals spell the acronym, or any name
    that stands right before it in brackets: "Long Name (LN)".
    """
    acronyms = {fold(name.text): name for name in names if _is_acronym(name)}
    found: dict[str, Name] = {}
    for _span, name in zip(spans, names, strict=True):
        letters = fold(_initials(name))
        if name.kind is EntityKind.ORG and letters in acronyms:
            found.setdefault(letters, name)
    for (left, long), (right, short) in zip(
        zip(spans, names, strict=True),
        zip(spans[1:], names[1:], strict=True),
        strict=False,
    ):
        between = document.field(left.field)[left.end : right.start]
        bracketed = left.field is right.field and _IN_BRACKETS.fullmatch(between)
        if bracketed and _is_acronym(short) and len(long.words) > 1:
            found[fold(short.text)] = long
    return found


def _short_forms(name: Name) -> set[tuple[str, ...]]:
    first, last = fold(name.words[0]), fold(name.words[-1])
    if len(name.words) == 1 or name.kind is not EntityKind.PER:
        return set()
    return {(first,), (last,)} | ({(first, last)} if len(name.words) > _FULL else set())


def _is_acronym(name: Name) -> bool:
    return len(name.words) == 1 and name.text.isupper() and len(name.text) > 1


def _initials(name: Name) -> str:
    if len(name.words) == 1:
        return ""
    words = [word for word in name.words if word.lower() not in _SHORT_WORDS]
    return "".join(word[0] for word in words)
