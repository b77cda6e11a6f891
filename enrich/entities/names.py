"""Names as written, and which of them are short for others in the same article."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from enrich.entities.spans import Document, Span
from enrich.messages import EntityKind

_QUOTES = "\"'\u2018\u2019\u201c\u201d\u201e\xab\xbb"
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_ARTICLE = re.compile(r"^the\s+", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\s*\(\s*$")
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


def find_person(name: Name, persons: Sequence[Name], n_before: int) -> Name:
    """Return the full name that a person's name is short for, or the name itself.

    One word joins a longer name that starts or ends with it; two words join a longer
    one with the same first and last word. Of several the nearest earlier one is
    meant, or the first if all come later.

    Args:
        name: The name to look for.
        persons: All names of persons in the article, in order.
        n_before: How many of them come before this one.
    """
    longer = [
        (index >= n_before, abs(n_before - index), other)
        for index, other in enumerate(persons)
        if len(other.words) > max(len(name.words), 1) and _is_short_for(name, other)
    ]
    if not longer:
        return name
    *_, full = min(longer, key=lambda found: found[:2])
    return full


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


def _is_short_for(name: Name, other: Name) -> bool:
    words = [fold(word) for word in name.words]
    longer = [fold(word) for word in other.words]
    if len(words) == 1:
        return words[0] in (longer[0], longer[-1])
    return words[0] == longer[0] and words[-1] == longer[-1]


def _is_acronym(name: Name) -> bool:
    return len(name.words) == 1 and name.text.isupper() and len(name.text) > 1


def _initials(name: Name) -> str:
    if len(name.words) == 1:
        return ""
    words = [word for word in name.words if word.lower() not in _SHORT_WORDS]
    return "".join(word[0] for word in words)
