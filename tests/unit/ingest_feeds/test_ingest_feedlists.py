"""Lists of feeds are read as people write them, and no line of one is lost."""

import pytest

from ingest.feedlists import read_list
from ingest.opml import OpmlError, Subscription
from ingest.pagewords import PagePolicy

A = "https://a.example/feed?x=1,2&y=2"
B = "https://b.example/feed"


def read(text: str) -> tuple[Subscription, ...]:
    outline = read_list(text.encode())
    assert not outline.skipped
    return outline.subscriptions


@pytest.mark.parametrize(
    "text",
    [
        f'url,title,source,tags\n"{A}",Ann,Daily,"News, fast"\n',
        f'"{A}",Ann,Daily,News|fast\n',
        f"Tags;Feed URL;Publisher;Name\nNews,fast;{A};Daily;Ann\n",
        f"\ufeff# feeds\n\nXML_URL\tName\tSource\tCategory\n{A}\tAnn\tDaily\tNews;fast",
        f'note,url,title,source,tags\r\nx,"{A}",Ann,Daily,News;fast;News\r\n',
    ],
)
def test_columns_are_found_under_many_names_and_ends(text: str) -> None:
    assert read(text) == (
        Subscription(url=A, title="Ann", source="Daily", tags=("News", "fast")),
    )


def test_an_address_a_line_is_a_list() -> None:
    assert read(f"{B}\n\n{A.replace(',', '')}\n") == (
        Subscription(url=B),
        Subscription(url=A.replace(",", "")),
    )


def test_opml_is_told_by_its_content() -> None:
    text = f'\n<?xml version="1.0"?>\n<opml><body><outline xmlUrl="{B}"/></body></opml>'
    assert read(text) == (Subscription(url=B),)


def test_a_feed_on_two_lines_comes_once_with_both_tags() -> None:
    text = f"url,title,source,tags\n{B},,,x\n{B},Ben,Daily,y\n"
    assert read(text) == (
        Subscription(url=B, title="Ben", source="Daily", tags=("x", "y")),
    )


def test_a_list_may_say_whether_pages_are_fetched() -> None:
    text = f"url,pages\n{B},Always\nhttps://c.example/feed,sometimes\n"
    assert [one.pages for one in read(text)] == [PagePolicy.ALWAYS, None]


def test_what_names_no_feed_is_told_with_its_line() -> None:
    text = f'url,title\nftp://x.example/a,A\n,"no\naddress"\n{B},B\nwords,C\n'
    outline = read_list(text.encode())
    assert outline.subscriptions == (Subscription(url=B, title="B"),)
    assert [(one.line, one.text, one.reason) for one in outline.skipped] == [
        (2, "ftp://x.example/a", "it is not on the web"),
        (3, "no address", "it has no address"),
        (6, "words", "it is not on the web"),
    ]


def test_a_cell_without_end_is_told_and_the_rest_is_read() -> None:
    outline = read_list(f"{B}\n{'x' * 200_000}\n{A.replace(',', '')}\n".encode())
    assert len(outline.subscriptions) == 2
    assert [one.line for one in outline.skipped] == [2]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"\x89PNG\r\n\x1a\n", "no text"), (b"a" * 10_000_001, "over 10000000 bytes")],
)
def test_what_is_no_list_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(OpmlError, match=reason):
        read_list(body)


def test_a_list_in_another_charset_is_read() -> None:
    text = f"url;title\n{B};Café"
    for charset in ("utf-8-sig", "utf-16", "cp1252"):
        (one,) = read_list(text.encode(charset)).subscriptions
        assert one.title == "Café"
