from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.readers.registry import find_reader

PATH = Path("/seeds/a.txt")
BODY = [
    "The council voted on Tuesday evening to reopen the old harbour bridge to cars.",
    "“We have waited long enough,” said the mayor, who had campaigned for the bridge.",
    "Engineers expect the work to cost four million pounds and to last until spring.",
]
PAGE = f"""<!DOCTYPE html><html lang="en-GB"><head>
<meta charset="{{charset}}"><title>Bridge | The Gazette</title>
<meta property="og:title" content="Council votes to reopen bridge, café debate">
<meta name="author" content="By Jane Roe">
<meta property="article:published_time" content="2026-03-05T18:40:00+01:00">
<script>var a = "<p>No</p>";</script></head><body>
<nav><ul><li>Home</li><li>World</li></ul></nav>
<article><h1>Council votes</h1><figure><figcaption>The pier</figcaption></figure>
<p>{BODY[0]}</p><aside><p>Read our other long stories about bridges here.</p></aside>
<p>{BODY[1]}</p><div>Share this</div><p>{BODY[2]}</p></article>
<footer><p>© 2026 The Gazette. All rights reserved.</p></footer></body></html>"""


def read(body: bytes) -> list[Piece]:
    return list(find_reader(body, PATH).read(body))


@pytest.mark.parametrize(
    ("head", "extractor"),
    [
        (b"<!doctype HTML><title>x", "html-page/3"),
        (b"\xef\xbb\xbf <html>", "html-page/3"),
        (b'<?xml version="1.0"?><!DOCTYPE html><html>', "html-page/3"),
        ("<html><body>".encode("utf-16"), "html-page/3"),
        (b'<?xml version="1.0"?><rss><item><p>', "xml/1"),
        (b"<!-- A\nremark --> <!----><rss><item>", "xml/1"),
        (b"<!-- A remark <rss>", "text-seed/3"),
        (b"<feed xmlns='x'><title>&lt;html></title>", "xml/1"),
        (b'{"version": 1}', "json-record/1"),
        ('{"a": "<html>"}'.encode("utf-16"), "json-record/1"),
        (b"[ssba]\n\nNews", "text-seed/3"),
        (b"[\xe2\x80\x9cQuote\xe2\x80\x9d] he said", "text-seed/3"),
        (b"A < B, he wrote <p>", "text-seed/3"),
        (b"", "text-seed/3"),
    ],
)
def test_content_and_not_the_name_chooses_the_reader(
    head: bytes, extractor: str
) -> None:
    assert find_reader(head, PATH).extractor == extractor


@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_a_saved_page_gives_its_article(charset: str) -> None:
    (piece,) = read(PAGE.format(charset=charset).encode(charset))
    assert piece.title == "Council votes to reopen bridge, café debate"
    assert piece.text == "\n\n".join(BODY)
    assert piece.byline == "Jane Roe"
    assert piece.language == "en-GB"
    assert piece.published is not None
    assert piece.published.at is not None
    assert piece.published.at.isoformat() == "2026-03-05T17:40:00+00:00"
    assert piece.published.origin == "published"


def test_a_page_without_data_for_machines_is_read_by_its_lines() -> None:
    paragraphs = "".join(f"<p>{one}</p>" for one in BODY)
    page = f"<html><body><h1>Bridge to reopen</h1><p>By Jane Roe</p>{paragraphs}"
    (piece,) = read(page.encode())
    assert (piece.title, piece.byline) == ("Bridge to reopen", "Jane Roe")
    assert piece.text == "\n\n".join(BODY)
    assert (piece.language, piece.published) == (None, None)


def test_a_page_of_links_has_no_article() -> None:
    assert read(b"<html><body><ul><li>Home<li>World<li>Sport</ul>") == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<?xml version='1.0'?><rss><channel/></rss>", "feed (RSS)"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "feed (Atom)"),
        (b"<opml version='2.0'/>", "import it as such"),
        (b"<?xml version='1.0'?><tei/>", "root <tei>"),
        (b"<?xml version='1.0'?><rss><channel></rss>", "broken"),
        (b"<?xml version='1.0' encoding='no-such'?><a/>", "unknown encoding"),
        (
            b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "entities of its own",
        ),
    ],
)
def test_other_formats_are_refused_with_advice(body: bytes, reason: str) -> None:
    with pytest.raises(UnreadableContentError) as refused:
        read(body)
    assert refused.value.outcome is FileOutcome.MALFORMED
    assert reason in refused.value.reason


HOSTILE: dict[str, Callable[[], bytes]] = {
    "deep": lambda: b"<html>" + b"<div>" * 200_000,
    "deep with false ends": lambda: b"<html>" + b"<div></b>" * 200_000,
    "attributes": lambda: b"<html><a " + b"b " * 400_000 + b">",
    "page lines": lambda: b"<html>" + b"<p>a b" * 60_000,
    "text lines": lambda: b"a\n" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_content_made_to_cost_time_is_refused(name: str) -> None:
    with pytest.raises(UnreadableContentError):
        read(HOSTILE[name]())
