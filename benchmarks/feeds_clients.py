"""The clients that refresh feeds in a benchmark: the package `reader`, and our code.

Usage: `python -m benchmarks.feeds_clients reader|wireroom FOLDER`. The first line that
comes in holds the addresses as JSON; each further line asks for one refresh, which is
answered with what it cost, as JSON. Starting and subscribing are not counted.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import reader
from sqlalchemy import func, select, update

from ingest.fetch import FetchOptions, open_fetch
from ingest.messages import FeedsPolled, utc_now
from ingest.poll import poll_feeds
from services.dispatch import poll_limits
from services.planning import plan_poll
from services.settings import Settings
from store import schema
from store.engine import open_engine, reading, transaction
from store.feeds import NewFeed, add_feeds
from store.limits import Limits
from store.models import Article, Feed
from store.polling import claim_feeds
from store.polls import save_polls

Refresh = Callable[[], int]  # returns how many entries there are now
LOOPBACK = ("127.0.0.0/8",)


def reader_client(folder: Path, urls: list[str]) -> Refresh:
    """Return what refreshes the feeds with `reader`, into its SQLite file."""
    made = reader.make_reader(str(folder / "reader.db"))
    for url in urls:
        made.add_feed(url)

    def refresh() -> int:
        made.update_feeds(scheduled=False)
        return made.get_entry_counts().total or 0

    return refresh


def wireroom_client(folder: Path, urls: list[str]) -> Refresh:
    """Return what refreshes the feeds with our functions, into our SQLite file.

    It claims, polls and stores as our workers do, without the messages between them.
    """
    settings = Settings(home=folder)
    schema.upgrade(settings.database_url)
    engine = open_engine(settings.database_url)
    subscribe(settings, urls)
    options = FetchOptions(user_agent=settings.user_agent, allow_networks=LOOPBACK)
    limits = Limits(
        batch=settings.feed_batch,
        max_batches=settings.max_batches_in_flight,
        max_bytes=settings.max_message_bytes,
        lease_seconds=settings.lease_seconds,
        max_attempts=settings.max_attempts,
    )

    def save(event: FeedsPolled) -> None:
        with transaction(engine) as session:
            save_polls(session, event.polls, plan=plan_poll, now=utc_now())

    async def poll_due() -> bool:
        with transaction(engine) as session:
            commands = claim_feeds(
                session,
                now=utc_now(),
                limits=limits,
                poll_limits=poll_limits(settings),
            )
        for command in commands:
            async with open_fetch(options) as fetch:
                await poll_feeds(command, fetch=fetch, now=utc_now, emit=save)
        return bool(commands)

    def refresh() -> int:
        make_due(settings)
        while asyncio.run(poll_due()):
            pass
        with reading(engine) as session:
            return session.scalar(select(func.count()).select_from(Article)) or 0

    return refresh


def subscribe(settings: Settings, urls: list[str]) -> None:
    """Add the feeds, none of them due."""
    engine = open_engine(settings.database_url)
    new = [NewFeed(url=url, url_key=url) for url in urls]
    with transaction(engine) as session:
        add_feeds(session, new, now=utc_now())
        session.execute(update(Feed).values(next_poll_at=utc_now().replace(year=2100)))
    engine.dispose()


def make_due(settings: Settings) -> None:
    """Let every feed be polled now."""
    engine = open_engine(settings.database_url)
    with transaction(engine) as session:
        session.execute(update(Feed).values(next_poll_at=utc_now()))
    engine.dispose()


CLIENTS = {"reader": reader_client, "wireroom": wireroom_client}


def main(name: str, folder: str) -> None:
    """Refresh whenever a line comes in."""
    refresh = CLIENTS[name](Path(folder), json.loads(sys.stdin.readline()))
    print("{}", flush=True)
    for _ in sys.stdin:
        started, cpu = time.monotonic(), time.process_time()
        n_entries = refresh()
        cost = {
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "seconds": round(time.monotonic() - started, 2),
            "entries": n_entries,
        }
        print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
