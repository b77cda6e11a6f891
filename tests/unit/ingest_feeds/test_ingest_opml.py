"""Lists of feeds come from and go to other readers without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.opml import OpmlError, Subscription, read_opml, write_opml
from ingest.pagewords import PagePolicy
from ingest.text import collapse

A = "https://a.example/feed?x=1&y=2"
B = "https://b.example/feed"


def opml(body: str) -> bytes:
    return (
        f'<?xml version="1.0"?><opml version="2.0"><body>{body}</body></opml>'.encode()
    )


def test_folders_and_categories_become_tags() -> None:
    outline = read_opml(
        opml(
            '<outline text="News"><outline title="World">'
            f'<outline type="rss" text="A" xmlUrl="{A.replace("&", "&amp;")}"'
            ' category="/Press/Daily,,fast"/>'
            "</outline></outline>"
            f'<OUTLINE TEXT="B" xmlurl=" {B} "/>'
        )
    )
    assert outline.subscriptions == (
        Subscription(url=A, title="A", tags=("News", "World", "Daily", "fast")),
        Subscription(url=B, title="B"),
    )


def test_a_feed_in_two_folders_comes_once_with_both_tags() -> None:
    feed = f'<outline text="B" xmlUrl="{B}"/>'
    outline = read_opml(
        opml(f'<outline text="x">{feed}</outline><outline text="y">{feed}</outline>')
    )
    assert outline.subscriptions == (Subscription(url=B, title="B", tags=("x", "y")),)


def test_a_bare_ampersand_and_a_name_of_html_are_forgiven() -> None:
    outline = read_opml(opml(f'<outline text="Caf&eacute; &amp; Bar" xmlUrl="{A}"/>'))
    assert outline.subscriptions == (Subscription(url=A, title="Café & Bar"),)


def test_what_is_not_on_the_web_is_told() -> None:
    lines = (
        '<outline text="x" xmlUrl="file:///etc/passwd"/>',
        '<outline text="News"/>',
        '<outline type="rss" text="Nameless"/>',
        f'<outline type="include" url="{B}"/>',
    )
    outline = read_opml(b"\n\n" + opml("\n".join(lines)))
    assert outline.subscriptions == ()
    assert [(one.line, one.text) for one in outline.skipped] == [
        (3, "file:///etc/passwd"),
        (5, "Nameless"),
        (6, B),
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed"),
        (b"<opml><body>", "malformed in line 1"),
        (b"<rss/>", "this is no OPML"),
        (b'<!DOCTYPE o [<!ENTITY a "b">]><opml/>', "declares entities"),
        (b'<!DOCTYPE o [<!ENTITY a SYSTEM "file:///x">]><opml/>', "declares entities"),
        (opml('<outline text="x">' * 65 + "</outline>" * 65), "nested"),
        (b" " * 10_000_001, "over 10000000 bytes"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(body: bytes, reason: str) -> None:
    with pytest.raises(OpmlError, match=reason):
        read_opml(body)


words = st.text(max_size=30).map(collapse)
tags = words.map(lambda it: it.replace(",", " ").replace("/", " ")).map(collapse)


@given(
    st.lists(
        st.builds(
            Subscription,
            url=st.integers(0, 10**6).map(
                lambda n: f"https://a.example/{n}?a=1&b=<{n}>"
            ),
            title=words.filter(bool),
            tags=st.lists(tags.filter(bool), unique=True, max_size=3).map(tuple),
            pages=st.sampled_from([None, *PagePolicy]),
        ),
        unique_by=lambda it: it.url,
        max_size=5,
    )
)
def test_what_is_written_is_read_back(subscriptions: list[Subscription]) -> None:
    written = write_opml(subscriptions, title="My feeds")
    assert read_opml(written).subscriptions == tuple(subscriptions)


def test_a_written_list_is_opml_2() -> None:
    written = write_opml([Subscription(url=B)], title="My feeds").decode()
    assert written.startswith("<?xml version='1.0' encoding='utf-8'?>\n<opml version")
    assert f'<outline type="rss" text="{B}" title="{B}" xmlUrl="{B}" />' in written
