"""A document split around what is known is split as one that is read in full."""

from collections.abc import Collection

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from ingest import splitter
from ingest.splitter import Split, encode, guess_items, split_items, split_known

MAX_ITEMS = 8
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
MEDIA = 'xmlns:m="http://search.yahoo.com/mrss/"'
OTHER = 'xmlns:m="urn:other"'
ONE, TWO = "<item><title>One</title></item>", "<item a='2'>\n<m:two/></item>"
NEW = "<item><title>New</title><link>l</link></item>"


def rss(*items: str, head: str = "", declared: str = OTHER) -> str:
    body = head + "".join(items)
    return f"<rss {declared}><channel><title>T</title>{body}</channel></rss>"


def split_around(text: str, known: Collection[str]) -> Split | None:
    """Split a text as if these pieces of it were items of an earlier document."""
    data = encode(text)
    spans = guess_items(data, max_items=MAX_ITEMS)
    pieces = [data[start:end].decode() for start, end in spans]
    places = [place for place, piece in enumerate(pieces) if piece in known]
    return split_known(data, spans, known=places, max_items=MAX_ITEMS)


def split_in_full(text: str) -> Split | None:
    return split_items(text, max_items=MAX_ITEMS)


@pytest.mark.parametrize(
    "text",
    [
        rss(NEW, ONE, TWO),
        rss(ONE, NEW, "<!-- <x> -->", TWO),
        rss(ONE, TWO),
        rss(ONE, ONE, "\n]]", TWO, "<docs>d</docs>"),
        rss(ONE, head="<items><li/></items><!-- x -->"),
        rss(ONE, head="<y xmlns='urn:y'/>"),
        f"<feed><id>f</id>{ONE.replace('item', 'entry')}</feed>",
        f"<r:RDF xmlns:r='urn:r' {OTHER}><channel/>{TWO}{ONE}</r:RDF>",
    ],
)
def test_what_is_known_is_found_without_a_look_into_it(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    full = split_in_full(text)
    seen: list[bytes] = []

    class Spy(splitter._Scan):
        def run(self) -> None:
            seen.append(self.data)
            super().run()

    monkeypatch.setattr(splitter, "_Scan", Spy)
    known = (ONE, TWO, ONE.replace("item", "entry"))
    assert split_around(text, known) == full
    assert full is not None
    assert b"One" not in seen[0]
    assert b"m:two" not in seen[0]


@pytest.mark.parametrize(
    "text",
    [
        rss(NEW, f"<!-- {ONE} -->"),
        rss(NEW, f"<docs><![CDATA[{ONE}]]></docs>"),
        rss(NEW, f"<?p {ONE} ?>"),
        rss(NEW, f"<docs>{ONE}</docs>"),
        rss(f"<item><title>x</title>{ONE}</item>"),
        rss(NEW, head=f"<image>{ONE}</image>"),
        rss(NEW, f'<docs a="{ONE.replace("<", "&lt;")}"/>', ONE, "</item>"),
        rss("<item><title>", ONE),
        rss("<item><![CDATA[</item>", ONE, "]]></item>"),
        rss("<item><!-- </item>", ONE, "--><title/></item>"),
        rss("<item><title a='</item>", ONE, "'/></item>"),
        rss("<item>x</item >", ONE),
        rss("<item/>", ONE),
        rss("<ITEM>x</ITEM>", ONE),
        rss("<m:item>x</m:item>", ONE),
        rss("<item>x & y</item>", ONE),
        rss("<entry>x</entry>", ONE),
        rss(ONE) + ONE,
        ONE + rss(ONE),
        ONE,
        "<!DOCTYPE rss>" + rss(ONE),
        rss("<x>", ONE, "</x>", ONE),
        rss(*[ONE] * (MAX_ITEMS + 1)),
        rss(ONE, f"<docs {MEDIA}/>"),
        rss(ONE)[:-3],
    ],
)
def test_what_is_known_counts_only_where_an_item_can_stand(text: str) -> None:
    got = split_around(text, (ONE, TWO))
    assert got is None or got == split_in_full(text)


def test_an_item_with_a_pretended_end_is_still_found_by_reading_it_all() -> None:
    trick = "<item><title><![CDATA[</item><item>]]></title></item>"
    text = rss(trick, ONE)
    assert split_around(text, (ONE, trick)) is None
    full = split_in_full(text)
    assert full is not None
    assert full.pieces() == [trick.encode(), ONE.encode()]


def test_more_elements_than_are_read_are_not_hidden_by_what_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(splitter, "MAX_ELEMENTS", 15)
    assert split_around(rss(ONE, ONE), (ONE,)) is not None
    assert split_around(rss(ONE, ONE, ONE), (ONE,)) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rss(ONE, declared=OTHER), rss(ONE, declared=MEDIA)),
        (rss(ONE, head=f"<x {MEDIA}/>"), rss(ONE, head=f"<x {OTHER}/>")),
        (
            f"<rss {OTHER}><channel {MEDIA}><x/>{ONE}</channel></rss>",
            f"<rss {OTHER}><channel><x {MEDIA}/>{ONE}</channel></rss>",
        ),
        (
            f"<rss><x {MEDIA}/><channel {OTHER}>{ONE}</channel></rss>",
            f"<rss {MEDIA}><x {OTHER}/><channel>{ONE}</channel></rss>",
        ),
    ],
)
def test_where_a_prefix_may_mean_something_else_the_frame_is_another(
    one: str, other: str
) -> None:
    splits = split_in_full(one), split_in_full(other)
    assert splits[0] is not None
    assert splits[1] is not None
    assert splits[0].frame != splits[1].frame


