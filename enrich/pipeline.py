"""The whole enrichment: from a command with texts to an event with results."""

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from importlib.metadata import version as installed_version
from pathlib import Path

from enrich.dedup import fingerprint as fingerprints
from enrich.entities import resolve as resolving
from enrich.entities.operators import (
    OperatorNames,
    compile_names,
    names_digest,
    read_names,
)
from enrich.entities.spans import Document, EntityExtractor
from enrich.entities.tiers import DEFAULT_TIER, describe_extractor, load_extractor
from enrich.errors import PipelineMismatch
from enrich.language import RULES_VERSION as LANGUAGE_VERSION
from enrich.language import LanguageDetector, detect_language, load_detector
from enrich.messages import (
    ArticleFailed,
    ArticlesEnriched,
    ArticleToEnrich,
    EnrichArticles,
    EnrichedArticle,
    Entities,
    Pipeline,
    Stage,
    StoryFeatures,
)
from enrich.stories import assign as assigning
from enrich.stories import features as describing
from enrich.stories.embedding import Encoder, embed, embedding_version

# Of longer texts the tail is ignored for names and stories: what an article is about
# stands at its beginning, and one transcript must not hold up a batch.
MAX_TEXT_CHARS = 50_000

MAX_DETAIL_CHARS = 300
# Of a longer version of a second tier only its hash stands in that of the pipeline, for
# which the store has 128 characters.
MAX_SECOND_CHARS = 40

