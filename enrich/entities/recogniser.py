"""The recogniser that needs no model: capitals, tables of names and cue words."""

from collections.abc import Iterable, Sequence

from enrich.entities.chunks import Chunk, find_chunks
from enrich.entities.lexicon import Lexicon, Lexicons
from enrich.entities.memory import settle_kinds
from enrich.entities.passages import Passage, join_passage, read_passage
from enrich.entities.rules import Guess, classify
from enrich.entities.spans import Document, Extraction, ExtractorInfo, Span
from enrich.entities.tables import Alias, tables_digest
from enrich.messages import EntitiesStatus, Field

RULES_VERSION = "2"  # raise it with every change of code that alters a span
RULES_LANGUAGES = frozenset({"en", "de", "fr", "es", "pt", "it"})


class RulesExtractor:
    """Finds names by rule in six languages, and by table alone in all others."""

    def __init__(self, operator_aliases: Iterable[Alias] = ()) -> None:
        self._lexicons = Lexicons(operator_aliases)

    @property
    def info(self) -> ExtractorInfo:
        """Name, version and languages; operator aliases are versioned by the caller."""
        return rules_info()

    def lexicon(self, language: str) -> Lexicon:
        """Return what is known of a language; of others, names alone."""
        return self._lexicons.find(language)

    def with_aliases(self, aliases: Iterable[Alias], /) -> "RulesExtractor":
        """Return a recogniser of the same model with these aliases of operators."""
        return RulesExtractor(aliases)

    def extract(self, documents: Sequence[Document], /) -> list[Extraction]:
        """Find the names in each document."""
        return [self._extract(document) for document in documents]

    def find_in_words(self, sentences: Sequence[Sequence[str]], /) -> tuple[Span, ...]:
        """Find the names in English sentences that are cut into words already."""
        lexicon = self.lexicon("en")
        passage = join_passage(sentences, lexicon)
        return tuple(_find_spans({Field.TEXT: passage}, lexicon))

    def _extract(self, document: Document) -> Extraction:
        lexicon = self.lexicon(document.language)
        passages = {
            field: read_passage(document.field(field), lexicon) for field in Field
        }
        if document.language in RULES_LANGUAGES:
            status, spans = EntitiesStatus.FOUND, _find_spans(passages, lexicon)
        else:
            status, spans = EntitiesStatus.NAMES_ONLY, _find_known(passages)
        return Extraction(status=status, spans=tuple(spans))


def rules_info() -> ExtractorInfo:
    """Describe the recogniser without loading its tables."""
    return ExtractorInfo(
        name="rules",
        version=f"{RULES_VERSION}-{tables_digest()}",
        languages=RULES_LANGUAGES,
    )


def _find_spans(passages: dict[Field, Passage], lexicon: Lexicon) -> list[Span]:
    found = [
        (field, chunk, classify(chunk, lexicon))
        for field, passage in passages.items()
        for chunk in find_chunks(passage, lexicon)
    ]
    settled = settle_kinds([(chunk, guess) for _, chunk, guess in found])
    return [
        _span(passages[field], field, chunk, guess)
        for (field, _, _), (chunk, guess) in zip(found, settled, strict=True)
        if guess is not None
    ]


def _span(passage: Passage, field: Field, chunk: Chunk, guess: Guess) -> Span:
    known = chunk.alias is not None and chunk.alias.kind is guess.kind
    alias = chunk.alias if known else None
    return Span(
        field=field,
        start=passage.tokens[chunk.first].start,
        end=passage.tokens[chunk.last - 1].end,
        kind=guess.kind,
        score=guess.score,
        key=alias.key if alias else None,
        name=alias.name if alias else None,
        operator=alias is not None and alias.operator,
    )


def _find_known(passages: dict[Field, Passage]) -> list[Span]:
    return [
        Span(
            field=field,
            start=passage.tokens[hit.first].start,
            end=passage.tokens[hit.last - 1].end,
            kind=hit.alias.kind,
            score=None,
            key=hit.alias.key,
            name=hit.alias.name,
            operator=hit.alias.operator,
        )
        for field, passage in passages.items()
        for hit in passage.hits.values()
    ]
