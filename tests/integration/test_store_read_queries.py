"""The read side answers with what the rows say, the same on both engines."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import pytest
from support.rows import NOW, Rows, writing

from enrich.messages import CopyKind, EntityKind, Stage
from store.engine import Session, open_engine, reading
from store.errors import BadQuery, NotFound
from store.queries import (
    Standing,
    articles_per_source,
    counts,
    get_article,
    get_quarantined,
    list_articles,
    list_duplicates,
    list_entities,
    list_feeds,
    list_quarantine,
    list_stories,
    parse_cursor,
    run_progress,
    status,
)
from store.words import EntryOutcome, FeedState, QuarantineKind, QuarantineState

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class News(NamedTuple):
    """A small newsroom: where to read it, and the ids of what is in it."""

    url: str
    first: int  # a story's opener, the original of a copy, two revisions
    copy: int
    second: int  # a member of the story
    lone: int  # in another language, waiting
    feed: int
    story: int


@pytest.fixture
def news(migrated_url: str) -> News:
    with writing(migrated_url) as rows:
        return News(migrated_url, **fill(rows))


def fill(rows: Rows) -> dict[str, int]:
    feed = rows.feed(title="The Feed", last_polled_at=NOW)
    other = rows.feed(title=None, state=FeedState.PAUSED)
    first = rows.article(
        feed,
        title="Storm hits harbour",
        text="x" * 1500,
        source="bbc.co.uk",
        language="en",
        current_revision=2,
        sort_at=NOW - 3 * HOUR,
    )
    rows.revision(first, number=2, text="The new text.")
    copy = rows.article(feed, source="ap.org", language="en", sort_at=NOW - 2 * HOUR)
    second = rows.article(
        other, source="bbc.co.uk", language="en", sort_at=NOW - HOUR, byline="Ann"
    )
    lone = rows.article(other, source="lemonde.fr", language="fr", sort_at=NOW - DAY)
    rows.entry(other, article=first, outcome=EntryOutcome.DUPLICATE)
    putin = rows.entity("per:putin", "Vladimir Putin", "PER", "Putin")
    france = rows.entity("country:FR", "France", "LOC")
    rows.names(first, putin, times=2)
    rows.names(second, putin)
    rows.names(lone, france, times=5)
    rows.copy(copy, first)
    story = rows.story(first, second, copies=(copy,))
    rows.story(lone)
    for article in (first, copy, second):
        for stage in Stage:
            rows.enrichment(article, stage)
    rows.work(lone, attempts=2, error="ValueError: odd", leased=False)
    return {
        "first": first.id,
        "copy": copy.id,
        "second": second.id,
        "lone": lone.id,
        "feed": feed.id,
        "story": story.id,
    }


@pytest.fixture
def session(news: News) -> Iterator[Session]:
    engine = open_engine(news.url)
    with reading(engine) as session:
        yield session
    engine.dispose()


def test_articles_come_newest_first(session: Session, news: News) -> None:
    lines = list_articles(session)
    assert [line.id for line in lines] == [
        news.second,
        news.copy,
        news.first,
        news.lone,
    ]
    assert lines[2].title == "Storm hits harbour"
    assert lines[2].revision == 2
    assert (lines[1].copy_of, lines[1].copy_kind) == (news.first, "near")
    assert lines[1].story_id == news.story


def test_each_filter_keeps_what_it_says(session: Session, news: News) -> None:
    def ids(**filters: object) -> set[int]:
        return {line.id for line in list_articles(session, **filters)}  # type: ignore[arg-type]  # as given below

    assert ids(feed_id=news.feed) == {news.first, news.copy}
    assert ids(source="bbc.co.uk") == {news.first, news.second}
    assert ids(language="fr") == {news.lone}
    assert ids(since=NOW - 2 * HOUR) == {news.copy, news.second}
    assert ids(until=NOW - 2 * HOUR) == {news.first, news.lone}
    assert ids(entity="per:putin") == {news.first, news.second}
    assert ids(entity="country:fr") == set()
    assert ids(entity="putin") == {news.first, news.second}
    assert ids(entity="FRANCE") == {news.lone}
    assert ids(story_id=news.story) == {news.first, news.copy, news.second}
    assert ids(copies=True) == {news.copy}
    assert ids(copies=False) == {news.first, news.second, news.lone}
    assert ids(copies=False, story_id=news.story) == {news.first, news.second}


def test_pages_join_without_gap_or_repeat(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        for number in range(7):
            # Equal times, as a bulk load makes them: only the id tells them apart.
            rows.article(feed, sort_at=NOW - (number // 3) * HOUR)
    engine = open_engine(migrated_url)
    with reading(engine) as session:
        whole = [line.id for line in list_articles(session)]
        pages, before = [], None
        while page := list_articles(session, limit=2, before=before):
            pages += [line.id for line in page]
            before = parse_cursor(str(page[-1].cursor))
    engine.dispose()
    assert pages == whole
    assert len(whole) == 7


@pytest.mark.parametrize("text", ["", "x_1", "2026-11-20_1", "2026-11-20T00:00Z_x"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="is not where a page ended"):
        parse_cursor(text)


def test_an_article_is_found_by_id_uid_and_address(
    session: Session, news: News
) -> None:
    page = get_article(session, str(news.first))
    line = page.article
    link = page.appearances[0].link
    assert get_article(session, line.uid[:12]) == page
    assert get_article(session, line.uid.upper()) == page
    assert get_article(session, str(line.url)) == page
    assert get_article(session, str(link)) == page


@pytest.mark.parametrize(
    "ref",
    ["999", "abcdef", "https://nowhere.test/", "1" * 64, "storm", "", "a:\0", "9" * 18],
)
def test_what_is_no_article_is_not_found(session: Session, ref: str) -> None:
    with pytest.raises(NotFound, match="there is no article"):
        get_article(session, ref)


def test_an_ambiguous_uid_is_refused(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        for end in "ab":
            rows.article(feed, uid="abcdef" + 57 * "0" + end)
        with pytest.raises(BadQuery, match="several articles"):
            get_article(rows.session, "abcdef")


def test_the_page_of_an_article_tells_all_of_it(session: Session, news: News) -> None:
    page = get_article(session, str(news.first))
    assert page.text == "The new text."
    assert [(one.number, one.n_chars) for one in page.revisions] == [(2, 13), (1, 1500)]
    assert page.appearances[0].feed == "The Feed"
    assert page.appearances[1].feed.startswith("https://feed")
    assert [one.outcome for one in page.appearances] == ["stored", "duplicate"]
    assert [(one.name, one.n_mentions) for one in page.entities] == [
        ("Vladimir Putin", 2)
    ]
    assert page.copy_of is None
    assert [(one.article_id, one.resemblance) for one in page.copies] == [
        (news.copy, 0.75)
    ]
    assert page.story is not None
    assert page.story.n_appearances == 3
    assert {one.stage for one in page.pipelines} == {str(stage) for stage in Stage}
    assert all(one.active for one in page.pipelines)
    assert page.work.standing == Standing.ENRICHED
    assert page.work.since == NOW


def test_the_page_of_a_copy_names_its_original(session: Session, news: News) -> None:
    page = get_article(session, str(news.copy))
    assert page.copy_of is not None
    assert page.copy_of.original_title == "Storm hits harbour"


def test_the_page_of_a_waiting_article_says_what_it_waits_for(
    session: Session, news: News
) -> None:
    work = get_article(session, str(news.lone)).work
    assert work.standing == Standing.WAITING
    assert work.missing == ("copies", "entities", "language", "stories")
    assert (work.lane, work.attempts, work.error) == ("live", 2, "ValueError: odd")
    assert work.due_at == NOW


def test_the_page_of_a_quarantined_article_says_why(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        rows.pipeline(Stage.LANGUAGE)
        article = rows.article(rows.feed())
        item = rows.quarantined("article", str(article.id), article_id=article.id)
        work = get_article(rows.session, str(article.id)).work
        assert work.standing == Standing.QUARANTINED
        assert (work.error, work.quarantine_id) == ("ValueError: it broke", item.id)


def test_an_article_that_nobody_works_on_is_stuck(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        rows.pipeline(Stage.LANGUAGE)
        article = rows.article(rows.feed())
        work = get_article(rows.session, str(article.id)).work
    assert work.standing == Standing.STUCK


def test_results_of_an_inactive_pipeline_do_not_show(
    news: News, migrated_url: str
) -> None:
    with writing(migrated_url) as rows:
        for stage in Stage:
            rows.pipeline(stage, version="2", since=NOW + HOUR)
        page = get_article(rows.session, str(news.first))
        assert (page.entities, page.copies, page.story) == ((), (), None)
        assert page.work.standing == Standing.STALE
        assert not any(one.active for one in page.pipelines)
        assert list_entities(rows.session) == ()
        assert list_stories(rows.session, min_articles=1) == ()
        assert list_duplicates(rows.session) == ()


def test_top_entities_count_articles_before_mentions(session: Session) -> None:
    top = list_entities(session)
    assert [(one.name, one.n_articles, one.n_mentions) for one in top] == [
        ("Vladimir Putin", 2, 3),
        ("France", 1, 5),
    ]
    assert top[0].last_at == NOW - HOUR
    (france,) = list_entities(session, kind=EntityKind.LOC)
    assert france.key == "country:FR"
    (recent,) = list_entities(session, since=NOW - 2 * HOUR)
    assert recent.n_articles == 1
    assert len(list_entities(session, limit=1)) == 1


def test_copies_and_stories_are_listed_with_their_evidence(
    session: Session, news: News
) -> None:
    (pair,) = list_duplicates(session)
    assert (pair.article_id, pair.original_id) == (news.copy, news.first)
    assert (pair.source, pair.original_source) == ("ap.org", "bbc.co.uk")
    assert list_duplicates(session, kind=CopyKind.IDENTICAL) == ()
    (story,) = list_stories(session)
    assert (story.n_articles, story.n_appearances, story.n_sources) == (2, 3, 2)
    assert (story.first_at, story.last_at) == (NOW - 3 * HOUR, NOW - HOUR)
    assert len(list_stories(session, min_articles=1)) == 2
    assert list_stories(session, since=NOW) == ()


def test_feeds_are_listed_with_their_health(migrated_url: str, news: News) -> None:
    with writing(migrated_url) as rows:
        rows.feed(n_errors=3, last_error="timed out")
        rows.feed(state=FeedState.REMOVED)
        lines = list_feeds(rows.session)
        assert [line.n_errors for line in lines] == [3, 0, 0]
        assert (lines[1].n_entries, lines[1].n_articles) == (2, 2)
        (paused,) = list_feeds(rows.session, states=[FeedState.PAUSED])
        assert (paused.n_entries, paused.n_articles) == (3, 2)
    assert lines[1].id == news.feed


def test_sources_are_counted(session: Session) -> None:
    lines = articles_per_source(session)
    assert [(one.source, one.n_articles) for one in lines] == [
        ("bbc.co.uk", 2),
        ("ap.org", 1),
        ("lemonde.fr", 1),
    ]
    assert [one.source for one in articles_per_source(session, since=NOW - HOUR)] == [
        "bbc.co.uk"
    ]


def test_totals_are_exact(migrated_url: str, news: News) -> None:
    with writing(migrated_url) as rows:
        rows.quarantined("file", "1")
        rows.quarantined("file", "2", state="discarded")
        totals = counts(rows.session)
    assert news.feed
    assert (totals.articles, totals.entries, totals.revisions) == (4, 5, 5)
    assert (totals.entities, totals.mentions) == (2, 8)
    assert (totals.duplicates, totals.stories) == (1, 2)
    assert (totals.quarantined, totals.pending) == (1, 1)


def test_the_status_says_what_waits_and_since_when(
    migrated_url: str, news: News
) -> None:
    with writing(migrated_url) as rows:
        rows.feed(next_poll_at=NOW - HOUR, n_errors=1)
        rows.feed(next_poll_at=NOW - HOUR, lease_until=NOW + HOUR)
        rows.quarantined("message", "m")
        rows.file(rows.run(), state="pending", outcome=None)
        found = status(rows.session, now=NOW + HOUR / 2)
    assert found.feeds == {"active": 3, "paused": 1}
    assert (found.n_due_feeds, found.n_feeds_polling, found.n_failing_feeds) == (
        1,
        1,
        1,
    )
    assert found.n_pending_files == 1
    live, bulk = found.lanes
    assert (live.n_waiting, live.n_leased, live.oldest_age_seconds) == (1, 0, 1800)
    assert (bulk.n_waiting, bulk.oldest_at, bulk.oldest_age_seconds) == (0, None, None)
    assert found.quarantine == {"message": 1}
    assert found.last_poll_at == found.last_enriched_at == NOW
    assert [(one.stage, one.n_articles, one.n_missing) for one in found.pipelines] == [
        ("language", 3, 1),
        ("entities", 3, 1),
        ("copies", 3, 1),
        ("stories", 3, 1),
    ]
    assert news.lone


def test_a_run_is_done_when_nothing_of_it_is_left(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        run = rows.run(listed_at=None)
        feed = rows.feed(requested_run_id=run.id)
        gone = rows.feed(requested_run_id=run.id, state=FeedState.QUARANTINED)
        polled = rows.feed()
        rows.poll(polled, run_id=run.id, n_seen=3, n_new=1, n_unchanged=2)
        rows.poll(feed, run_id=run.id, state="abandoned", outcome=None)
        rows.file(run, n_seen=2, n_new=2)
        rows.file(run, outcome="empty")
        waiting = rows.file(run, state="pending", outcome=None)
        article = rows.article(gone)
        work = rows.work(article, run_id=run.id)
        before = run_progress(rows.session, run.id)
        assert not before.listed
        assert (before.n_files, before.n_files_done) == (3, 2)
        assert (before.n_polls, before.n_polls_done) == (3, 2)
        assert before.n_waiting == 1
        assert before.outcomes == {
            "empty": 1,
            "fetched": 1,
            "quarantined": 1,
            "read": 1,
        }
        assert before.entries["new"] == 3
        assert before.entries["seen"] == 5
        assert not before.is_done
        run.listed_at = NOW
        waiting.state, waiting.outcome = "done", "missing"
        feed.requested_run_id = None
        rows.session.delete(work)
        rows.session.flush()
        assert run_progress(rows.session, run.id).is_done


def test_a_run_that_was_never_started_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="there is no run 99"):
        run_progress(session, 99)


def test_quarantine_is_listed_by_state_and_kind(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        file = rows.file(rows.run(), path="/news/bad.txt")
        rows.quarantined("feed", "1", feed_id=feed.id)
        rows.quarantined("file", "2", file_id=file.id, last_at=NOW + HOUR)
        held = rows.quarantined("message", "3", state="discarded", payload="{}")
        lines = list_quarantine(rows.session)
        assert [(one.kind, one.path, one.feed_url) for one in lines] == [
            ("file", "/news/bad.txt", None),
            ("feed", None, feed.url),
        ]
        assert len(list_quarantine(rows.session, state=None)) == 3
        assert list_quarantine(rows.session, kind=QuarantineKind.ENTRY) == ()
        (line,) = list_quarantine(rows.session, state=QuarantineState.DISCARDED)
        item = get_quarantined(rows.session, held.id)
        assert (item.line, item.payload) == (line, "{}")
        with pytest.raises(NotFound, match="no item in quarantine with id 99"):
            get_quarantined(rows.session, 99)
