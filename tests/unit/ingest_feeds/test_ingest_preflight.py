"""The pre-flight passes feeds on whole, and refuses what would hold the parser up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.messages import PollOutcome
from ingest.preflight import Checked, FeedRefusedError, check

ITEM = "<item><title>a</title></item>"


def rss(inside: str) -> str:
    return f'<rss version="2.0"><channel>{inside}</channel></rss>'


def refused(text: str) -> FeedRefusedError:
    with pytest.raises(FeedRefusedError) as caught:
        check(text, max_items=100)
    return caught.value


def passed(text: str, *, max_items: int = 100) -> Checked:
    return check(text, max_items=max_items)


def test_a_feed_passes_unchanged() -> None:
    text = rss(ITEM * 2)
    checked = passed(text)
    assert (checked.text, checked.root, checked.n_items) == (text, "rss", 2)
    assert checked.complete
    assert not checked.last_item_open
    assert not checked.cut


def test_what_surrounds_the_root_is_left_out() -> None:
    text = rss(ITEM)
    around = f"\n<?xml-stylesheet?>\n<!DOCTYPE rss>\n<!-- x -->{text}<script>1</script>"
    assert passed(around).text == text


def test_comments_and_instructions_are_left_out_but_not_from_cdata() -> None:
    inside = "<a>1<!-- <item> -->2<?php <item> ?>3</a><b><![CDATA[<!-- c -->]]></b>"
    checked = passed(rss(inside))
    assert checked.text == rss("<a>123</a><b><![CDATA[<!-- c -->]]></b>")
    assert checked.n_items == 0


def test_a_feed_is_cut_after_the_last_wanted_item() -> None:
    checked = passed(rss(ITEM * 5), max_items=2)
    assert checked.text == rss(ITEM * 2)
    assert (checked.n_items, checked.cut, checked.complete) == (2, True, True)


def test_a_cut_closes_every_folder_around_the_items() -> None:
    text = "<rdf:RDF><channel/><items>" + ITEM * 3 + "</items></rdf:RDF>"
    checked = passed(text, max_items=1)
    assert checked.text == f"<rdf:RDF><channel/><items>{ITEM}</items></rdf:RDF>"


def test_a_break_inside_an_item_is_told_from_one_between_items() -> None:
    inside = passed('<rss version="2.0"><channel>' + ITEM + "<item><title>b")
    between = passed('<rss version="2.0"><channel>' + ITEM)
    assert (inside.complete, inside.last_item_open) == (False, True)
    assert (between.complete, between.last_item_open) == (False, False)


def test_a_break_inside_cdata_is_a_break() -> None:
    checked = passed('<rss version="2.0"><channel><item><description><![CDATA[<p>a')
    assert (checked.complete, checked.last_item_open) == (False, True)


def test_html_that_is_not_closed_is_no_break() -> None:
    checked = passed(rss("<item><description>a<br>b<p>c</description></item>"))
    assert (checked.complete, checked.last_item_open) == (True, False)


def test_items_that_are_never_closed_do_not_nest() -> None:
    assert passed(rss("<item><title>a</title>" * 300), max_items=400).n_items == 300


def test_a_picture_caption_does_not_become_the_text() -> None:
    caption = "<media:description>A caption</media:description>"
    item = f"<item>{{}}<media:content>{caption}</media:content></item>"
    told = item.format("<description>News</description>")
    assert caption not in passed(rss(told)).text
    assert caption in passed(rss(item.format("<description></description>"))).text
    assert caption in passed(rss(item.format(""))).text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<!DOCTYPE html><html><body>x", "a web page"),
        ("<HTML>", "a web page"),
        ("<opml version='2.0'><body/></opml>", "a list of feeds"),
        ("<urlset></urlset>", "a sitemap"),
        ("just words", "no XML element"),
        ("<", "no XML element"),
        ("", "no XML element"),
    ],
)
def test_another_document_is_called_by_its_name(text: str, what: str) -> None:
    error = refused(text)
    assert error.outcome is PollOutcome.NOT_A_FEED
    assert what in error.reason


HOSTILE = {
    "attributes": (rss("<a " + 'b="1" ' * 257 + "/>"), "attributes"),
    "bare attributes": (rss("<a " + "b=1 " * 257 + "/>"), "attributes"),
    "words in a tag": (rss("<a " + "b " * 257 + "/>"), "attributes"),
    "nesting": ("<rss>" + "<a>" * 256, "nested"),
    "entities": ('<!DOCTYPE a [<!ENTITY b "c">]>' + rss(ITEM), "entities"),
    "files": ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///x">]>' + rss(ITEM), "entities"),
    "namespaces": (
        rss("".join(f'<a xmlns:b{n}="c"/>' for n in range(257))),
        "namespaces",
    ),
    "an author": (rss(f"<author>{'a' * 8193}</author>"), "author"),
    "authors": (rss(f"<dc:creator>{'a' * 4096}</dc:creator>" * 5), "author"),
    "an author in pieces": (
        rss(f"<author>{('a' * 100 + '<author/>') * 90}</author>"),
        "author",
    ),
    "categories": (rss(f"<item>{'<category>a</category>' * 7000}"), "categories"),
    "keywords": (rss(f"<item><keywords>{'a,' * 7000}</keywords>"), "categories"),
    "tags": (rss("<a></a>" * 150_001), "tags"),
    "openings": (rss("<" * 100_001), "tags that are none"),
    "ampersands": (rss("&" * 500_001), "ampersands"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_hold_the_parser_up_is_refused(name: str) -> None:
    text, reason = HOSTILE[name]
    error = refused(text)
    assert error.outcome is PollOutcome.HOSTILE
    assert reason in error.reason


@pytest.mark.parametrize(
    "text",
    [
        rss(f"<a b='{'=' * 500}'/>"),  # a signed address, not 500 attributes
        rss(f"<item><author>{'a' * 1000}</author></item>" * 20),
        rss("<item>" + "<category>a</category>" * 30 + "</item>"),
        "<!DOCTYPE r [<!ENTITY % x PUBLIC 'a' 'b'>]>" + rss(ITEM),
        rss("<item>" + "&amp;" * 500_001 + "</item>"),
        rss("</author></category><item><author><author>a</author></author></item>"),
        "<rss/>",
        "<rss/><a/>",
        "<rss></rss><a></a>",
    ],
)
def test_what_is_merely_unusual_passes(text: str) -> None:
    assert passed(text).complete


def test_a_tag_hidden_behind_a_broken_one_is_still_seen() -> None:
    hidden = f"<author>{'a' * 9000}</author>"
    assert "author" in refused(rss(f"<a b='<!-- '>{hidden}<!-- -->")).reason


@given(st.text(alphabet="<>/!-[]?\"'= &;abitem\n", max_size=200))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        checked = check(f"<rss>{text}", max_items=3)
    except FeedRefusedError:
        return
    assert checked.n_items <= 3


@given(
    st.lists(st.text(alphabet="ab<>&\"'", max_size=20), max_size=8), st.integers(1, 9)
)
def test_items_are_counted_and_cut_exactly(texts: list[str], max_items: int) -> None:
    items = [f"<item><title><![CDATA[{text}]]></title></item>" for text in texts]
    checked = check(rss("".join(items)), max_items=max_items)
    assert checked.text == rss("".join(items[:max_items]))
    assert checked.cut == (len(items) > max_items)