USUAL = st.sampled_from(
    [
        *("<title>t</title>", "words", "<a b='>'/>", "<!-- <x> -->", "<?p ?>", "&amp;"),
        *("<m:group><m:title>t</m:title></m:group>", "<title><![CDATA[<x>]]></title>"),
        f"<div {XHTML}><p>p</p></div>",
    ]
).map("<item>{}</item>".format)
# What could make text look like an item, or an item like text.
ODD = st.sampled_from(
    [
        *("<item><![CDATA[</item><item>]]></item>", "<item><!-- </item> --></item>"),
        *("<item><a b='</item>'/></item>", "<item>x</item >", "<item\n>x</item>"),
        *("<item/>", "<ITEM>x</ITEM>", "<m:item>x</m:item>", "<entry>x</entry>"),
        *("<item>x & y</item>", "<item><item>x</item></item>", "<item>", "</item>"),
        *("<item><summary><b>b</b></summary></item>", "<docs>d</docs>", "]]", ">"),
        *("<item><title xml:lang='de'>t</title></item>", "<y xmlns:m='urn:y'/>"),
        *("<!--", "-->", "<![CDATA[", "]]>", "<?p ", "?>", "<x>", "</x>", "<x a='"),
        *("'/>", "<", "<item><title>", "</title></item>", f"<y {MEDIA}>", "</y>"),
    ]
)
FRAMES = st.sampled_from(
    [
        *[f"<rss {OTHER}><channel>@</channel></rss>"] * 4,
        f"<rss {MEDIA}><channel>@</channel></rss>",
        f"<rss {OTHER}><channel {MEDIA}><x/>@</channel></rss>",
        f"<rss {OTHER}><channel><x {MEDIA}/>@</channel></rss>",
        f"<rss xmlns='urn:z' {MEDIA}><channel>@</channel></rss>",
        f"<r:RDF xmlns:r='urn:r' {OTHER}>@</r:RDF>",
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[str], str]:
    """Return a frame, items that are known in it, and a later document."""
    frame = draw(FRAMES)
    pool = draw(st.lists(USUAL, min_size=1, max_size=3))
    parts = [st.sampled_from(pool)] * 3 + [USUAL, ODD]
    after = draw(st.lists(st.one_of(parts), min_size=1, max_size=5))
    return frame, pool, draw(st.just(frame) | FRAMES).replace("@", "".join(after))


@settings(max_examples=600, deadline=None)
@given(documents())
def test_a_split_around_what_is_known_is_the_split_in_full(
    documents: tuple[str, list[str], str],
) -> None:
    frame, pool, after = documents
    before = [split_in_full(frame.replace("@", piece)) for piece in pool]
    known = {split.pieces()[0].decode() for split in before if split and split.spans}
    got = split_around(after, known)
    if got is not None and got.frame in {split.frame for split in before if split}:
        assert got == split_in_full(after)
        event("split")
