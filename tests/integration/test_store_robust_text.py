"""Whatever strangers write is stored or quarantined, the same on both engines."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from support.desk import Desk
from support.factories import article, entry, polled

from enrich.messages import Lane
from ingest.messages import Entry as NewEntry
from store import feeds, files, quarantine
from store.engine import reading, transaction
from store.models import Article, Entry, Feed, Quarantine, Revision, RunFile
from store.queries.article_page import get_article
from store.search import search
from store.seen import Seen, Sighting
from store.tally import End
from store.words import QuarantineKind, RunKind
from store.writer import write_entries

NUMBERS = count()
# Each of these has broken some database, driver or terminal.
PIECES = [
    "word",
    "\0",
    "\x07\x1b[31m",
    "\x7f\x85\u2028",
    "\ud800",
    "\udfff",
    "\ufffe\uffff",
    "🦊👩‍👩‍👧",
    "עברית مرحبا",
    "\u202e\u2066",
    "e\u0301",
    "' OR 1=1 --",
    "%_\\",
    '"',
    "NEAR(a b)",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=6)
DATES = st.none() | st.datetimes(timezones=st.just(UTC))


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    made.poll()
    yield made
    made.assert_balanced()
    made.engine.dispose()


def is_fit(*texts: str) -> bool:
    """Say whether both engines can keep a text: no NUL, and encodable."""
    joined = "".join(texts)
    return "\0" not in joined and joined == joined.encode(errors="replace").decode()


def poll(desk: Desk, new: NewEntry) -> End:
    """Poll a feed of the entry's own; return how the entry ended."""
    name = f"feed{next(NUMBERS)}"
    with transaction(desk.engine) as session:
        # Only its own feed is asked.
        for feed in session.scalars(select(Feed)):
            feed.next_poll_at = desk.now + timedelta(days=1)
    feed_id = desk.poll(new, feed=name)
    from store.models import Poll  # noqa: PLC0415  # beside its only use

    done = desk.one(Poll, Poll.feed_id == feed_id)
    (end,) = [end for end in End if getattr(done, f"n_{end}")]
    return end


def unique(title: str, text: str, **changes: object) -> NewEntry:
    name = f"n{next(NUMBERS)}"
    return entry(name, article=article(name, title=title, text=text, **changes))


@settings(
    max_examples=25,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(title=TEXTS, text=TEXTS, published_at=DATES)
def test_any_text_and_date_is_stored_or_quarantined_with_a_reason(
    desk: Desk, title: list[str], text: list[str], published_at: datetime | None
) -> None:
    # A word of its own, by which it can be found; and one for the entity.
    marker = f"mark{next(NUMBERS)}"
    line, body = f"{marker} {''.join(title)}", f"Text {' '.join(text)}"
    new = unique(line, body, published_at=published_at)
    end = poll(desk, new)
    assert end is (End.NEW if is_fit(line, body) else End.QUARANTINED)
    if end is End.QUARANTINED:
        stored = desk.one(Entry, Entry.key == new.key)
        assert (stored.outcome, stored.reason) == ("quarantined", "UnfitValue")
        assert desk.count(Quarantine, Quarantine.item.endswith(new.key)) == 1
        return
    desk.enrich()
    with reading(desk.engine) as session:
        found = search(session, marker, now=desk.now, limit=10)
        assert [one.article.title for one in found] == [line]
        page = get_article(session, str(found[0].article.id))
        assert (page.article.title, page.text) == (line, body)
        assert published_at in (None, page.article.published_at)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (entry("a", key="guid:\0"), "the key holds a NUL at character 5"),
        (entry("a", key="guid:\udc80"), "the key holds half a character at 5"),
        (entry("a", key="guid:" + "k" * 3000), "the key is longer than 2000 bytes"),
        (entry("a", aliases=("link:" + "é" * 1500,)), "an alias is longer than"),
        (entry("a", link="https://news.example/\0"), "the link holds a NUL"),
        (entry("a", article=article("a", source="s" * 3000)), "the source is longer"),
        (entry("a", article=article("a", byline="\0")), "the byline holds a NUL"),
        (entry("a", article=article("a", title="word " * 200_000)), "the title is"),
    ],
)
def test_what_one_engine_could_not_keep_is_quarantined_on_both(
    desk: Desk, new: NewEntry, reason: str
) -> None:
    assert poll(desk, new) is End.QUARANTINED
    held = desk.one(Quarantine)
    assert held.error == "UnfitValue"
    assert reason in held.detail
    assert desk.count(Article) == 0


