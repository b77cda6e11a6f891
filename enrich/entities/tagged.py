"""A recogniser whose model tags words, and whose tables correct the model."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from enrich.entities.combine import Piece, settled_spans
from enrich.entities.iob2 import TAGS, labelled_words
from enrich.entities.passages import Passage, join_passage, read_passage
from enrich.entities.recogniser import RulesExtractor
from enrich.entities.spans import Document, Extraction, ExtractorInfo, Span
from enrich.entities.tables import Alias
from enrich.messages import EntitiesStatus, EntityKind, Field

MODEL_LANGUAGE = "en"


class Tagger(Protocol):
    """A trained model."""

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        """Return for each word of each sentence the index of its tag in `TAGS`."""


class TaggedExtractor:
    """Finds names in English by a model and by tables; by rules in all others."""

    def __init__(
        self, rules: RulesExtractor, model: Tagger, info: ExtractorInfo
    ) -> None:
        self._rules = rules
        self._lexicon = rules.lexicon(MODEL_LANGUAGE)
        self._model = model
        self._info = info

    @property
    def info(self) -> ExtractorInfo:
        """Name, version and languages; operator aliases are versioned by the caller."""
        return self._info

    def with_aliases(self, aliases: Iterable[Alias], /) -> "TaggedExtractor":
        """Return a recogniser of the same model with these aliases of operators."""
        return TaggedExtractor(RulesExtractor(aliases), self._model, self._info)

    def extract(self, documents: Sequence[Document], /) -> list[Extraction]:
        """Find the names in each document."""
        return [self._extract(document) for document in documents]

    def _extract(self, document: Document) -> Extraction:
        if document.language != MODEL_LANGUAGE:
            (extraction,) = self._rules.extract([document])
            return extraction
        passages = {
            field: read_passage(document.field(field), self._lexicon) for field in Field
        }
        spans = self._find(passages)
        return Extraction(status=EntitiesStatus.FOUND, spans=spans)

    def find_in_words(self, sentences: Sequence[Sequence[str]], /) -> tuple[Span, ...]:
        """Find the names in English sentences that are cut into words already."""
        return self._find({Field.TEXT: join_passage(sentences, self._lexicon)})

    def _find(self, passages: Mapping[Field, Passage]) -> tuple[Span, ...]:
        sentences = [
            [token.text for token in passage.tokens[first:last]]
            for passage in passages.values()
            for first, last in passage.sentences
        ]
        tagged = iter(self._model.tag(sentences))
        found = {
            field: list(_find_pieces(passage, tagged))
            for field, passage in passages.items()
        }
        return settled_spans(passages, found, self._lexicon)


def _find_pieces(passage: Passage, tagged: Iterator[list[int]]) -> Iterator[Piece]:
    for (first, _last), tags in zip(passage.sentences, tagged, strict=False):
        for start, end, kind in labelled_words(TAGS[tag] for tag in tags):
            yield Piece(first + start, first + end, EntityKind[kind])
