"""What a recogniser is given and what it gives back, before names are resolved."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from enrich.entities.tables import Alias
from enrich.messages import EntitiesStatus, EntityKind, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The strings of one article, as stored, and the language they are in."""

    title: str
    text: str
    language: str  # ISO 639-1 or "und"

    def field(self, field: Field) -> str:
        """Return the string that offsets of the field index."""
        return self.title if field is Field.TITLE else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a field that names something."""

    field: Field
    start: int  # characters, half-open
    end: int
    kind: EntityKind
    score: float | None = None  # chance that span and kind are right, where known
    key: str | None = None  # set where a table says what is meant
    name: str | None = None  # canonical, beside a key
    operator: bool = False  # the key is an operator's, and the name binding


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractorInfo:
    """What makes two extractors interchangeable."""

    name: str
    version: str
    languages: frozenset[str]  # "*": all; others get names from tables only


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """The spans of one document: title first, by place, never overlapping."""

    status: EntitiesStatus
    spans: tuple[Span, ...]


class EntityExtractor(Protocol):
    """A recogniser.

    - It is deterministic and keeps no state between calls.
    - It answers one extraction for each document, in order.
    """

    @property
    def info(self) -> ExtractorInfo:
        """Name, version and languages."""

    def with_aliases(self, aliases: Iterable[Alias], /) -> "EntityExtractor":
        """Return a recogniser of the same model with these aliases of operators."""

    def extract(self, documents: Sequence[Document], /) -> list[Extraction]:
        """Find the names in each document."""

    def find_in_words(self, sentences: Sequence[Sequence[str]], /) -> tuple[Span, ...]:
        """Find the names in English sentences that are cut into words already.

        Places are characters of the text in which single spaces divide all words.
        """
