"""Items become entries with clean articles, and none of them is lost on the way."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.articles import article_uid
from ingest.entries import Origin, make_entries
from ingest.items import Item, Markup, ParsedFeed, RawDate
from ingest.messages import Article, Enclosure, Entry, EntryDate, KeyMode, Rejection
from ingest.pagewords import Fullness

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
FEED = "https://www.paper.example/feed.xml"
ORIGIN = Origin(feed_url=FEED, base_url=FEED, source=None)
SENTENCE = "The council said on Tuesday that it would open the bridge again. "


def html(value: str) -> Markup:
    return Markup(value=value, is_html=True)


def plain(value: str) -> Markup:
    return Markup(value=value, is_html=False)


def item(name: str = "a", **changes: Any) -> Item:
    values: dict[str, Any] = {
        "guid": f"id-{name}",
        "link": f"/news/{name}",
        "title": plain(f"Title {name}"),
        "summary": html(f"<p>Summary of {name}.</p>"),
    }
    return Item(**{**values, **changes})


def entries(*items: Item, origin: Origin = ORIGIN, **feed: Any) -> tuple[Entry, ...]:
    parsed = ParsedFeed(format="rss20", items=items, **feed)
    return make_entries(parsed, origin, key_mode=None, now=NOW)[1]


def test_a_page_that_several_entries_share_is_the_text_of_none_of_them() -> None:
    first, second, alone = entries(
        item("a", link="/news/live"), item("b", link="/news/live"), item("c")
    )
    assert (first.fullness, second.fullness) == (None, None)
    assert alone.fullness is Fullness.SHORT


def article(
    *, origin: Origin = ORIGIN, language: str | None = None, **changes: Any
) -> Article:
    (entry,) = entries(item(**changes), origin=origin, language=language)
    assert entry.article is not None, entry.rejected
    return entry.article


def test_an_item_becomes_an_entry_with_its_article() -> None:
    dates = (RawDate(origin="published", raw="2026-03-01", parsed=None),)
    (entry,) = entries(item(authors=("Ann", "Bo"), dates=dates, language="de-AT"))
    assert (entry.key, entry.key_mode, entry.link) == ("id-a", KeyMode.GUID, "/news/a")
    assert entry.aliases == ("guid:id-a", "link://www.paper.example/news/a")
    made = entry.article
    assert made is not None
    assert made.url == "https://www.paper.example/news/a"
    assert made.uid == article_uid("https://www.paper.example/news/a")
    assert (made.source, made.title, made.text) == (
        "paper.example",
        "Title a",
        "Summary of a.",
    )
    assert (made.byline, made.language) == ("Ann, Bo", "de")
    assert made.published_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert (made.published_raw, made.published_from) == ("2026-03-01", "published")
    assert made.extractor == "feed-entry/2"
    assert entry.fullness is Fullness.SHORT


def test_the_mode_of_the_last_poll_is_kept_and_told() -> None:
    feed = ParsedFeed(format="rss20", items=(item("a"), item("b")))
    mode, made = make_entries(feed, ORIGIN, key_mode=KeyMode.LINK, now=NOW)
    assert mode is KeyMode.LINK
    assert made[0].key == "https://www.paper.example/news/a"
    empty = ParsedFeed(format="rss20")
    assert make_entries(empty, ORIGIN, key_mode=KeyMode.LINK, now=NOW) == (mode, ())
    assert make_entries(empty, ORIGIN, key_mode=None, now=NOW) == (None, ())


def test_of_two_versions_of_an_item_the_later_is_kept() -> None:
    older, newer = (
        item(dates=(RawDate(origin="updated", raw=raw, parsed=None),))
        for raw in ("2026-03-01", "2026-03-02")
    )
    assert [it.rejected for it in entries(older, newer)] == [
        Rejection.DUPLICATE_KEY,
        None,
    ]


def test_content_is_preferred_to_a_summary() -> None:
    assert article(content=html(f"<p>{SENTENCE}</p>")).text == SENTENCE.strip()
    assert article(content=html("<img src='x'>")).text == "Summary of a."
    assert article(content=html("<p>x</p>"), summary=None).text == "x"


@pytest.mark.parametrize(
    ("changes", "confidence"),
    [
        ({"content": html(SENTENCE * 20)}, 1.0),
        ({"content": html(SENTENCE)}, 0.8),
        ({"summary": html(SENTENCE * 20)}, 0.8),
        ({"summary": html(SENTENCE)}, 0.6),
        ({"summary": html(SENTENCE + "The mayor […]")}, 0.5),
        ({"summary": html(SENTENCE + "<a href='x'>Read more</a> »")}, 0.5),
        ({"content": html(SENTENCE * 20 + "...")}, 0.5),
        ({"summary": None}, 0.4),
        ({"content": html("新聞" * 200)}, 1.0),
    ],
)
def test_confidence_says_how_much_of_the_article_a_feed_gives(
    changes: dict[str, Any], confidence: float
) -> None:
    assert article(**changes).confidence == confidence


def test_what_blog_software_appends_is_no_text() -> None:
    footer = "<p>The post <a>Title</a> appeared first on <a>The Paper</a>.</p>"
    assert article(summary=html(f"<p>News.</p>{footer}")).text == "News."
    assert article(summary=html(footer)).text == ""


def test_markup_counts_as_markup_whatever_the_feed_calls_it() -> None:
    made = article(title=plain("<b>Big</b> news"), summary=plain("<p>a</p><p>b</p>"))
    assert (made.title, made.text) == ("Big news", "a\n\nb")


def test_plain_text_is_not_taken_for_markup() -> None:
    made = article(title=plain("a < b & c"), summary=plain("1 < 2\n\n&amp; so on"))
    assert (made.title, made.text) == ("a < b & c", "1 < 2\n\n&amp; so on")


def test_an_empty_title_is_made_of_the_text() -> None:
    assert article(title=None).title == "Summary of a."


def test_an_item_without_title_and_text_is_counted() -> None:
    (entry,) = entries(item(title=None, summary=html("<img src='x'>")))
    assert (entry.rejected, entry.key) == (Rejection.NO_TEXT, "id-a")


def test_an_item_without_anything_is_counted() -> None:
    made = entries(item(), Item(), Item())
    assert [it.rejected for it in made] == [
        None,
        Rejection.NO_IDENTITY,
        Rejection.NO_IDENTITY,
    ]
    assert len({it.key for it in made}) == 3


def test_a_twin_is_counted_under_a_key_of_its_own() -> None:
    first, second = entries(item(), item())
    assert (first.rejected, second.rejected) == (None, Rejection.DUPLICATE_KEY)
    assert (first.key, second.key, second.aliases) == ("id-a", "id-a#2", ())


def test_an_article_without_a_page_of_its_own_is_named_by_its_entry() -> None:
    first, second = entries(item("a", link="/live"), item("b", link="/live"))
    assert first.article is not None
    assert second.article is not None
    assert first.article.uid == article_uid(f"{FEED} id-a")
    assert first.article.url == second.article.url == "https://www.paper.example/live"
    assert article(link=None).url is None
    assert article(link="mailto:desk@paper.example").url is None
    assert article(link="https://paper.example/" + "x" * 5000).url is None


def test_the_publisher_is_who_the_operator_says_else_who_serves_the_page() -> None:
    named = Origin(feed_url=FEED, base_url=FEED, source="The Paper")
    assert article(origin=named).source == "The Paper"
    assert article(link="https://www.other.example/1").source == "other.example"
    assert article(link=None).source == "paper.example"


def test_links_start_where_the_document_was_found() -> None:
    moved = Origin(feed_url=FEED, base_url="https://new.example/x/feed", source=None)
    assert article(origin=moved, link="1").url == "https://new.example/x/1"


def test_the_language_of_the_feed_holds_for_items_that_say_nothing() -> None:
    assert article(language="en-US").language == "en"


def test_an_entry_keeps_what_the_feed_says_beside_its_article() -> None:
    (entry,) = entries(
        item(
            authors=("Ann  Lee", "Ann Lee", "Bo &amp; Co"),
            categories=("Sport", "", "Sport", "x" * 300),
            language="pt-BR",
            dates=(
                RawDate(origin="published", raw="2026-03-01T10:00:00Z", parsed=None),
                RawDate(origin="updated", raw="2026-03-02", parsed=None),
            ),
            enclosures=(
                Enclosure(url="/a.mp3", media_type="audio/mpeg", n_bytes=12),
                Enclosure(url="https://www.paper.example/a.mp3"),
                Enclosure(url="javascript:alert(1)"),
            ),
        )
    )
    assert entry.authors == ("Ann Lee", "Bo & Co")
    assert entry.categories == ("Sport", "x" * 199 + "…")
    assert entry.language == "pt-BR"
    assert entry.published == EntryDate(
        raw="2026-03-01T10:00:00Z",
        at=datetime(2026, 3, 1, 10, 0, tzinfo=UTC),
        origin="published",
        confidence=1.0,
    )
    assert entry.updated is not None
    assert (entry.updated.raw, entry.updated.confidence) == ("2026-03-02", 0.7)
    assert entry.enclosures == (
        Enclosure(
            url="https://www.paper.example/a.mp3", media_type="audio/mpeg", n_bytes=12
        ),
    )


def test_a_rejected_entry_keeps_its_dates_too() -> None:
    date = RawDate(origin="published", raw="2026-03-01", parsed=None)
    (entry,) = entries(item(title=None, summary=None, dates=(date,)))
    assert entry.rejected is Rejection.NO_TEXT
    assert entry.published is not None
    assert entry.published.raw == "2026-03-01"


def test_an_entry_cannot_grow_without_end() -> None:
    names = tuple(f"name {n}" for n in range(500))
    files = tuple(Enclosure(url=f"/{n}") for n in range(500))
    (entry,) = entries(
        item(authors=names, categories=names, enclosures=files, language="x" * 99)
    )
    assert (len(entry.authors), len(entry.categories)) == (10, 50)
    assert (len(entry.enclosures), entry.language) == (20, None)
