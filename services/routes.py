"""The whole system at a glance: which message runs which task on which queue."""

from collections.abc import Callable
from dataclasses import dataclass

from enrich.messages import ArticlesEnriched, EnrichArticles, Lane
from ingest.filemessages import FilesRead, ReadFiles
from ingest.messages import FeedsPolled, PollFeeds
from ingest.pagemessages import FetchPages, PagesFetched
from services.messages import WorkContinues, WorkFailed
from services.wire import Message

INGEST = "ingest"
INGEST_BULK = "ingest.bulk"
PAGES = "pages"
ENRICH_LIVE = "enrich.live"
ENRICH_BULK = "enrich.bulk"
STORE = "store"
STORE_BULK = "store.bulk"
# A worker of several takes from them in this order: what is done is stored, and news
# never waits behind an archive.
QUEUES = (
    *(STORE, ENRICH_LIVE, INGEST, PAGES),
    *(STORE_BULK, INGEST_BULK, ENRICH_BULK),
)
STORES = (STORE, STORE_BULK)
# Live work never waits behind bulk work.
LANES = {Lane.LIVE: ENRICH_LIVE, Lane.BULK: ENRICH_BULK}
ANSWERS = {Lane.LIVE: STORE, Lane.BULK: STORE_BULK}


def enrich_queue(command: EnrichArticles) -> str:
    """Return the queue of the lane."""
    return LANES[command.lane]


def polls_queue(event: FeedsPolled) -> str:
    """Return the queue in which polls wait: folders may have much to tell."""
    is_bulk = any(poll.listing is not None for poll in event.polls)
    return ANSWERS[Lane.BULK if is_bulk else Lane.LIVE]


def answer_queue(event: ArticlesEnriched) -> str:
    """Return the queue in which results of the lane wait for the store."""
    return ANSWERS[event.lane]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where one class of message goes."""

    message: type[Message]
    task: str
    queue: str | Callable[..., str]


ROUTES = (
    # commands: the store asks
    Route(message=PollFeeds, task="ingest.poll", queue=INGEST),
    Route(message=ReadFiles, task="ingest.read", queue=INGEST_BULK),
    Route(message=FetchPages, task="ingest.fetch", queue=PAGES),
    Route(message=EnrichArticles, task="enrich.articles", queue=enrich_queue),
    # events: the store is told
    Route(message=FeedsPolled, task="store.save_polls", queue=polls_queue),
    Route(message=FilesRead, task="store.save_files", queue=STORE_BULK),
    Route(message=PagesFetched, task="store.save_pages", queue=STORE),
    Route(message=ArticlesEnriched, task="store.save_enrichment", queue=answer_queue),
    Route(message=WorkContinues, task="store.extend_leases", queue=STORE),
    Route(message=WorkFailed, task="store.record_failure", queue=STORE),
)

COMMANDS = frozenset({PollFeeds, ReadFiles, FetchPages, EnrichArticles})

# Run by the clock, without a message; what is due is decided in SQL.
TICK = "store.tick"
SWEEP = "store.sweep"
REPROCESS = "store.reprocess"
REVIEW = "store.review"
AUDIT = "store.audit"
MAINTAIN = "store.maintain"
SCHEDULED = dict.fromkeys((TICK, SWEEP), STORE)
# These take their time, and news does not wait for them.
SCHEDULED |= dict.fromkeys((REPROCESS, REVIEW, AUDIT, MAINTAIN), STORE_BULK)

_BY_MESSAGE = {route.message: route for route in ROUTES}
_BY_TASK = {route.task: route for route in ROUTES}


def route_of(message: type[Message]) -> Route:
    """Return the route of a class of message.

    Raises:
        LookupError: No route carries it.
    """
    try:
        return _BY_MESSAGE[message]
    except KeyError:
        raise LookupError(f"no route carries {message.__name__}") from None


def message_of(task: str) -> type[Message] | None:
    """Return what the task is called with; None for one that the clock runs."""
    route = _BY_TASK.get(task)
    return route.message if route else None


def queue_of(message: Message) -> str:
    """Return the queue on which this very message travels."""
    queue = route_of(type(message)).queue
    return queue(message) if callable(queue) else queue