_QUOTED = re.compile(r"['\"].*['\"]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichOptions:
    """What an operator may choose."""

    names: str = ""  # what operators say: a table (`enrich.entities.operators`)
    entity_tier: str = DEFAULT_TIER  # as `enrich.entities.tiers` knows them
    entity_second_tier: str | None = None  # another of them; None: there is one pass
    story_embeddings: bool = False  # an extra (`enrich.stories.encoder`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """All that is loaded once and used for every article."""

    pipelines: tuple[Pipeline, ...]  # one for each stage
    detector: LanguageDetector
    extractor: EntityExtractor
    names: OperatorNames
    statistics: describing.WordStatistics
    second: EntityExtractor | None = None  # of the second pass, where there is one
    encoder: Encoder | None = None  # of sentences, where stories have embeddings

    def extractor_of(self, pass_number: int) -> EntityExtractor:
        """Return the recogniser of a pass, which counts from 1."""
        return self.second if self.second and pass_number > 1 else self.extractor


def make_tools(options: EnrichOptions) -> Tools:
    """Load models and tables: about 2 CPU-seconds and 60 MB, twice that while it loads.

    Raises:
        BadNameTable: The operators' table of names cannot be used.
        UnknownTier: There is no such entity recogniser.
        ModelDamaged: The file of a model is not the one that was trained.
        ModelUnusable: An installed model is meant that is missing or of no use.
        EncoderUnusable: Embeddings are asked for, and their extra is not installed.
    """
    names = compile_names(read_names(options.names))
    # First, because of all tools its model takes the most while it is read.
    extractor = load_extractor(options.entity_tier, names.aliases)
    second = options.entity_second_tier
    return Tools(
        pipelines=pipelines(options),
        detector=load_detector(),
        extractor=extractor,
        names=names,
        statistics=describing.load_statistics(),
        second=load_extractor(second, names.aliases) if second else None,
        encoder=load_story_encoder(options),
    )


def load_story_encoder(options: EnrichOptions) -> Encoder | None:
    """Load what makes sentence embeddings, if they are asked for.

    Raises:
        EncoderUnusable: Their extra is not installed.
    """
    if not options.story_embeddings:
        return None
    # Here, because to ask for versions needs neither numpy nor the extra.
    from enrich.stories.encoder import load_encoder  # noqa: PLC0415 - as said

    return load_encoder()


def with_names(tools: Tools, options: EnrichOptions) -> Tools:
    """Return tools that go by the names of the options; models are shared.

    Raises:
        BadNameTable: The operators' table of names cannot be used.
    """
    names = compile_names(read_names(options.names))
    second = tools.second
    return replace(
        tools,
        pipelines=pipelines(options),
        extractor=tools.extractor.with_aliases(names.aliases),
        second=second.with_aliases(names.aliases) if second else None,
        names=names,
    )


def pipelines(options: EnrichOptions) -> tuple[Pipeline, ...]:
    """Return what `make_tools` would use, without loading any model.

    A stage that builds on another carries that one's version in its own, because
    its results change with it.

    Raises:
        UnknownTier: There is no such entity recogniser.
        ModelUnusable: An installed model is meant that is missing.
    """
    info = describe_extractor(options.entity_tier)
    language = _version(installed_version("py3langid"), LANGUAGE_VERSION)
    entities = _version(
        info.version, resolving.VERSION, f"language.{language}", _names_mark(options)
    )
    copies = _version(
        fingerprints.VERSION,
        f"gram.{fingerprints.GRAM_TOKENS}",
        f"characters.{fingerprints.GRAM_CHARACTERS}",
        f"window.{fingerprints.WINDOW}",
        f"modulus.{fingerprints.KEY_MODULUS}",
    )
    stories = _version(
        describing.VERSION,
        assigning.VERSION,
        f"similarity.{assigning.MIN_SIMILARITY}",
        f"entities.{_digest(entities)}",
        *([f"embedding.{embedding_version()}"] if options.story_embeddings else []),
    )
    return (
        Pipeline(stage=Stage.LANGUAGE, name="py3langid", version=language),
        _with_second_pass(
            Pipeline(stage=Stage.ENTITIES, name=info.name, version=entities), options
        ),
        Pipeline(stage=Stage.COPIES, name="winnowing", version=copies),
        Pipeline(stage=Stage.STORIES, name="centroids", version=stories),
    )


def _with_second_pass(first: Pipeline, options: EnrichOptions) -> Pipeline:
    """Return the pipeline of both passes; stories build on the first one alone."""
    if options.entity_second_tier is None:
        return first
    info = describe_extractor(options.entity_second_tier)
    return replace(
        first,
        name=f"{first.name}+{info.name}",
        version=_version(first.version, second_mark(info.version)),
        n_passes=2,
    )


def second_mark(version: str) -> str:
    """Return what the version of a second tier adds to that of the pipeline."""
    is_short = len(version) <= MAX_SECOND_CHARS
    return f"second.{version if is_short else _digest(version)}"


def enrich(command: EnrichArticles, tools: Tools, *, now: datetime) -> ArticlesEnriched:
    """Run the wanted stages on every article of a batch.

    An article that raises is reported as failed; the others go on.

    Raises:
        PipelineMismatch: A wanted pipeline is not the one of these tools.
    """
    stages = _check_pipelines(command.pipelines, tools.pipelines)
    enriched: list[EnrichedArticle] = []
    failed: list[ArticleFailed] = []
    for article in command.articles:
        try:
            enriched.append(
                _enrich_article(article, stages, tools, command.pass_number)
            )
        except Exception as error:  # noqa: BLE001 - one article must not fail a batch
            failed.append(_describe_failure(article, error))
    return ArticlesEnriched(
        lane=command.lane,
        pipelines=command.pipelines,
        enriched_at=now,
        articles=tuple(enriched),
        failed=tuple(failed),
        pass_number=command.pass_number,
    )


def _check_pipelines(
    wanted: Sequence[Pipeline], have: Sequence[Pipeline]
) -> frozenset[Stage]:
    by_stage = {pipeline.stage: pipeline for pipeline in have}
    for pipeline in wanted:
        if pipeline != by_stage[pipeline.stage]:
            raise PipelineMismatch(pipeline, by_stage[pipeline.stage])
    return frozenset(pipeline.stage for pipeline in wanted)


def _enrich_article(
    article: ArticleToEnrich, stages: frozenset[Stage], tools: Tools, pass_number: int
) -> EnrichedArticle:
    language = detect_language(
        article.title, article.text, article.language, tools.detector
    )
    document = Document(
        title=article.title, text=article.text[:MAX_TEXT_CHARS], language=language.code
    )
    entities = None
    if Stage.ENTITIES in stages:
        found_by = tools.extractor_of(pass_number)
        entities = _find_entities(document, found_by, tools.names)
    features = None
    if Stage.STORIES in stages:
        is_first = tools.extractor_of(pass_number) is tools.extractor
        features = _describe(document, tools, entities if is_first else None)
    return EnrichedArticle(
        article_id=article.article_id,
        revision=article.revision,
        language=language if Stage.LANGUAGE in stages else None,
        entities=entities,
        fingerprint=fingerprints.fingerprint(article.title, article.text)
        if Stage.COPIES in stages
        else None,
        features=features,
    )


def _describe(
    document: Document, tools: Tools, entities: Entities | None
) -> StoryFeatures:
    # Stories are told by what articles name, in each pass by what the first one finds:
    # articles are compared by it, and a better look must not move them about.
    found = entities or _find_entities(document, tools.extractor, tools.names)
    features = describing.describe(
        title=document.title,
        text=document.text,
        language=document.language,
        entities=found.entities,
        statistics=tools.statistics,
    )
    return embed(features, document, tools.encoder)


def _find_entities(
    document: Document, extractor: EntityExtractor, names: OperatorNames
) -> Entities:
    (extraction,) = extractor.extract([document])
    return resolving.resolve(document, extraction, names)


def _describe_failure(article: ArticleToEnrich, error: Exception) -> ArticleFailed:
    *_, place = traceback.extract_tb(error.__traceback__)
    # What a message quotes may be the text of the article, and that belongs neither
    # in logs nor in error columns.
    message = _QUOTED.sub("...", str(error))
    return ArticleFailed(
        article_id=article.article_id,
        revision=article.revision,
        error=type(error).__name__,
        detail=f"{Path(place.filename).name}:{place.lineno} in {place.name}: {message}"[
            :MAX_DETAIL_CHARS
        ],
    )


def _names_mark(options: EnrichOptions) -> str:
    if not options.names.strip():
        return "names.none"
    return f"names.{names_digest(options.names)}"


def _version(*parts: str) -> str:
    return "+".join(parts)


def _digest(content: str) -> str:
    encoded = content.encode("utf-8", "surrogatepass")
    return blake2b(encoded, digest_size=4).hexdigest()
