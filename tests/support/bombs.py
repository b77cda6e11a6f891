"""Hostile documents, made on the spot: each as large and as costly as a poll lets in.

Every one is a shape that held up a parser somewhere, or that goes to the bound of one
of our own limits and stays inside it.
"""

import gzip
import json
from collections.abc import Callable

LIMIT = 10_000_000  # bytes of a body that a poll reads
ITEMS = 2_000  # entries that it keeps
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:georss="http://www.georss.org/georss"'
    ' xmlns:gml="http://www.opengis.net/gml"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)


def rss(inside: str, *, head: str = "") -> bytes:
    return (
        f'{head}<rss version="2.0" {NAMESPACES}><channel><title>t</title>'
        f"{inside}</channel></rss>"
    ).encode()


def atom(inside: str) -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{inside}</feed>'.encode()


def filled(piece: str, *, most: int = LIMIT, around: int = 2_000) -> str:
    """Return a piece again and again, up to the size that a poll reads."""
    return piece * ((most - around) // len(piece.encode()))


def cdata(text: str) -> str:
    return f"<description><![CDATA[{text}]]></description>"


def one(inside: str) -> bytes:
    return rss(f"<item><title>a</title>{inside}</item>")


def many(inside: Callable[[int], str], *, most: int = LIMIT) -> bytes:
    """Return a feed of as many items as are kept and fit in."""
    items, size = [], 0
    for n in range(ITEMS):
        item = f"<item><guid>{n}</guid><title>Title {n}</title>{inside(n)}</item>"
        size += len(item.encode())
        if size > most - 2_000:
            break
        items.append(item)
    return rss("".join(items))


def entities(n_levels: int, n_each: int) -> bytes:
    levels = "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * n_each}">' for n in range(1, n_levels)
    )
    head = f'<!DOCTYPE rss [<!ENTITY a0 "ha">{levels}]>'
    return rss(f"<item><title>&a{n_levels - 1};</title></item>", head=head)


def spread(text: str) -> bytes:
    """Return a feed with this text in each of as many items as fit in."""
    return many(lambda _: cdata(text))


PARAMETERS = "&amp;".join(f"{chr(97 + n % 26)}{n}=1" for n in range(250))
POST = f"https://paper.example/?{PARAMETERS}"[:1_990]

