"""The enrich worker: gives articles their language, entities and fingerprints."""

from dataclasses import replace

from celery import Celery

from enrich.errors import PipelineMismatch
from enrich.messages import EnrichArticles
from enrich.pipeline import EnrichOptions, Tools, enrich, make_tools, with_names
from ingest.messages import utc_now
from services.failures import NotForThisWorker
from services.guarded import Report, register_guarded
from services.memory import give_back
from services.settings import Settings


def register(app: Celery, settings: Settings) -> None:
    """Give the application the task of enrich; loads its models.

    Raises:
        UnknownTier: There is no such entity recogniser.
        ModelDamaged: The file of a model is not the one that was trained.
        ModelUnusable: The tier is an installed model that is missing or of no use.
        EncoderUnusable: Embeddings are asked for, and their extra is not installed.
    """
    # Before the pool forks: its processes share the models, and one that takes the
    # place of another has them at once. Loading them counts against no time limit.
    bench = Bench(enrich_options(settings))

    def run(command: EnrichArticles, report: Report) -> None:
        try:
            event = enrich(command, bench.tools_for(command.names), now=utc_now())
        except PipelineMismatch as error:
            raise NotForThisWorker(str(error)) from error
        report(event)

    register_guarded(app, EnrichArticles, run)


class Bench:
    """Tools that lie ready: the models, with what operators say of names by now."""

    def __init__(self, options: EnrichOptions) -> None:
        self._options = options
        self._tools = make_tools(options)
        self._names = options.names
        give_back()  # what loading took, and nobody needs any more

    def tools_for(self, names: str) -> Tools:
        """Return tools that go by a table of names, which changes rarely.

        Raises:
            BadNameTable: It cannot be used.
        """
        if names != self._names:
            options = replace(self._options, names=names)
            self._tools, self._names = with_names(self._tools, options), names
        return self._tools


def enrich_options(settings: Settings) -> EnrichOptions:
    """Return what the settings ask of enrichment."""
    return EnrichOptions(
        entity_tier=settings.entity_tier,
        entity_second_tier=settings.entity_second_tier,
        story_embeddings=settings.story_embeddings,
    )
