"""Churned ids: feeds that give known items new ids, and what their keys become then.

Most readers show every item again when a feed changes its ids. Here an entry is found
by its link too; and where nearly all ids of a document are new while nearly all of its
items are known by their link or by title and date, the ids are not believed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ingest.messages import Entry as NewEntry
from ingest.messages import KeyMode
from store.models import Article, Entry

# Of the entries of one document.
MIN_NEW_IDS = 0.8
MIN_KNOWN = 0.8
MIN_ENTRIES = 5  # fewer may have changed by chance
SWITCH_AFTER = 2  # polls in a row with churned ids; one may be a move of the site
LOOK_BACK = 2_000  # a document has at most so many entries


class By(StrEnum):
    """What a known entry of a document was known by."""

    KEY = "key"  # or a key that was given to it later
    GUID = "guid"
    LINK = "link"
    TITLE_DATE = "title_date"


class Known(NamedTuple):
    """A stored entry."""

    id: int
    content_hash: str | None
    article_id: int | None
    by: By = By.KEY


def is_suspect(known: Mapping[str, Known], n_entries: int, *, n_more: int) -> bool:
    """Tell whether nearly all ids of a document are new, and not all items known.

    Args:
        known: Those of its entries that are known, by key.
        n_entries: How many it has.
        n_more: Further items of it that are known by their key.
    """
    n_known = sum(1 for one in known.values() if one.by is not By.LINK)
    return (
        n_entries + n_more >= MIN_ENTRIES
        and len(known) < n_entries
        and n_entries - n_known >= MIN_NEW_IDS * (n_entries + n_more)
    )


def find_by_title(
    session: Session,
    entries: Sequence[NewEntry],
    known: Mapping[str, Known],
    *,
    feed_id: int,
) -> dict[str, Known]:
    """Return key -> stored entry for strangers with title and date of a known one.

    Nothing is returned unless nearly all of the document is known with them.
    """
    wanted = _by_title([one for one in entries if one.key not in known])
    taken = {one.id for one in known.values()}
    found: dict[str, Known] = {}
    for row in session.execute(_latest(feed_id)) if wanted else ():
        key = wanted.get((row.title, row.published_raw))
        if key is not None and key not in found and row.id not in taken:
            found[key] = Known(row.id, row.content_hash, row.article_id, By.TITLE_DATE)
            taken.add(row.id)
    return found if len(known) + len(found) >= MIN_KNOWN * len(entries) else {}


def _by_title(strangers: Sequence[NewEntry]) -> dict[tuple[str, str], str]:
    """Return (title, date as spelt) -> key, as far as they name one entry."""
    named = [
        ((one.article.title, one.published.raw), one.key)
        for one in strangers
        if one.article and one.published and one.published.raw
    ]
    counts = Counter(name for name, _ in named)
    return {name: key for name, key in named if counts[name] == 1}


def _latest(feed_id: int) -> Select[*tuple[Any, ...]]:
    articles = (
        select(Article.id, Article.title)
        .where(Article.feed_id == feed_id)
        .order_by(Article.sort_at.desc())
        .limit(LOOK_BACK)
        .subquery()
    )
    return (
        select(
            Entry.id,
            Entry.content_hash,
            Entry.article_id,
            Entry.published_raw,
            articles.c.title,
        )
        .join(articles, articles.c.id == Entry.article_id)
        .where(Entry.feed_id == feed_id)
        .order_by(Entry.id.desc())
    )


class Recognised(NamedTuple):
    """How many entries of a document there were, and what they were known by."""

    n_entries: int = 0
    by: Mapping[By, int] = {}

    @classmethod
    def of(cls, known: Iterable[Known], n_entries: int) -> "Recognised":
        """Count what so many entries were known by."""
        return cls(n_entries, Counter(one.by for one in known))

    def plus(self, other: "Recognised") -> "Recognised":
        """Return the sum for more entries of one document."""
        by = Counter(self.by) + Counter(other.by)
        return Recognised(self.n_entries + other.n_entries, by)


def recognised(
    known: Mapping[tuple[int, str], Known], documents: Mapping[int, Sequence[NewEntry]]
) -> dict[int, Recognised]:
    """Return by feed what the entries of its document were known by.

    Args:
        known: Those that are, by feed and key.
        documents: By feed, all entries.
    """
    by_feed: defaultdict[int, list[Known]] = defaultdict(list)
    for (feed_id, _), one in known.items():
        by_feed[feed_id].append(one)
    return {
        feed_id: Recognised.of(by_feed[feed_id], len(entries))
        for feed_id, entries in documents.items()
    }


def better_mode(found: Recognised, mode: KeyMode | None) -> KeyMode | None:
    """Return what keys should be made of, or None where the ids are not churned.

    Args:
        found: How the entries of one document were recognised.
        mode: What their keys are made of.
    """
    if mode not in (KeyMode.GUID, KeyMode.LINK) or found.n_entries < MIN_ENTRIES:
        return None
    by = Counter(found.by)
    otherwise = {By.TITLE_DATE, By.LINK if mode is KeyMode.GUID else By.GUID}
    n_otherwise = sum(by[one] for one in otherwise)
    n_new_ids = found.n_entries - by.total() + n_otherwise
    if n_new_ids < MIN_NEW_IDS * found.n_entries:
        return None
    if n_otherwise < MIN_KNOWN * found.n_entries:
        return None
    is_by_title = by[By.TITLE_DATE] > n_otherwise / 2 or mode is KeyMode.LINK
    return KeyMode.TITLE_DATE if is_by_title else KeyMode.LINK
