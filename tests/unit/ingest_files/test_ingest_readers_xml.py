from datetime import UTC, datetime

import pytest
from support.samples import HTML, PARAGRAPHS, TEXT, TITLE, extractor, read, read_broken

from ingest.messages import FileOutcome
from ingest.readers import trees

AT = datetime(2026, 3, 5, 17, 40, tzinfo=UTC)
NITF = f"""<?xml version="1.0" encoding="utf-8"?>
<!-- A story --><!DOCTYPE nitf SYSTEM "nitf-3-6.dtd">
<nitf xml:lang="en-GB" xmlns="http://iptc.org/std/NITF/2006-10-18/">
 <head><title>In short</title>
  <docdata><date.issue norm="20260305T184000+0100"/><doc-id regsrc="AGY"/></docdata>
  <pubdata name="The Gazette" ex-ref="https://gazette.example/bridge"/></head>
 <body><body.head>
   <hedline><hl1>{TITLE.replace("é", "&eacute;")}</hl1></hedline>
   <byline>By <person>Jane Roe</person></byline></body.head>
  <body.content><block>{HTML.replace("council", "<org>council</org>")}</block>
   <media><media-caption><p>A caption.</p></media-caption></media></body.content>
  <body.end><tagline>The end</tagline></body.end></body>
</nitf>"""


def item(content: str, guid: str = "urn:a:1", status: str = "usable") -> str:
    return f"""<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="{guid}"
  xml:lang="en-GB">
 <itemMeta><provider><name>The Agency</name></provider>
  <versionCreated>2026-03-05T18:00:00Z</versionCreated>
  <pubStatus qcode="stat:{status}"/>
  <link rel="irel:canonical" href="https://agency.example/bridge"/></itemMeta>
 <contentMeta><contentCreated>2026-03-05T17:40:00Z</contentCreated>
  <creator><name>Jane Roe</name></creator><language tag="en"/>
  <headline>{TITLE}</headline></contentMeta>
 <contentSet>{content}</contentSet></newsItem>"""


XHTML = (
    '<inlineXML contenttype="application/xhtml+xml"><html xmlns="x"><head>'
    f"<title>In short</title></head><body>{HTML}</body></html></inlineXML>"
)
INNER = NITF[NITF.index("<nitf") :].replace("&eacute;", "é")
FORMS = [
    XHTML,
    f"<inlineXML>{INNER}</inlineXML>",
    f'<inlineData contenttype="text/plain">{TEXT}</inlineData>',
    f"<inlineData>{PARAGRAPHS[0]}\n{PARAGRAPHS[1]}\n{PARAGRAPHS[2]}</inlineData>",
]


def message(*items: str) -> bytes:
    inside = "".join(items)
    return f"<newsMessage><itemSet>{inside}</itemSet></newsMessage>".encode()


def test_a_story_in_nitf_is_read() -> None:
    (piece,) = read(NITF.encode(), "a.html")
    assert (piece.title, piece.text) == (TITLE, TEXT)
    assert (piece.byline, piece.authors) == ("Jane Roe", ("Jane Roe",))
    assert piece.language == "en-GB"
    assert (piece.source, piece.url) == (
        "The Gazette",
        "https://gazette.example/bridge",
    )
    assert piece.published is not None
    assert (piece.published.at, piece.published.raw) == (AT, "20260305T184000+0100")
    assert piece.fragment is None


@pytest.mark.parametrize("form", FORMS)
def test_an_item_of_newsml_g2_is_read_in_every_form(form: str) -> None:
    (piece,) = read(item(form).encode())
    assert (piece.title, piece.text) == (TITLE, TEXT)
    assert (piece.byline, piece.language) == ("Jane Roe", "en")
    assert (piece.source, piece.url) == ("The Agency", "https://agency.example/bridge")
    assert piece.published is not None
    assert piece.published.at == AT
    assert piece.updated is not None
    assert piece.fragment is None


def test_items_of_a_message_are_known_by_their_guid() -> None:
    items = [item(XHTML), item("", "urn:a:2"), item(XHTML, "urn:a:3", "canceled")]
    pieces, outcome, reason = read_broken(message(*items))
    assert [piece.fragment for piece in pieces] == ["urn:a:1"]
    assert outcome is FileOutcome.NO_ARTICLE
    assert "urn:a:3: The agency has withdrawn the item" in reason


def post(number: int, content: str = HTML, **changes: str) -> str:
    fields = {
        "title": f"{TITLE} &amp; more",
        "link": f"https://gazette.example/{number}",
        "pubDate": "Thu, 05 Mar 2026 17:40:00 +0000",
        "dc:creator": "<![CDATA[jroe]]>",
        "excerpt:encoded": "<![CDATA[A teaser.]]>",
        "content:encoded": f"<![CDATA[{content}]]>",
        "wp:post_id": f"{number}",
        "wp:post_date_gmt": "2026-03-05 17:40:00",
        "wp:post_modified_gmt": "2026-03-05 18:00:00",
        "wp:status": "publish",
        "wp:post_type": "post",
    }
    inside = (f"<{name}>{value}</{name}>" for name, value in (fields | changes).items())
    return f"<item>{''.join(inside)}</item>"


