"""The feeds of a web page are found where it declares or links them."""

import pytest

from ingest.discovery import (
    MAX_CANDIDATES,
    MAX_PAGE_CHARS,
    find_feeds,
    looks_like_html,
)

URL = "https://paper.example/news/"


def found(html: str, *, url: str | None = URL) -> list[tuple[str, str, str]]:
    candidates = find_feeds(html.encode(), base_url=url)
    return [(one["why"], one["format"], one["url"]) for one in candidates]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("application/rss+xml", "rss"),
        ("application/atom+xml; charset=utf-8", "atom"),
        ("Application/Feed+JSON", "json"),
        ("application/json", "json"),
        ("text/xml", "xml"),
    ],
)
def test_every_type_of_feed_is_declared(kind: str, name: str) -> None:
    link = f'<link rel="home ALTERNATE" type="{kind}" href="all.xml">'
    assert found(link) == [("declared", name, "https://paper.example/news/all.xml")]


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="alternate" hreflang="de" href="/de">',
        '<link rel="alternate" type="text/html" href="/m">',
        '<link rel="stylesheet" type="application/rss+xml" href="/feed">',
        '<link rel="alternate" type="application/rss+xml">',
        '<a href="/feedback">x</a><a href="/newsfeeder">x</a><a href="#rss">x</a>',
        '<a href="javascript:feed()">x</a>',
    ],
)
def test_what_is_no_feed_is_not_listed(html: str) -> None:
    assert {why for why, *_ in found(html)} == {"a common place"}


@pytest.mark.parametrize(
    "href",
    ["/feed", "/feed/", "/rss", "rss.xml", "/news.rss", "?format=rss", "index.rdf"],
)
def test_links_that_look_like_feeds_are_listed_after_the_declared(href: str) -> None:
    declared = '<link rel="alternate" type="application/rss+xml" href="/declared">'
    kinds = [why for why, *_ in found(f'<a href="{href}">News</a>{declared}')]
    assert kinds == ["declared", "linked"]


def test_a_base_of_the_page_counts_and_a_feed_comes_once() -> None:
    link = '<link rel="alternate" type="application/rss+xml" href="a.rss">'
    html = f'<base href="https://cdn.example/x/">{link}<a href="a.rss">A</a>'
    assert found(html) == [("declared", "rss", "https://cdn.example/x/a.rss")]


def test_a_page_without_an_address_keeps_its_links_as_they_are() -> None:
    assert found('<a href="/feed">A</a>', url=None) == [("linked", "feed", "/feed")]
    assert found("<p>nothing", url=None) == []


def test_a_page_cannot_name_feeds_without_end_nor_nest_to_hold_us_up() -> None:
    links = "".join(f'<a href="/{n}/feed">x</a>' for n in range(500))
    assert len(found(links)) == MAX_CANDIDATES
    assert found("<div>" * 5_000 + links) == []


def test_of_a_page_without_end_the_beginning_is_looked_at() -> None:
    first, last = '<a href="/first/feed">x</a>', '<a href="/last/feed">x</a>'
    page = first + " " * MAX_PAGE_CHARS + last
    assert found(page) == [("linked", "feed", "https://paper.example/first/feed")]


def test_a_page_is_told_from_a_feed() -> None:
    assert looks_like_html(b"\n<!DOCTYPE HTML><title>x")
    assert looks_like_html(b"<html lang='en'>")
    assert not looks_like_html(b"<rss><channel/></rss>")
