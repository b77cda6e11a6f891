"""JSON Feed is read in both versions, and other JSON is not taken for it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.feeds import parse_feed
from ingest.items import Markup, ParsedFeed
from ingest.jsonfeed import looks_like_json
from ingest.messages import Enclosure
from ingest.preflight import FeedRefusedError

VERSION = "https://jsonfeed.org/version/1.1"


def parsed(*items: Any, charset: str = "utf-8", **fields: Any) -> ParsedFeed:
    feed = {"version": VERSION, "title": "Paper", "items": items, **fields}
    return parse_feed(json.dumps(feed).encode(charset), max_items=10)


def test_a_json_feed_is_read() -> None:
    feed = parsed(
        {
            "id": "1",
            "url": "https://paper.example/1",
            "title": "A < B",
            "content_html": "<p>Full</p>",
            "content_text": "Full",
            "summary": "Short",
            "date_published": "2026-03-04T10:00:00Z",
            "date_modified": "2026-03-05T10:00:00Z",
            "authors": [{"name": "Ann Lee"}, {"url": "https://x.example"}],
            "language": "de",
        },
        home_page_url="https://paper.example/",
        language="en",
    )
    assert (feed.format, feed.title, feed.language) == ("json11", "Paper", "en")
    assert feed.site_url == "https://paper.example/"
    (item,) = feed.items
    assert (item.guid, item.link) == ("1", "https://paper.example/1")
    assert item.title == Markup(value="A < B", is_html=False)
    assert item.content == Markup(value="<p>Full</p>", is_html=True)
    assert item.summary == Markup(value="Short", is_html=False)
    assert (item.authors, item.language) == (("Ann Lee",), "de")
    assert [date.origin for date in item.dates] == ["published", "updated"]


def test_the_words_of_version_10_are_read() -> None:
    feed = parsed(
        {"id": 7, "external_url": "https://b.example/", "author": {"name": "Ann"}},
        version="https://jsonfeed.org/version/1",
    )
    (item,) = feed.items
    assert feed.format == "json10"
    assert (item.guid, item.link, item.authors) == ("7", "https://b.example/", ("Ann",))


def test_a_missing_version_is_forgiven() -> None:
    assert parsed({"id": "1"}, version=None).format == "json"


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_each_charset_of_json_is_read(charset: str) -> None:
    assert parsed({"title": "é"}, charset=charset).items[0].title is not None


def test_fields_of_a_wrong_type_count_as_missing() -> None:
    item = {
        "id": ["x"],
        "url": 5.5,
        "title": {},
        "content_html": None,
        "authors": "Ann",
    }
    assert parsed(item).items[0].guid is None
    assert parsed(item, "no object").items[1].link is None
    assert parsed({"id": True}).items[0].guid is None


def test_a_long_feed_gives_its_first_items() -> None:
    feed = parsed(*[{"id": str(n)} for n in range(11)])
    assert len(feed.items) == 10
    assert feed.error == "only the first 10 of its items were read"


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"[]", b"{}", b'{"items": []}', b'{"items": {}, "title": "x"}'),
        *(b"[" * 10**5, b'{"title": "x", "items": [' + b"9" * 5000 + b"]}"),
    ],
)
def test_other_json_is_no_feed(body: bytes) -> None:
    with pytest.raises(FeedRefusedError, match="JSON"):
        parse_feed(body, max_items=10)


def test_xml_does_not_look_like_json() -> None:
    assert looks_like_json(b'\xef\xbb\xbf \n{"a"')
    assert not looks_like_json(b"<rss>{")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    st.sampled_from(
        ["id", "url", "title", "content_html", "authors", "date_published"]
    ),
)
def test_no_item_raises(value: Any, key: str) -> None:
    assert len(parsed({key: value}, value).items) == 2


def test_tags_and_attachments_of_the_right_type_are_read() -> None:
    (item,) = parsed(
        {
            "id": "1",
            "tags": ["Sport", 7, None, ["x"]],
            "attachments": [
                {"url": "https://x.example/a", "mime_type": "audio/mpeg"},
                {"url": "https://x.example/b", "size_in_bytes": 12},
                {"url": "https://x.example/c", "size_in_bytes": "12"},
                {"mime_type": "audio/mpeg"},
                "https://x.example/d",
            ],
        }
    ).items
    assert item.categories == ("Sport", "7")
    assert item.enclosures == (
        Enclosure(url="https://x.example/a", media_type="audio/mpeg"),
        Enclosure(url="https://x.example/b", n_bytes=12),
        Enclosure(url="https://x.example/c"),
    )
