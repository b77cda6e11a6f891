"""A recogniser around an installed model, with our words, tables and corrections."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from enrich.entities.combine import Piece, settled_spans
from enrich.entities.installed.labels import kind_of
from enrich.entities.installed.windows import (
    InstalledModel,
    Window,
    paragraphs,
    sentences,
)
from enrich.entities.lexicon import Lexicon
from enrich.entities.passages import Passage, join_passage, read_passage
from enrich.entities.recogniser import RulesExtractor
from enrich.entities.spans import Document, Extraction, ExtractorInfo, Span
from enrich.entities.tables import ANY_LANGUAGE, Alias
from enrich.messages import EntitiesStatus, Field

# Some sets count it as part of "the World Bank"; ours does not, nor do the tables.
_ARTICLES = frozenset({"the", "a", "an"})

# "Yahoo!" and "Kim (singer)" end with marks of their own.
_NEVER_LAST = frozenset(".,;:\"'-\u2013\u2014\u201c\u201d\u2018\u2026([") | {"'s"}

_CutInWords = Sequence[Sequence[str]]


class InstalledExtractor:
    """Finds names by an installed model and by tables; by rules where it reads none.

    Args:
        model: The model, loaded.
        info: What it is.
        reads: The language that it reads, or "*" for any.
        rules: For other languages, and for its tables.
    """

    def __init__(
        self,
        model: InstalledModel,
        info: ExtractorInfo,
        *,
        reads: str,
        rules: RulesExtractor,
    ) -> None:
        self._model = model
        self._info = info
        self._reads = reads
        self._rules = rules

    @property
    def info(self) -> ExtractorInfo:
        """Name, version and languages; operator aliases are versioned by the caller."""
        return self._info

    def with_aliases(self, aliases: Iterable[Alias], /) -> "InstalledExtractor":
        """Return a recogniser of the same model with these aliases of operators."""
        rules = RulesExtractor(aliases)
        return InstalledExtractor(
            self._model, self._info, reads=self._reads, rules=rules
        )

    def extract(self, documents: Sequence[Document], /) -> list[Extraction]:
        """Find the names in each document."""
        return [self._extract(document) for document in documents]

    def find_in_words(self, sentences_: _CutInWords, /) -> tuple[Span, ...]:
        """Find the names in English sentences that are cut into words already."""
        if not self._is_read("en"):
            return self._rules.find_in_words(sentences_)
        lexicon = self._rules.lexicon("en")
        passages = {Field.TEXT: join_passage(sentences_, lexicon)}
        return self._find(passages, lexicon, cut=sentences)

    def _extract(self, document: Document) -> Extraction:
        if not self._is_read(document.language):
            (extraction,) = self._rules.extract([document])
            return extraction
        lexicon = self._rules.lexicon(document.language)
        passages = {
            field: read_passage(document.field(field), lexicon) for field in Field
        }
        spans = self._find(passages, lexicon, cut=paragraphs)
        return Extraction(status=EntitiesStatus.FOUND, spans=spans)

    def _is_read(self, language: str) -> bool:
        return self._reads in {ANY_LANGUAGE, language}

    def _find(
        self,
        passages: Mapping[Field, Passage],
        lexicon: Lexicon,
        *,
        cut: Callable[[Passage], list[Window]],
    ) -> tuple[Span, ...]:
        windows = [
            (field, window)
            for field, passage in passages.items()
            for window in cut(passage)
        ]
        given = [window for _, window in windows]
        answers = self._model.find(given, are_cut=cut is sentences)
        found: dict[Field, list[Piece]] = {field: [] for field in passages}
        for (field, window), answer in zip(windows, answers, strict=True):
            for first, last, label in answer:
                kind = kind_of(label)
                if kind is not None:
                    piece = Piece(window.first + first, window.first + last, kind)
                    trimmed = _trimmed(passages[field], piece)
                    found[field] += [trimmed] if trimmed else []
        return settled_spans(passages, found, lexicon)


def _trimmed(passage: Passage, piece: Piece) -> Piece | None:
    """Take marks and an article off a name; None where nothing is left."""
    first, last, kind = piece
    while first < last and passage.tokens[last - 1].text in _NEVER_LAST:
        last -= 1
    while first < last and _is_no_beginning(passage, first):
        first += 1
    return Piece(first, last, kind) if first < last else None


def _is_no_beginning(passage: Passage, first: int) -> bool:
    word = passage.tokens[first].text
    is_known = first in passage.hits  # "the Firm", to an operator
    return (word in _ARTICLES and not is_known) or not word[0].isalnum()
