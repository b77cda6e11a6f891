"""Known input: feeds on loopback that grow, and folders of files, item by item."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from benchmarks.chaos.feeds import FeedItem, GrowingFeeds
from benchmarks.chaos.items import Item, page_of, text_of, title_of
from ingest.messages import utc_now
from services.app import make_app
from services.cli.feeds import new_feed
from services.cli.ingest import write_down
from services.cli.poll import ask_for_polls
from services.publish import BrokerUnavailable, nudge
from services.settings import Settings
from store.engine import open_engine, reading, transaction
from store.feeds import add_feeds
from store.models import Feed

N_FEEDS = 3
OPERATOR = "chaos"
# An operator whose command fails calls it again; the database is never away for longer.
INSIST_SECONDS = 60.0
PAUSE_SECONDS = 0.3
# Neighbours of a poisoned article in its batch: they must get through.
N_NEIGHBOURS = 4
ENOUGH_TO_SHARE = 4  # entries added at once, of which one stands in two feeds


class Inputs:
    """Makes new items, hands them over as an operator would, and knows each of them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Subscribe to the feeds; the database has its tables."""
        self._engine = open_engine(settings.database_url)
        self._app = make_app(settings)
        self._folder = folder
        self._numbers = count()
        self._batches = count()
        self._feeds = GrowingFeeds(N_FEEDS)
        self.known: list[Item] = []
        self.n_reminders = 0
        self.spoilt: set[str] = set()  # kinds of quarantine that faults have filled
        new = [new_feed(url, source="desk") for url in self._feeds.urls]
        with transaction(self._engine) as session:
            add_feeds(session, new, now=utc_now())

    def add(self, *, n_files: int = 0, n_entries: int = 0) -> list[Item]:
        """Hand new items over; return them.

        Of four entries or more, one stands in two feeds and must end as one article.
        """
        files = [self._new_file() for _ in range(n_files)]
        entries = [self._new_entry() for _ in range(n_entries)]
        return self._hand_over(files, entries)

    def poison(self, kind: str) -> Item:
        """Hand over one article that makes its workers do something, among others."""
        neighbours = [self._new_entry() for _ in range(N_NEIGHBOURS)]
        number = next(self._numbers)
        link = _link(number)
        text = text_of(number, poison=kind)
        item = Item(name=link, title=title_of(number), poison=kind)
        entry = (item, _feed_item(item, text))
        return self._hand_over([], [entry, *neighbours])[0]

    def remind(self) -> None:
        """Ask for the polls of feeds that the schedule has slowed down after errors.

        Their next poll is ten minutes away or more, and a campaign cannot wait.
        """
        query = select(Feed.url).where(Feed.n_errors > 0, Feed.next_poll_at > utc_now())
        with reading(self._engine) as session:
            urls = list(session.scalars(query))
        if urls:
            self.n_reminders += 1
            self._insist(lambda: ask_for_polls(self._engine, urls, operator=OPERATOR))
            self._nudge()

    def close(self) -> None:
        """Stop serving the feeds."""
        self._feeds.close()
        self._engine.dispose()
        self._app.close()

    def _new_file(self) -> tuple[Item, str]:
        number = next(self._numbers)
        return Item(name="", title=title_of(number)), page_of(number)

    def _new_entry(self) -> tuple[Item, FeedItem]:
        number = next(self._numbers)
        item = Item(name=_link(number), title=title_of(number))
        return item, _feed_item(item, text_of(number))

    def _hand_over(
        self,
        files: Sequence[tuple[Item, str]],
        entries: Sequence[tuple[Item, FeedItem]],
    ) -> list[Item]:
        items = [*self._publish(entries), *self._write_files(files)]
        self.known += items
        self._nudge()
        return items

    def _write_files(self, files: Sequence[tuple[Item, str]]) -> list[Item]:
        if not files:
            return []
        folder = self._folder / f"batch-{next(self._batches):04}"
        folder.mkdir(parents=True)
        items = []
        for place, (item, page) in enumerate(files):
            path = folder / f"page-{place:03}.txt"
            path.write_text(page, encoding="utf-8")
            items.append(replace(item, name=path.as_uri()))
        self._insist(
            lambda: write_down(self._engine, [folder], source="desk", operator=OPERATOR)
        )
        return items

    def _publish(self, entries: Sequence[tuple[Item, FeedItem]]) -> list[Item]:
        if not entries:
            return []
        turn = next(self._batches)
        urls = [self._feeds.urls[(turn + n) % len(self._feeds.urls)] for n in (0, 1)]
        items = [item for item, _ in entries]
        self._feeds.add(urls[0], [feed_item for _, feed_item in entries])
        asked = urls[:1]
        if len(entries) >= ENOUGH_TO_SHARE:
            self._feeds.add(urls[1], [entries[-1][1]])
            items[-1] = replace(items[-1], n_entries=2)
            asked = urls
        self._insist(lambda: ask_for_polls(self._engine, asked, operator=OPERATOR))
        return items

    def _insist(self, action: Callable[[], object]) -> None:
        deadline = time.monotonic() + INSIST_SECONDS
        while True:
            try:
                action()
            except OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_SECONDS)
            else:
                return

    def _nudge(self) -> None:
        try:
            nudge(self._app)
        except BrokerUnavailable:
            return  # the next tick sees what is written down


def _link(number: int) -> str:
    return f"https://news.example/bridges/{number:05}"


def _feed_item(item: Item, text: str) -> FeedItem:
    return FeedItem(
        link=item.name, title=item.title, text=text, published_at=datetime.now(UTC)
    )
