"""The enrich worker: gives articles their language, entities and fingerprints."""

from celery import Celery

from enrich.errors import PipelineMismatch
from enrich.messages import EnrichArticles
from enrich.pipeline import EnrichOptions, enrich, make_tools
from ingest.messages import utc_now
from services.failures import NotForThisWorker
from services.guarded import Report, register_guarded
from services.settings import Settings


def register(app: Celery, settings: Settings) -> None:
    """Give the application the task of enrich; loads its models.

    Raises:
        BadAliasTable: The operator's alias table cannot be used.
    """
    # Before the pool forks: its processes share the models, and one that takes the
    # place of another has them at once. Loading them counts against no time limit.
    tools = make_tools(enrich_options(settings))

    def run(command: EnrichArticles, report: Report) -> None:
        try:
            event = enrich(command, tools, now=utc_now())
        except PipelineMismatch as error:
            raise NotForThisWorker(str(error)) from error
        report(event)

    register_guarded(app, EnrichArticles, run)


def enrich_options(settings: Settings) -> EnrichOptions:
    """Return what the settings ask of enrichment; reads the alias file, if any."""
    file = settings.entity_aliases
    aliases = file.read_text(encoding="utf-8") if file else None
    return EnrichOptions(entity_aliases=aliases, entity_tier=settings.entity_tier)