def export(*items: str, encoding: str = "utf-8") -> bytes:
    return f"""<?xml version="1.0" encoding="{encoding}"?>
<!-- This is an export. -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="x"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>The Gazette</title>
 <link>https://www.gazette.example</link><language>en-GB</language>
 <wp:author><wp:author_login>jroe</wp:author_login>
 <wp:author_display_name><![CDATA[Jane Roe]]></wp:author_display_name></wp:author>
 {"".join(items)}</channel></rss>""".encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_posts_of_a_wordpress_export_are_read(encoding: str) -> None:
    pieces = read(export(post(7), post(8), encoding=encoding), "a.html")
    assert [piece.fragment for piece in pieces] == ["post=7", "post=8"]
    piece = pieces[0]
    assert (piece.title, piece.text) == (f"{TITLE} & more", TEXT)
    assert (piece.byline, piece.language) == ("Jane Roe", "en-GB")
    assert (piece.url, piece.source) == ("https://gazette.example/7", "gazette.example")
    assert piece.published is not None
    assert piece.published.at == AT
    assert piece.updated is not None


def test_what_was_not_published_as_a_post_is_no_article() -> None:
    others = [
        post(1, **{"wp:post_type": "page"}),
        post(2, **{"wp:post_type": "attachment"}),
        post(3, **{"wp:status": "draft"}),
    ]
    assert read(export(*others)) == []


def test_paragraphs_without_tags_and_shortcodes_are_resolved() -> None:
    caption = '[caption id="a"]<img src="b">A picture[/caption]'
    content = f"{caption}One [sic].\n\nTwo[gallery ids='1'].\r\n\r\n[b_c]Three[/b_c]"
    (piece,) = read(export(post(1, content)))
    assert piece.text == "One [sic].\n\nTwo.\n\nThree"


def test_a_date_that_was_never_set_falls_back() -> None:
    (piece,) = read(export(post(1, **{"wp:post_date_gmt": "0000-00-00 00:00:00"})))
    assert piece.published is not None
    assert piece.published.at == AT


@pytest.mark.parametrize(
    ("whole", "n_pieces"),
    [(export(post(1), post(2)), 1), (message(item(XHTML), item(XHTML, "b")), 1)],
)
def test_a_document_that_breaks_off_gives_what_was_whole(
    whole: bytes, n_pieces: int
) -> None:
    pieces, outcome, reason = read_broken(whole[:-200])
    assert len(pieces) == n_pieces
    assert outcome is FileOutcome.MALFORMED
    assert "broken" in reason


OPENING = {
    "nitf": "<nitf>",
    "newsml": "<newsItem>",
    "wordpress": '<rss xmlns:wp="x"><channel><item>',
}


@pytest.mark.parametrize("opening", OPENING.values(), ids=OPENING)
@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<a>" * 100_000, "nested"),
        ("<a/>" * 1_001, "elements"),
        ("<a b='c' d='e' f='g'/>" * 900, "elements"),
        ("a" * 99 + "\0<", "broken"),
        ("&nosuch;", "broken"),
    ],
)
def test_xml_made_to_cost_is_refused(
    opening: str, inside: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "MAX_ELEMENTS", 1_000)
    monkeypatch.setattr(trees, "MAX_ATTRIBUTES", 2_500)
    pieces, _, told = read_broken((opening + inside).encode())
    assert pieces == []
    assert reason in told


@pytest.mark.parametrize(
    "declaration",
    [
        "<!ENTITY a 'b'>",
        "<!ENTITY a SYSTEM 'file:///etc/hostname'>",
        "<!ENTITY % a SYSTEM 'http://a.example/b.dtd'>",
    ],
)
def test_entities_of_its_own_are_refused(declaration: str) -> None:
    body = f"<!DOCTYPE nitf [{declaration}]><nitf><body>&a;</body></nitf>".encode()
    assert extractor(body) == "nitf/1"
    pieces, outcome, reason = read_broken(body)
    assert (pieces, outcome) == ([], FileOutcome.MALFORMED)
    assert "entities of its own" in reason


@pytest.mark.parametrize("piece", ["<??>", "<!---->", "<!DOCTYPE a>", "<!--", " "])
def test_a_prolog_made_to_cost_time_costs_none(piece: str) -> None:
    assert extractor(piece.encode() * 1_000 + b"<a>" + b"Prose. " * 99)


def test_a_page_inside_an_item_does_not_make_it_a_page() -> None:
    assert extractor(item(XHTML).encode(), "a.html") == "newsml-g2/1"
    assert extractor(b"<rss><channel/></rss>") == "xml/1"