# ruff: noqa: PLW0108 - each is called when it is wanted, and not before
BOMBS: dict[str, Callable[[], bytes]] = {
    # nothing, and less than that
    "nothing": lambda: b"",
    "nul bytes": lambda: bytes(LIMIT),
    "white space": lambda: b" " * LIMIT,
    "white space before the root": lambda: b" " * (LIMIT - 999) + rss("<item/>"),
    # entities and files
    "billion laughs": lambda: entities(20, 10),
    "quadratic entity": lambda: rss(
        f"<item><title>{'&a;' * 50_000}</title></item>",
        head=f'<!DOCTYPE rss [<!ENTITY a "{"x" * 50_000}">]>',
    ),
    "external entity": lambda: rss(
        "<item><title>&a;</title></item>",
        head='<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ),
    "external document type": lambda: rss(
        "<item><title>a</title></item>",
        head='<!DOCTYPE rss PUBLIC "-//x" "http://127.0.0.1/x.dtd">',
    ),
    # tags
    "attributes of one tag": lambda: one(
        "<a " + "".join(f'b{n}="1" ' for n in range(100_000)) + "/>"
    ),
    "attributes of many tags": lambda: one(
        filled("<a " + "".join(f'b{n}="1" ' for n in range(250)) + "/>")
    ),
    "attributes of all items": lambda: many(
        lambda _: "<a " + "".join(f'b{n}="1" ' for n in range(250)) + "/>"
    ),
    "long attribute values": lambda: one(filled(f'<a b="{"x" * 9_000}"/>')),
    "nested elements": lambda: rss("<item>" + filled("<a>")),
    "nested to the bound": lambda: many(lambda _: "<a>" * 240 + "</a>" * 240),
    "empty tags": lambda: one(filled("<a/>")),
    "tags to the bound": lambda: one("<a></a>" * 149_000),
    "tags with long names": lambda: one(filled(f"<{'a' * 60}></{'a' * 60}>")),
    "unknown namespaces": lambda: one(
        "<a "
        + " ".join(f'xmlns:b{n}="urn:{n}"' for n in range(240))
        + "/>"
        + "".join(f"<b{n % 240}:c>x</b{n % 240}:c>" for n in range(140_000))
    ),
    "undeclared prefixes": lambda: one(
        "".join(f"<p{n}:c>x</p{n}:c>" for n in range(140_000))
    ),
    "known elements": lambda: one("<title>x</title>" * 70_000),
    "links": lambda: one('<link href="x" rel="a"/>' * 140_000),
    "enclosures": lambda: one('<enclosure url="http://x.example/a"/>' * 140_000),
    "media": lambda: one('<media:content url="http://x.example/a"/>' * 140_000),
    "thumbnails": lambda: one('<media:thumbnail url="http://x.example/a"/>' * 140_000),
    "credits": lambda: one("<media:credit>a</media:credit>" * 100_000),
    "places": lambda: one(
        "<georss:line>" + filled("1.0 2.0 ", most=LIMIT // 2) + "</georss:line>"
    ),
    "many places": lambda: one("<georss:line>1 2 3 4</georss:line>" * 140_000),
    "authors": lambda: one("<author>a@b.example (A)</author>" * 100_000),
    "authors in Atom": lambda: atom(
        "<entry>" + "<author><name>a</name></author>" * 70_000 + "</entry>"
    ),
    "contributors": lambda: atom(
        "<entry>" + "<contributor><name>a</name></contributor>" * 70_000 + "</entry>"
    ),
    "a long author": lambda: one(f"<author>a@{'a.' * 16_000}</author>"),
    "authors to the bound": lambda: many(
        lambda n: f"<author>a@{'a.' * 1_000}</author>" if n < 16 else ""
    ),
    "an author to the bound": lambda: one(f"<author>a@{'a.' * 4_090}</author>"),
    "categories": lambda: one("<category>a</category>" * 100_000),
    "categories to the bound": lambda: many(
        lambda n: "<category>a</category>" * 4_000 if n == 0 else ""
    ),
    "keywords": lambda: one(f"<itunes:keywords>{'a,' * 90_000}</itunes:keywords>"),
    "categories of all items": lambda: many(
        lambda _: "".join(f"<category>{n}</category>" for n in range(70))
    ),
    # what looks like markup
    "stray openings": lambda: one(cdata("") + "<" * 99_000),
    "stray ampersands": lambda: one(f"<title>{'&' * 499_000}</title>"),
    "ampersands": lambda: one(f"<title>{filled('&amp;')}</title>"),
    "angles": lambda: one(f"<description>{filled('&lt;')}</description>"),
    "named characters": lambda: one(f"<description>{filled('&eacute;')}</description>"),
    "numbered characters": lambda: one(f"<title>{filled('&#233;')}</title>"),
    "white space by number": lambda: one(f"<title>{filled('&#32;')}</title>"),
    "long numbers of characters": lambda: one(
        f"<title>{'&#' + '9' * 9_000_000};</title>"
    ),
    "comments": lambda: one(filled("<!--x-->")),
    "comments without end": lambda: one(filled("<!-- ")),
    "instructions": lambda: one(filled("<?a b?>")),
    "pieces of CDATA": lambda: one(
        "<description>" + filled("<![CDATA[x]]>") + "</description>"
    ),
    "CDATA without end": lambda: one(filled("<![CDATA[x")),
    "ends of CDATA": lambda: one(f"<title>{filled(']]>')}</title>"),
    "a broken root": lambda: b"<rss" + b" x" * 1_000_000,
    "quotes without end": lambda: one(filled("<a b='")),
    # texts
    "one text": lambda: one(f"<description>{'x' * (LIMIT - 999)}</description>"),
    "one title": lambda: one(f"<title>{'x y ' * (LIMIT // 4 - 999)}</title>"),
    "one guid": lambda: one(f"<guid>{'x' * (LIMIT - 999)}</guid>"),
    "one link": lambda: one(f"<link>http://x.example/{'x' * (LIMIT - 999)}</link>"),
    "one date": lambda: one(f"<pubDate>{'(' * (LIMIT - 999)}</pubDate>"),
    "dates of comments": lambda: many(lambda _: f"<pubDate>{'(' * 99}</pubDate>"),
    "letters that expand": lambda: one(cdata(filled("\ufdfa"))),
    "letters that decompose": lambda: one(cdata(filled("\U0001d160"))),
    "combining marks": lambda: one(cdata("a" + filled("\u0315\u0300"))),
    "texts of all items": lambda: spread("word " * 980),
    "summaries and contents": lambda: many(
        lambda _: (
            cdata("word " * 480)
            + f"<content:encoded><![CDATA[{'text ' * 480}]]></content:encoded>"
        )
    ),
    "links of parameters": lambda: many(lambda n: f"<link>{POST}{n}</link>"),
    # HTML
    "comments in HTML": lambda: one(cdata(filled("<!-- "))),
    "deep HTML": lambda: one(cdata(filled("<div>"))),
    "deep HTML in all items": lambda: spread("<div>" * 2_990),
    "deep tables": lambda: spread("<table><tr><td>" * 900),
    "deep fonts": lambda: spread("<b><i><font>" * 900),
    "open paragraphs": lambda: spread("<p><b>" * 1_400),
    "HTML attributes": lambda: one(cdata("<a " + filled('b="1" ') + ">")),
    "HTML attributes in all items": lambda: spread("<a " + 'b="1" ' * 700 + ">"),
    "HTML of small tags": lambda: one(cdata(filled("<b>x</b>"))),
    "HTML of breaks": lambda: one(cdata(filled("<br>"))),
    "HTML of breaks in all items": lambda: spread("<br>" * 1_200),
    "HTML of scripts": lambda: one(cdata(filled("<script>"))),
    "HTML of openings": lambda: one(cdata(filled("<a"))),
    "HTML of ends": lambda: one(cdata(filled("</b>"))),
    "HTML of entities": lambda: one(cdata(filled("&eacute;"))),
    "footers": lambda: one(cdata(filled("The post x "))),
    "HTML in titles": lambda: many(
        lambda _: "<title><![CDATA[" + "<b>x</b>" * 500 + "]]></title>"
    ),
    "inline HTML": lambda: atom(
        "<entry><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        + "<b>x</b>" * 140_000
        + "</div></content></entry>"
    ),
    "inline HTML with attributes": lambda: atom(
        "<entry><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        + "<a href='x' title='y'>x</a>" * 140_000
        + "</div></content></entry>"
    ),
    "encoded content": lambda: atom(
        "<entry><content type='application/octet-stream'>"
        + filled("AAAA")
        + "</content></entry>"
    ),
    "a web page": lambda: b"<html><body>" + b"<p>x</p>" * 1_000_000,
    # items
    "items": lambda: rss(filled("<item><title>a</title></item>")),
    "empty items": lambda: rss(filled("<item/>")),
    "items without end": lambda: rss(filled("<item><title>a")),
    "entries": lambda: atom(filled("<entry><title>a</title></entry>")),
    "twins": lambda: many(lambda _: "<guid>x</guid><link>http://x.example/a</link>"),
    # in other clothes
    "UTF-16": lambda: (
        rss("<item>" + "<a/>" * 1_200_000)[: LIMIT // 2].decode().encode("utf-16")
    ),
    "gzip of nothing": lambda: gzip.compress(bytes(20 * LIMIT), compresslevel=1),
    "gzip of items": lambda: gzip.compress(
        rss(filled("<item><title>a</title></item>")), compresslevel=1
    ),
    # JSON
    "JSON of lists": lambda: b'{"items":[' + b"[]," * 3_000_000 + b"[]]}",
    "JSON of objects": lambda: b'{"items":[' + b'{"":0},' * 1_400_000 + b"{}]}",
    "JSON of numbers": lambda: b'{"items":[' + b"1.5," * 2_400_000 + b"0]}",
    "JSON of strings": lambda: b'{"items":[' + b'"",' * 3_000_000 + b"0]}",
    "JSON of names": lambda: json.dumps(
        {"items": [{f"k{n}": 0 for n in range(600_000)}]}
    ).encode(),
    "nested JSON": lambda: b"[" * LIMIT,
    "a long number in JSON": lambda: b'{"items":' + b"9" * (LIMIT - 99) + b"}",
    "escapes in JSON": lambda: (
        b'{"title":"' + b"\\ud800" * (LIMIT // 6 - 99) + b'","items":[]}'
    ),
    "items of JSON": lambda: json.dumps(
        {
            "title": "t",
            "items": [
                {"id": str(n), "content_html": "<p>x</p>" * 550} for n in range(ITEMS)
            ],
        }
    ).encode(),
    "tags of JSON": lambda: json.dumps(
        {"title": "t", "items": [{"id": "1", "tags": ["a"] * 450_000}]}
    ).encode(),
    # sitemaps
    "pages of a sitemap": lambda: (
        "<urlset>" + filled("<url><loc>http://x.example/a</loc></url>") + "</urlset>"
    ).encode(),
    "attributes of a sitemap": lambda: (
        "<urlset " + "".join(f'b{n}="" ' for n in range(700_000)) + "/>"
    ).encode(),
    "fields of a sitemap": lambda: (
        "<urlset><url>" + filled("<a>x</a>") + "</url></urlset>"
    ).encode(),
    "an index without end": lambda: (
        "<sitemapindex>" + filled("<sitemap><loc>http://x.example/a</loc></sitemap>")
    ).encode(),
    "text of a sitemap": lambda: (
        f"<urlset><url><loc>{'x' * (LIMIT - 999)}</loc></url></urlset>"
    ).encode(),
}
