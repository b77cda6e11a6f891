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
)
from enrich.stories import assign as assigning
from enrich.stories import features as describing

# Of longer texts the tail is ignored for names and stories: what an article is about
# stands at its beginning, and one transcript must not hold up a batch.
MAX_TEXT_CHARS = 50_000

MAX_DETAIL_CHARS = 300

_QUOTED = re.compile(r"['\"].*['\"]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichOptions:
    """What an operator may choose."""

    names: str = ""  # what operators say: a table (`enrich.entities.operators`)
    entity_tier: str = DEFAULT_TIER  # one of `enrich.entities.tiers.TIERS`


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """All that is loaded once and used for every article."""

    pipelines: tuple[Pipeline, ...]  # one for each stage
    detector: LanguageDetector
    extractor: EntityExtractor
    names: OperatorNames
    statistics: describing.WordStatistics


def make_tools(options: EnrichOptions) -> Tools:
    """Load models and tables: about 1.5 CPU-seconds, a process of 200 MB.

    Raises:
        BadNameTable: The operators' table of names cannot be used.
        UnknownTier: There is no such entity recogniser.
        ModelDamaged: The file of a model is not the one that was trained.
    """
    names = compile_names(read_names(options.names))
    return Tools(
        pipelines=pipelines(options),
        detector=load_detector(),
        extractor=load_extractor(options.entity_tier, names.aliases),
        names=names,
        statistics=describing.load_statistics(),
    )


def with_names(tools: Tools, options: EnrichOptions) -> Tools:
    """Return tools that go by the names of the options; models are shared.

    Raises:
        BadNameTable: The operators' table of names cannot be used.
    """
    names = compile_names(read_names(options.names))
    extractor = load_extractor(options.entity_tier, names.aliases)
    return replace(
        tools, pipelines=pipelines(options), extractor=extractor, names=names
    )


def pipelines(options: EnrichOptions) -> tuple[Pipeline, ...]:
    """Return what `make_tools` would use, without loading any model.

    A stage that builds on another carries that one's version in its own, because
    its results change with it.

    Raises:
        UnknownTier: There is no such entity recogniser.
    """
    info = describe_extractor(options.entity_tier)
    language = _version(installed_version("py3langid"), LANGUAGE_VERSION)
    entities = _version(
        info.version, resolving.VERSION, f"language.{language}", _names_mark(options)
    )
    copies = _version(
        fingerprints.VERSION,
        f"gram.{fingerprints.GRAM_TOKENS}",
        f"window.{fingerprints.WINDOW}",
        f"modulus.{fingerprints.KEY_MODULUS}",
    )
    stories = _version(
        describing.VERSION,
        assigning.VERSION,
        f"similarity.{assigning.MIN_SIMILARITY}",
        f"entities.{_digest(entities)}",
    )
    return (
        Pipeline(stage=Stage.LANGUAGE, name="py3langid", version=language),
        Pipeline(stage=Stage.ENTITIES, name=info.name, version=entities),
        Pipeline(stage=Stage.COPIES, name="winnowing", version=copies),
        Pipeline(stage=Stage.STORIES, name="centroids", version=stories),
    )


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
            enriched.append(_enrich_article(article, stages, tools))
        except Exception as error:  # noqa: BLE001 - one article must not fail a batch
            failed.append(_describe_failure(article, error))
    return ArticlesEnriched(
        lane=command.lane,
        pipelines=command.pipelines,
        enriched_at=now,
        articles=tuple(enriched),
        failed=tuple(failed),
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
    article: ArticleToEnrich, stages: frozenset[Stage], tools: Tools
) -> EnrichedArticle:
    language = detect_language(
        article.title, article.text, article.language, tools.detector
    )
    document = Document(
        title=article.title, text=article.text[:MAX_TEXT_CHARS], language=language.code
    )
    # Stories are told by what articles name, so they need the entities too.
    entities = None
    if Stage.ENTITIES in stages or Stage.STORIES in stages:
        entities = _find_entities(document, tools)
    features = None
    if entities is not None and Stage.STORIES in stages:
        features = describing.describe(
            title=document.title,
            text=document.text,
            language=document.language,
            entities=entities.entities,
            statistics=tools.statistics,
        )
    return EnrichedArticle(
        article_id=article.article_id,
        revision=article.revision,
        language=language if Stage.LANGUAGE in stages else None,
        entities=entities if Stage.ENTITIES in stages else None,
        fingerprint=fingerprints.fingerprint(article.title, article.text)
        if Stage.COPIES in stages
        else None,
        features=features,
    )


def _find_entities(document: Document, tools: Tools) -> Entities:
    (extraction,) = tools.extractor.extract([document])
    return resolving.resolve(document, extraction, tools.names)


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