def test_neighbours_of_an_unfit_entry_are_stored(desk: Desk) -> None:
    bad = entry("bad", article=article("bad", text="\0"))
    entries = (entry("a"), bad, entry("b"))
    with transaction(desk.engine) as session:
        feed_id = session.scalar(select(func.min(Feed.id))) or 0
        seen = [Seen(entry=one, feed_id=feed_id) for one in entries]
        sighting = Sighting(now=desk.now, lane=Lane.LIVE)
        with session.begin_nested() as nested:
            ends = write_entries(session, seen, sighting=sighting)
            nested.rollback()  # no poll has counted them
    assert ends == [End.NEW, End.QUARANTINED, End.NEW]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1582, 10, 10, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_the_ends_of_the_calendar_are_dates_like_others(
    desk: Desk, moment: datetime
) -> None:
    assert poll(desk, unique("Old", "text", published_at=moment)) is End.NEW
    desk.enrich()
    assert desk.one(Article).sort_at == moment


def test_a_text_of_a_megabyte_is_kept_whole(desk: Desk) -> None:
    text = "".join(f"word{n} " for n in range(120_000))
    assert poll(desk, unique("Long", text)) is End.NEW
    assert desk.one(Revision).text == text


@settings(
    max_examples=25,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(pieces=TEXTS, n_repeats=st.sampled_from([1, 1_000]))
def test_whatever_a_feed_says_of_itself_the_poll_is_stored(
    desk: Desk, pieces: list[str], n_repeats: int
) -> None:
    words = "".join(pieces) * n_repeats
    said_all = dict.fromkeys(
        ("title", "site_url", "language", "etag", "last_modified", "error"), words
    )
    name = f"feed{next(NUMBERS)}"
    feed_id = desk.add_feed(name)
    with transaction(desk.engine) as session:
        for feed in session.scalars(select(Feed).where(Feed.id != feed_id)):
            feed.next_poll_at = desk.now + timedelta(days=1)
    (asked,) = desk.claim_feeds()
    new = unique("Title", f"text {name}")
    assert desk.save_poll(polled(asked.poll_id, feed_id, new, **said_all))
    stored = desk.one(Feed, Feed.id == feed_id)
    assert stored.last_outcome == "fetched"
    # What means something only as a whole is kept as it is, or not at all.
    for name in ("site_url", "language", "etag", "last_modified"):
        assert getattr(stored, name) in (None, words)
    for text in (stored.title, stored.last_error):
        assert text is None or (is_fit(text) and 0 < len(text) <= 500)
        assert text is None or not any(char < " " for char in text)


@settings(
    max_examples=25,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(pieces=TEXTS, n_repeats=st.sampled_from([1, 1_000]))
def test_whatever_a_file_a_label_or_an_error_is_called_it_is_written_down(
    desk: Desk, pieces: list[str], n_repeats: int
) -> None:
    words = "".join(pieces) * n_repeats
    number = next(NUMBERS)
    path = f"/news/{number}/{words}"
    with transaction(desk.engine) as session:
        run = files.start_run(session, RunKind.INGEST, words, now=desk.now)
        new = files.NewFile(path=path, source=words)
        files.add_files(session, run, [new], now=desk.now)
        feed = feeds.NewFeed(
            url=f"https://{number}.example/",
            url_key=str(number),
            title=words,
            source=words,
            tags=(words, "tag"),
        )
        feeds.add_feeds(session, [feed], now=desk.now)
        case = quarantine.Case(
            kind=QuarantineKind.MESSAGE,
            item=f"{number}:{words[:300]}",
            error=words,
            detail=words,
            payload=words,
        )
        quarantine.quarantine(session, [case], now=desk.now)
    file = desk.one(RunFile, RunFile.run_id == run)
    could_be_read = is_fit(path) and len(path.encode()) <= 2_000
    assert file.state == ("pending" if could_be_read else "done")
    assert (file.path == path) == could_be_read
    assert desk.one(Feed, Feed.url_key == str(number)).tags[-1] == "tag"
    with transaction(desk.engine) as session:
        error = f"Broken: {words}"
        files.fail_files(session, [file.id], error=error, now=desk.now)
    assert desk.count(Quarantine, Quarantine.item.startswith(f"{number}:")) == 1
