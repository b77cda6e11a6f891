"""The enrich worker: gives articles their language, entities and fingerprints."""

from functools import cache

from celery import Celery

from enrich.errors import PipelineMismatch
from enrich.messages import EnrichArticles
from enrich.pipeline import EnrichOptions, Tools, enrich, make_tools
from ingest.messages import utc_now
from services.failures import NotForThisWorker
from services.guarded import Report, register_guarded
from services.settings import Settings


def register(app: Celery, settings: Settings) -> None:
    """Give the application the task of enrich."""
    options = enrich_options(settings)

    @cache  # models are loaded with the first task, once in each process of the pool
    def tools() -> Tools:
        return make_tools(options)

    def run(command: EnrichArticles, report: Report) -> None:
        try:
            event = enrich(command, tools(), now=utc_now())
        except PipelineMismatch as error:
            raise NotForThisWorker(str(error)) from error
        report(event)

    register_guarded(app, EnrichArticles, run)


def enrich_options(settings: Settings) -> EnrichOptions:
    """Return what the settings ask of enrichment; reads the alias file, if any."""
    file = settings.entity_aliases
    aliases = file.read_text(encoding="utf-8") if file else None
    return EnrichOptions(entity_aliases=aliases)
