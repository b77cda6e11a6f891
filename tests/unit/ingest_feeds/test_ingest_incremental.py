"""Only what has changed is parsed, and it reads as it would in the whole document."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import incremental
from ingest.entries import Origin
from ingest.feeds import parse_xml
from ingest.incremental import Body, Reading, Remembered, read_document
from ingest.marks import MAX_ITEMS, NAME_BYTES, SEAL_BYTES, Marks
from ingest.messages import Entry, KeyMode
from ingest.preflight import FeedRefusedError
from ingest.splitter import split_items

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
URL = "https://paper.example/feed"
ORIGIN = Origin(feed_url=URL, base_url=URL, source=None)
NOTHING = Remembered(key_mode=None, body_sha256=None, marks=b"")
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


def item(n: object, *, text: str = "", guid: str | None = None, link: str = "") -> str:
    return (
        f"<item><guid isPermaLink='false'>{guid or f'guid {n}'}</guid>"
        f"<title>Title {n}</title><link>{link or f'https://paper.example/{n}'}</link>"
        f"<description>{text or f'Text of {n}'}</description></item>\n"
    )


def rss(*items: str, head: str = "", channel: str = "<channel>", tail: str = "") -> str:
    return (
        f'<rss version="2.0" {DC}>{channel}<title>Paper</title>'
        f"<link>https://paper.example/</link>{head}{''.join(items)}{tail}"
        "</channel></rss>"
    )


def entry(n: object, text: str = "", more: str = "") -> str:
    return (
        f"<entry><id>tag:paper.example,2026:{n}</id><title>Title {n}</title>"
        f'<link href="https://paper.example/{n}"/>'
        f'<content type="html">{text or f"&lt;p&gt;Text of {n}"}</content>{more}'
        "</entry>"
    )


def atom(*entries: str) -> str:
    return f"<feed {ATOM}><title>Paper</title>{''.join(entries)}</feed>"


def body(text: str | bytes, content_type: str | None = None) -> Body:
    data = text if isinstance(text, bytes) else text.encode()
    sha256 = hashlib.sha256(data).hexdigest()
    return Body(data=data, sha256=sha256, content_type=content_type)


def read(
    text: str | bytes,
    before: Remembered = NOTHING,
    *,
    origin: Origin = ORIGIN,
    max_items: int = 2_000,
) -> Reading:
    return read_document(
        body(text), origin, before=before, max_items=max_items, now=NOW
    )


def remember(text: str | bytes, before: Remembered = NOTHING) -> Remembered:
    """Return what the poll of a document leaves behind."""
    reading = read(text, before)
    return Remembered(
        key_mode=reading.key_mode, body_sha256=body(text).sha256, marks=reading.marks
    )


def content_of(entry: Entry) -> str | None:
    return entry.article.content_hash if entry.article else entry.rejected


def records(reading: Reading) -> dict[bytes, bytes]:
    marks = Marks.unpack(reading.marks, seal=reading.marks[:SEAL_BYTES])
    return dict(marks.records) if marks else {}


def assert_read_in_full(text: str | bytes, before: Remembered) -> Reading:
    """Check that nothing was cut out, although the last poll left its marks."""
    assert before.marks
    got = read(text, before)
    assert got.n_known == 0
    full = read(text, replace(before, marks=b""))
    assert got.entries == full.entries
    return got


def test_an_item_that_stands_as_before_is_counted_and_not_parsed() -> None:
    before = remember(rss(item(1), item(2), item(3)))
    after = rss(item(4), item(1), item(2), item(3))
    got = read(after, before)
    assert got.n_known == 3
    assert got.entries == read(after).entries[:1]
    assert (got.feed.title, got.feed.site_url) == ("Paper", "https://paper.example/")
    assert (got.feed.format, got.key_mode) == ("rss20", KeyMode.GUID)


def test_only_the_bytes_of_new_items_reach_the_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[str] = []

    def spy(text: str, *, max_items: int) -> Any:
        parsed.append(text)
        return parse_xml(text, max_items=max_items)

    monkeypatch.setattr(incremental, "parse_xml", spy)
    read(rss(item(2), item(1)), remember(rss(item(1))))
    (text,) = parsed
    assert "Title 2" in text
    assert "Title 1" not in text


def test_a_changed_item_is_parsed_again_under_its_key() -> None:
    before = remember(rss(item(1), item(2)))
    got = read(rss(item(1), item(2, text="Corrected")), before)
    assert got.n_known == 1
    (one,) = got.entries
    assert one.key == "guid 2"
    assert one.article is not None
    assert one.article.text == "Corrected"


def test_where_only_the_head_has_changed_nothing_is_parsed() -> None:
    before = remember(rss(item(1), item(2)))
    got = read(rss(item(1), item(2), head="<ttl>30</ttl>"), before)
    assert (got.n_known, got.entries) == (2, ())
    assert got.feed.min_interval_seconds == 1_800
    assert got.key_mode is KeyMode.GUID


def test_what_a_partial_reading_leaves_behind_serves_the_next_poll() -> None:
    documents = [rss(*map(item, range(n, 0, -1))) for n in range(1, 6)]
    before = NOTHING
    for n, document in enumerate(documents):
        got = read(document, before)
        assert got.n_known == n
        assert [one.key for one in got.entries] == [f"guid {n + 1}"]
        before = remember(document, before)
    assert before.marks == remember(documents[-1]).marks


def test_an_item_that_went_and_came_back_is_parsed_again() -> None:
    before = remember(rss(item(1), item(2)))
    without = remember(rss(item(1)), before)
    assert [one.key for one in read(rss(item(1), item(2)), without).entries] == [
        "guid 2"
    ]


def test_the_first_version_of_an_item_is_news_after_the_second() -> None:
    first, second = rss(item(0), item(1)), rss(item(0), item(1, text="Other"))
    got = read(first, remember(second, remember(first)))
    assert [one.key for one in got.entries] == ["guid 1"]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda *numbers: atom(*map(entry, numbers)), id="atom"),
        pytest.param(
            lambda *numbers: (
                '<rdf:RDF xmlns="http://purl.org/rss/1.0/"'
                ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
                "<channel><title>Paper</title></channel>"
                + "".join(
                    f'<item rdf:about="https://paper.example/{n}"><title>T {n}</title>'
                    f"<link>https://paper.example/{n}</link></item>"
                    for n in numbers
                )
                + "</rdf:RDF>"
            ),
            id="rdf",
        ),
        pytest.param(
            lambda *numbers: (
                '<rss version="0.91"><channel><title>Paper</title>'
                + "".join(
                    f"<item><title>T {n}</title><link>https://p.example/{n}</link></item>"
                    for n in numbers
                )
                + "</channel></rss>"
            ),
            id="rss091",
        ),
    ],
)
def test_every_xml_format_is_read_in_part(make: Any) -> None:
    after = make(3, 1, 2)
    got = read(after, remember(make(1, 2)))
    assert got.n_known == 2
    assert got.entries == read(after).entries[:1]


def test_another_charset_is_read_in_part_too() -> None:
    head = '<?xml version="1.0" encoding="iso-8859-1"?>'
    before = remember((head + rss(item("é"))).encode("latin-1"))
    got = read((head + rss(item("ü"), item("é"))).encode("latin-1"), before)
    assert got.n_known == 1
    assert [one.key for one in got.entries] == ["guid ü"]


# What stands where one item could change how another one is read.
UNUSUAL = {
    "not well-formed": rss(item(1), item(2), "<item><title>A & B</title></item>"),
    "broken off": rss(item(1), item(2))[:-20],
    "doctype": "<!DOCTYPE rss>" + rss(item(1), item(2)),
    "entity": rss(item(1), item(2, text="caf&eacute;")),
    "nested item": rss(item(1), f"<item><title>x</title>{item(2)}</item>"),
    "item in a text": rss(
        item(1), "<item><guid>2</guid><description><item/></description></item>"
    ),
    "empty item": rss(item(1), "<item/>"),
    "namespace on an item": rss(
        item(1), f"<item {DC}><guid>2</guid><dc:title>x</dc:title></item>"
    ),
    "namespace in an item": rss(
        item(1), f"<item><guid>2</guid><dc:title {DC}>x</dc:title></item>"
    ),
    "namespace between items": rss(item(1), '<x xmlns="urn:x"/>', item(2)),
    "base": rss(item(1), '<item xml:base="https://b.example/"><guid>2</guid></item>'),
    "language": rss(
        item(1), '<item><guid>2</guid><title xml:lang="de">x</title></item>'
    ),
    "markup in a text": rss(
        item(1), "<item><guid>2</guid><description><b>x</b></description></item>"
    ),
    "items in two places": rss(item(1), "<x>", item(2), "</x>"),
    "upper case": rss(item(1), "<ITEM><guid>2</guid></ITEM>"),
    "twins": rss(item(1), item(1)),
    "no guid": rss(item(1), "<item><title>Only a title</title></item>"),
    "no item": rss(),
    "json": '{"version": "https://jsonfeed.org/version/1.1", "items": []}',
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_document_with_something_unusual_leaves_no_marks(name: str) -> None:
    assert read(UNUSUAL[name]).marks == b""


@pytest.mark.parametrize("name", [name for name in UNUSUAL if name != "no item"])
def test_something_unusual_is_read_in_full(name: str) -> None:
    assert_read_in_full(UNUSUAL[name], remember(rss(item(1), item(7))))


@pytest.mark.parametrize(
    "usual",
    [
        "<!-- <item> -->",
        "<?php echo '<item>' ?>",
        "<image><url>https://paper.example/i.png</url><title>Paper</title></image>",
    ],
)
def test_what_stands_between_items_stays(usual: str) -> None:
    before = remember(rss(item(1), usual, item(2)))
    after = rss(item(3), usual, item(1), usual, item(2), tail=usual)
    got = read(after, before)
    assert got.n_known == 2
    assert got.entries == read(after).entries[:1]


def test_the_end_of_an_item_in_cdata_or_a_comment_is_none() -> None:
    trick = item(1, text="<![CDATA[</item><item><title>no</title>]]><!-- </item> -->")
    after = rss(item(2), trick)
    got = read(after, remember(rss(trick)))
    assert got.n_known == 1
    assert got.entries == read(after).entries[:1]


def test_xhtml_in_a_text_and_elements_of_pictures_are_usual() -> None:
    xhtml = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Text <b>of</b> it</p></div>'
    entries = [
        f'<entry><id>{n}</id><title>T</title><content type="xhtml">{xhtml}</content>'
        f"<author><name>Ann {n}</name></author></entry>"
        for n in range(3)
    ]
    got = read(atom(*entries), remember(atom(*entries[1:])))
    assert got.n_known == 2
    assert got.entries == read(atom(*entries)).entries[:1]


@pytest.mark.parametrize(
    "newcomer",
    [
        pytest.param(item(2, guid="guid 1"), id="the guid"),
        pytest.param(item(2, link="https://paper.example/1"), id="the link"),
        pytest.param(
            item(2, link="https://paper.example/1?utm_source=x"), id="the same page"
        ),
        pytest.param(
            item(2, guid="https://paper.example/1"), id="the link of one as its guid"
        ),
        pytest.param(item(2, guid="http://other.example/a"), id="another host"),
        pytest.param(item(2, guid="http://paper.example/a"), id="only its scheme"),
        pytest.param("<item><title>Nameless</title></item>", id="nothing"),
        pytest.param(item(2) + item(3, guid="guid 2"), id="a twin of its own"),
    ],
)
def test_a_newcomer_that_may_be_another_item_sends_all_to_the_parser(
    newcomer: str,
) -> None:
    known = [item(1), item(9, guid="https://paper.example/a")]
    assert_read_in_full(rss(newcomer, *known), remember(rss(*known)))


@pytest.mark.parametrize(
    "changed",
    [
        {"body_sha256": None},
        {"body_sha256": "0" * 64},
        {"key_mode": KeyMode.LINK},
        {"key_mode": KeyMode.CONTENT},
        {"key_mode": None},
    ],
    ids=str,
)
def test_marks_count_only_with_the_cursor_they_were_made_with(changed: Any) -> None:
    before = remember(rss(item(1)))
    assert_read_in_full(rss(item(2), item(1)), replace(before, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"feed_url": "https://paper.example/other"},
        {"base_url": "https://moved.example/feed"},
        {"source": "Another Paper"},
    ],
    ids=str,
)
def test_marks_count_only_for_the_same_address(changed: Any) -> None:
    before = remember(rss(item(1)))
    origin = replace(ORIGIN, **changed)
    assert read(rss(item(2), item(1)), before, origin=origin).n_known == 0


@pytest.mark.parametrize("name", ["VERSION", "_PARSER", "EXTRACTOR"])
def test_marks_of_another_version_do_not_count(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = remember(rss(item(1)))
    monkeypatch.setattr(incremental, name, "other")
    assert read(rss(item(2), item(1)), before).n_known == 0


@pytest.mark.parametrize(
    "channel",
    [
        '<channel xmlns:content="http://purl.org/rss/1.0/modules/content/">',
        '<channel xml:base="https://b.example/">',
        '<channel xml:lang="de">',
    ],
)
def test_another_frame_around_the_items_sends_all_to_the_parser(channel: str) -> None:
    before = remember(rss(item(1), item(2)))
    assert_read_in_full(rss(item(3), item(1), item(2), channel=channel), before)


@pytest.mark.parametrize("n_bytes", [1, 8, 12, 31])
def test_marks_that_are_cut_off_do_no_harm(n_bytes: int) -> None:
    before = remember(rss(item(1)))
    damaged = replace(before, marks=before.marks[:n_bytes])
    got = read(rss(item(2), item(1)), damaged)
    assert [one.key for one in got.entries] == ["guid 2", "guid 1"]


def test_more_items_than_wanted_leave_no_marks() -> None:
    assert read(rss(*map(item, range(5))), max_items=4).marks == b""
    many = rss(*map(item, range(MAX_ITEMS + 1)))
    assert split_items(many, max_items=MAX_ITEMS) is None


def test_marks_take_twenty_bytes_an_item() -> None:
    assert len(remember(rss(*map(item, range(50)))).marks) == 8 + NAME_BYTES + 50 * 20


def test_a_hostile_newcomer_is_refused_as_in_the_whole_document() -> None:
    hostile = f"<item><guid>2</guid><author>{'a@' + 'a.' * 9_000}</author></item>"
    after = rss(hostile, item(1))
    with pytest.raises(FeedRefusedError, match="author"):
        read(after, remember(rss(item(1))))


# Children of items in all the ways that feeds write them; which may be in a document
# side by side, and some of which are unusual.
WORDS = st.sampled_from(["Rain", "Tram & bus", "Ätna", "]]", "<b>No</b>", "", "  x "])
GUIDS = st.integers(0, 5).map("guid {}".format) | st.integers(0, 5).map(
    "https://{}.example/a/".format
)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', '')}]]>"


def _child(name: str) -> st.SearchStrategy[str]:
    text = WORDS.map(_escaped) | WORDS.map(_in_cdata)
    return text.map(lambda value: f"<{name}>{value}</{name}>")


CHILDREN = st.lists(
    st.one_of(
        *map(_child, ("title", "description", "content:encoded", "author", "pubDate")),
        *map(_child, ("dc:creator", "category", "summary", "guid", "media:title")),
        st.sampled_from(
            [
                "<source url='https://s.example/'>S</source>",
                "<media:group><media:description>Caption</media:description></media:group>",
                "<enclosure url='https://paper.example/a.mp3' length='1' type='a/b'/>",
                "<image><url>https://paper.example/i.png</url></image>",
                "<!-- <item> -->",
                "<pubDate>Wed, 04 Mar 2026 10:00:00 GMT</pubDate>",
                "<content><x/></content>",
                "<unknown a='1'/>",
                "<link>https://paper.example/shared</link>",
                "<description xml:lang='de'>Regen</description>",
            ]
        ),
    ),
    max_size=5,
)


@st.composite
def items(draw: st.DrawFn) -> str:
    own = draw(st.integers(0, 10**6))
    guid = draw(st.none() | st.just(f"own {own}") | st.just(f"own {own}") | GUIDS)
    link = draw(st.none() | st.just(f"https://paper.example/{own}") | GUIDS)
    parts = draw(CHILDREN)
    parts += [f"<guid isPermaLink='false'>{guid}</guid>"] if guid else []
    parts += [f"<link>{link}</link>"] if link else []
    return f"<item>{''.join(draw(st.permutations(parts)))}</item>"


@st.composite
def polls(draw: st.DrawFn) -> tuple[str, str]:
    """Return a document, and one of later in which some items are as they were."""
    kept = draw(st.lists(items(), min_size=1, max_size=6))
    gone, came = (draw(st.lists(items(), max_size=3)) for _ in range(2))
    gaps = draw(st.sampled_from(["", "\n", "<!-- x -->", "<docs>d</docs>"]))
    media = 'xmlns:media="http://search.yahoo.com/mrss/"'
    content = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    channel = f"<channel {media} {content}>"
    before = rss(*[one + gaps for one in draw(st.permutations(kept + gone))])
    after = rss(*[one + gaps for one in draw(st.permutations(kept + came))])
    return (
        before.replace("<channel>", channel),
        after.replace("<channel>", channel),
    )


@settings(max_examples=150, deadline=None)
@given(polls())
def test_a_reading_in_part_invents_and_misses_nothing(
    documents: tuple[str, str],
) -> None:
    first, second = documents
    before = remember(first)
    got = read(second, before)
    full = read(second, replace(before, marks=b""))
    assert got.n_known + len(got.entries) == len(full.entries)
    assert got.key_mode == full.key_mode
    rest = [one for one in full.entries if one in got.entries]
    assert rest == list(got.entries)
    # What was left out had been found by the last poll, with the text it has now: all
    # that the store compares.
    left_out = [one for one in full.entries if one not in got.entries]
    stored = {one.key: content_of(one) for one in read(first).entries}
    for one in left_out:
        assert stored[one.key] == content_of(one)
    # And the next poll knows as much as if this one had read it all.
    assert records(got) == records(full)
