"""Teasers and their pages, as a feed and an ingest worker would tell of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from support.desk import Desk
from support.factories import (
    LIMITS,
    NOW,
    article,
    body,
    document,
    entry,
    files_read,
    polled,
)

from ingest.messages import Entry, KeyMode
from ingest.pagemessages import (
    PAUSE_SECONDS,
    FetchPages,
    PageFetched,
    PageLimits,
    PagesFetched,
    PageToFetch,
)
from ingest.pagewords import Fullness, PageOutcome, PagePolicy
from store import feeds, files
from store.engine import transaction
from store.models import RunFile
from store.page_rules import PageRules
from store.page_texts import save_pages
from store.pages import claim_pages
from store.polls import save_polls
from store.reads import save_files
from store.words import RunKind

RULES = PageRules(max_age=timedelta(days=7), most_a_day=100)
LIMITS_OF_PAGES = PageLimits(
    timeout_seconds=30,
    connect_timeout_seconds=10,
    max_body_bytes=10_000_000,
    max_message_bytes=1_000_000,
)
MAX_ATTEMPTS = LIMITS.max_attempts


def teaser(name: str = "a", said: str = "It is said that", **changes: Any) -> Entry:
    """Return an entry that teases; what it says differs with `said`."""
    made = article(name, text=f"{said} {name} ...", confidence=0.5)
    values = {"article": made, "fullness": Fullness.CUT_OFF}
    return entry(name, **values | changes)


def in_full(name: str = "a", text: str | None = None, **changes: Any) -> Entry:
    """Return an entry that seems to give its article in full."""
    made = article(name) if text is None else article(name, text=text)
    return entry(name, **{"article": made, "fullness": Fullness.WHOLE} | changes)


def on_file(name: str = "a", text: str | None = None) -> Entry:
    """Return what a file holds that names the page of its article."""
    key = f"file:///news/{name}.txt"
    mode = KeyMode.FILE
    return in_full(name, text, key=key, key_mode=mode, aliases=(), fullness=None)


class Teasing:
    """A store whose feeds tease, driven as its workers would."""

    def __init__(self, desk: Desk, rules: PageRules | None = RULES) -> None:
        self.desk = desk
        self.rules = rules

    def poll(self, *entries: Entry, feed: str = "feed") -> int:
        """Poll a feed that shows these entries now; return its id."""
        desk = self.desk
        with transaction(desk.engine) as session:
            new = feeds.NewFeed(url=f"https://{feed}.example/feed", url_key=feed)
            feeds.add_feeds(session, [new], now=desk.now)
            run = files.start_run(session, RunKind.POLL, "test", now=desk.now)
            ids = feeds.find_feeds(session, [new.url])
            feeds.request_polls(session, ids, run_id=run, now=desk.now)
        # Others may be due as well, and have nothing to say.
        events = [
            polled(one.poll_id, one.feed_id, *(entries if one.feed_id in ids else ()))
            for one in desk.claim_feeds()
        ]
        with transaction(desk.engine) as session:
            save_polls(session, events, plan=desk.plan, now=desk.now, pages=self.rules)
        return ids[0]

    def read(self, *entries: Entry, path: str = "/news/a.txt") -> None:
        """Read a file that holds these entries now."""
        run = self.desk.add_files(path)
        file = self.desk.one(RunFile, RunFile.run_id == run)
        event = files_read((file.id, path, entries))
        with transaction(self.desk.engine) as session:
            save_files(session, event, now=self.desk.now)

    def set_pages(self, feed_id: int, policy: PagePolicy) -> None:
        """Say whether the pages of a feed are fetched."""
        with transaction(self.desk.engine) as session:
            feeds.set_pages(session, [feed_id], policy)

    def commands(self) -> list[FetchPages]:
        """Claim what is due, when the hosts have had their pause."""
        self.desk.now += timedelta(seconds=PAUSE_SECONDS)
        with transaction(self.desk.engine) as session:
            return claim_pages(
                session,
                now=self.desk.now,
                limits=LIMITS,
                page_limits=LIMITS_OF_PAGES,
            )

    def claim(self) -> list[PageToFetch]:
        """Claim what is due, however it is packed."""
        return [page for command in self.commands() for page in command.pages]

    def save(self, *events: PageFetched) -> int:
        """Store answers of an ingest worker."""
        with transaction(self.desk.engine) as session:
            return save_pages(
                session,
                PagesFetched(pages=events),
                now=self.desk.now,
                max_attempts=MAX_ATTEMPTS,
            )

    def fetch_all(self, edition: str = "") -> Iterator[PageFetched]:
        """Fetch and accept what is due, until nothing is; yield the answers."""
        while pages := self.claim():
            for page in pages:
                event = accepted(page, edition)
                self.save(event)
                yield event


def accepted(page: PageToFetch, edition: str = "", **changes: Any) -> PageFetched:
    """Return the answer to a page that holds its article in full."""
    text = f"{page.text} {body(page.url.rpartition('/')[2] + edition)}"
    name = page.url.rpartition("/")[2]
    made = article(name, title=page.title, text=text, extractor="html-page/2")
    values: dict[str, Any] = {
        "n_words": 90,
        "http_status": 200,
        "article": made,
        "document": document(f"page {page.url}{edition}"),
    }
    return ended(page, PageOutcome.ACCEPTED, **values | changes)


def ended(page: PageToFetch, outcome: PageOutcome, **changes: Any) -> PageFetched:
    """Return the answer to a page that came to this end."""
    values: dict[str, Any] = {
        "article_id": page.article_id,
        "ask": page.ask,
        "attempt": page.attempt,
        "url": page.url,
        "outcome": outcome,
        "fetched_at": NOW,
        "n_words_said": 5,
    }
    return PageFetched(**values | changes)
