"""The table of routes: the names in it are a contract with messages in flight."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from enrich.messages import ArticlesEnriched, EnrichArticles, Lane
from ingest.messages import FeedPolled, FeedsPolled, FolderListing, PollOutcome
from services import routes
from services.app import make_app
from services.messages import WorkFailed, WorkKind
from services.scheduler import schedule
from services.settings import Settings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_task_names_and_queues_stay_as_they_are() -> None:
    # A renamed task strands every message that waits for the old name.
    table = {
        route.message.SCHEMA: (
            route.task,
            "by lane" if callable(route.queue) else route.queue,
        )
        for route in routes.ROUTES
    }

    assert table == {
        "ingest.poll_feeds": ("ingest.poll", "ingest"),
        "ingest.read_files": ("ingest.read", "ingest.bulk"),
        "ingest.fetch_pages": ("ingest.fetch", "pages"),
        "enrich.enrich_articles": ("enrich.articles", "by lane"),
        "ingest.feeds_polled": ("store.save_polls", "by lane"),
        "ingest.files_read": ("store.save_files", "store.bulk"),
        "ingest.pages_fetched": ("store.save_pages", "store"),
        "enrich.articles_enriched": ("store.save_enrichment", "by lane"),
        "services.work_continues": ("store.extend_leases", "store"),
        "services.work_failed": ("store.record_failure", "store"),
    }
    assert set(routes.SCHEDULED) == {
        "store.tick",
        "store.sweep",
        "store.reprocess",
        "store.review",
        "store.audit",
        "store.maintain",
    }
    assert routes.QUEUES == (
        "store",
        "enrich.live",
        "ingest",
        "pages",
        "store.bulk",
        "ingest.bulk",
        "enrich.bulk",
    )


@pytest.mark.parametrize("lane", list(Lane))
def test_live_and_bulk_enrichment_never_share_a_queue(lane: Lane) -> None:
    command = EnrichArticles(lane=lane, pipelines=(), articles=())
    event = ArticlesEnriched(lane=lane, pipelines=(), enriched_at=NOON, articles=())

    assert routes.queue_of(command) == f"enrich.{lane}"
    assert routes.queue_of(event) == {"live": "store", "bulk": "store.bulk"}[lane]


def test_what_folders_tell_never_stands_in_the_way_of_news() -> None:
    polled = FeedPolled(
        poll_id=1,
        feed_id=1,
        url="file:///inbox",
        outcome=PollOutcome.FETCHED,
        polled_at=NOON,
        elapsed_ms=0,
    )
    listing = FolderListing(
        stretches=(),
        files=(),
        n_files=0,
        n_settling=0,
        is_whole=True,
        is_complete=True,
    )
    told = replace(polled, listing=listing)

    assert routes.queue_of(FeedsPolled(polls=(polled,))) == "store"
    assert routes.queue_of(FeedsPolled(polls=(told,))) == "store.bulk"


def test_what_takes_long_in_the_store_never_shares_a_queue_with_news() -> None:
    long = {routes.REPROCESS, routes.REVIEW, routes.AUDIT, routes.MAINTAIN}

    assert {one for one, queue in routes.SCHEDULED.items() if queue != "store"} == long


def test_events_go_to_the_store() -> None:
    event = WorkFailed(
        task="t",
        kind=WorkKind.MESSAGE,
        ids=(),
        error="E",
        detail="",
        permanent=True,
        failed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert routes.queue_of(event) == "store"


def test_a_class_without_a_route_is_an_error() -> None:
    class Stray(WorkFailed):
        SCHEMA = "services.stray"

    with pytest.raises(LookupError, match="no route carries Stray"):
        routes.route_of(Stray)


def test_every_queue_is_declared_with_its_own_key() -> None:
    app = make_app(Settings(broker_url="memory://"))

    declared = {queue.name: queue.routing_key for queue in app.conf.task_queues}

    assert declared == {name: name for name in routes.QUEUES}
    assert not app.conf.task_create_missing_queues


def test_beat_sends_every_task_of_the_clock_to_its_queue() -> None:
    table = schedule(Settings(broker_url="memory://"))

    sent = {one["task"]: one["options"]["queue"] for one in table.values()}

    assert sent == routes.SCHEDULED
