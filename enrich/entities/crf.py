"""The recogniser with a trained model: the embedded default."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from enrich.entities.card import read_card
from enrich.entities.combine import Piece, settled_spans
from enrich.entities.iob2 import TAGS, labelled_words
from enrich.entities.passages import Passage, join_passage, read_passage
from enrich.entities.recogniser import RulesExtractor, rules_info
from enrich.entities.spans import Document, Extraction, ExtractorInfo, Span
from enrich.entities.tables import Alias
from enrich.messages import EntitiesStatus, EntityKind, Field

if TYPE_CHECKING:
    from enrich.entities.model import NameModel

CRF_VERSION = "2"  # raise it with every change of code here that alters a span
CRF_LANGUAGE = "en"


class CrfExtractor:
    """Finds names in English by the model and by tables; by rules in all others."""

    def __init__(self, operator_aliases: Iterable[Alias] = ()) -> None:
        # First, because of all that is loaded the model takes the most on the way.
        self._model = _load_model()
        self._rules = RulesExtractor(operator_aliases)
        self._lexicon = self._rules.lexicon(CRF_LANGUAGE)

    @property
    def info(self) -> ExtractorInfo:
        """Name, version and languages; operator aliases are versioned by the caller."""
        return crf_info()

    def extract(self, documents: Sequence[Document], /) -> list[Extraction]:
        """Find the names in each document."""
        return [self._extract(document) for document in documents]

    def _extract(self, document: Document) -> Extraction:
        if document.language != CRF_LANGUAGE:
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


@cache
def _load_model() -> "NameModel":
    """Load the model once a process; what operators say changes nothing in it."""
    # Here, because whoever only asks for versions should not pay for numpy.
    from enrich.entities.modelfile import load_model  # noqa: PLC0415 - as said

    return load_model()


def crf_info() -> ExtractorInfo:
    """Describe the recogniser without loading its model or its tables."""
    rules = rules_info()
    return ExtractorInfo(
        name="crf",
        version=f"{CRF_VERSION}-{read_card().version}-{rules.version}",
        languages=rules.languages,
    )


def _find_pieces(passage: Passage, tagged: Iterator[list[int]]) -> Iterator[Piece]:
    for (first, _last), tags in zip(passage.sentences, tagged, strict=False):
        for start, end, kind in labelled_words(TAGS[tag] for tag in tags):
            yield Piece(first + start, first + end, EntityKind[kind])
