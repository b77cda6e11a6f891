"""Each feed format says the same things in its own words."""

from pathlib import Path

import pytest

from ingest.feeds import parse_feed
from ingest.items import Item, Markup, ParsedFeed
from ingest.messages import Enclosure, PollOutcome
from ingest.opening import find_shut
from ingest.preflight import FeedRefusedError

NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
)
PERIOD = "<sy:updatePeriod>daily</sy:updatePeriod>"


def rss(inside: str) -> bytes:
    return f'<rss version="2.0" {NAMESPACES}><channel>{inside}</channel></rss>'.encode()


def atom(inside: str) -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{inside}</feed>'.encode()


def parsed(body: bytes, *, max_items: int = 100) -> ParsedFeed:
    return parse_feed(body, max_items=max_items)


def item(inside: str) -> Item:
    return parsed(rss(f"<item>{inside}</item>")).items[0]


def test_an_rss_feed_is_read() -> None:
    feed = parsed(
        rss(
            "<title>The &lt;b&gt;Paper&lt;/b&gt;</title><link>http://paper.example/</link>"
            "<language>en-GB</language><item><guid>1</guid><title>First</title>"
            "<link>/a?b=1&amp;c=2</link><description>Short.</description>"
            "<content:encoded><![CDATA[<p>Long &amp; full.</p>]]></content:encoded>"
            "<pubDate>Wed, 04 Mar 2026 10:00:00 GMT</pubDate>"
            "<dc:creator>Ann Lee</dc:creator></item>"
        )
    )
    assert (feed.format, feed.title, feed.language) == ("rss20", "The Paper", "en-GB")
    assert feed.site_url == "http://paper.example/"
    (entry,) = feed.items
    assert (entry.guid, entry.link, entry.authors) == ("1", "/a?b=1&c=2", ("Ann Lee",))
    assert entry.title == Markup(value="First", is_html=False)
    assert entry.summary == Markup(value="Short.", is_html=True)
    assert entry.content == Markup(value="<p>Long &amp; full.</p>", is_html=True)
    assert [date.raw for date in entry.dates] == ["Wed, 04 Mar 2026 10:00:00 GMT"]


def test_an_atom_feed_is_read() -> None:
    feed = parsed(
        atom(
            "<title>Paper</title><entry xml:lang='de'><id>tag:paper.example,2026:1</id>"
            "<title type='html'>A &amp;amp; B</title>"
            "<link rel='alternate' href='http://paper.example/1'/>"
            "<author><name>Ann Lee</name></author><author><name>Bo Kim</name></author>"
            "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Text</p>"
            "</div></content><updated>2026-03-04T10:00:00Z</updated></entry>"
        )
    )
    (entry,) = feed.items
    assert feed.format == "atom10"
    assert entry.guid == "tag:paper.example,2026:1"
    assert entry.title == Markup(value="A &amp; B", is_html=True)
    assert entry.authors == ("Ann Lee", "Bo Kim")
    assert entry.content == Markup(value="<p>Text</p>", is_html=True)
    assert (entry.language, entry.dates[0].origin) == ("de", "updated")


def test_rss_10_and_11_and_cdf_are_read() -> None:
    rdf = (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        b'xmlns="http://purl.org/rss/1.0/"><item rdf:about="u"><title>a</title></item>'
        b"</rdf:RDF>"
    )
    rss11 = (
        b'<Channel xmlns="http://purl.org/net/rss1.1#"><items><item><title>a</title>'
        b"</item></items></Channel>"
    )
    cdf = b'<CHANNEL><ITEM HREF="http://x/1"><TITLE>a</TITLE></ITEM></CHANNEL>'
    feeds = [parsed(body) for body in (rdf, rss11, cdf)]
    assert [feed.format for feed in feeds] == ["rss10", "rss11", "cdf"]
    assert [len(feed.items) for feed in feeds] == [1, 1, 1]


def test_the_date_of_publication_comes_before_all_others() -> None:
    dates = item("<dc:date>2026-01-02</dc:date><pubDate>2026-01-01</pubDate>").dates
    assert [date.origin for date in dates] == ["published", "date"]


def test_the_page_behind_a_proxy_of_links_is_the_link() -> None:
    entry = item(
        "<link>http://proxy.example/1</link>"
        "<feedburner:origLink>http://paper.example/1</feedburner:origLink>"
    )
    assert entry.link == "http://paper.example/1"


def test_a_page_in_another_format_is_still_the_page() -> None:
    pdf = "<link rel='alternate' type='application/pdf' href='http://x.example/1'/>"
    related = "<link rel='related' href='http://x.example/2'/>"
    feed = parsed(atom(f"<entry>{related}{pdf}</entry><entry>{related}</entry>"))
    assert [entry.link for entry in feed.items] == ["http://x.example/1", None]


def test_a_permanent_guid_is_the_link_where_there_is_none() -> None:
    assert item("<guid>http://paper.example/1</guid>").link == "http://paper.example/1"
    assert item('<guid isPermaLink="false">http://a.example/1</guid>').link is None


def test_a_guid_is_never_resolved_against_the_feed() -> None:
    assert item("<guid>  abc 1 </guid>").guid == "abc 1"


def test_an_address_is_no_author() -> None:
    entry = item(
        "<author>desk@paper.example (Ann Lee)</author>"
        "<dc:creator>desk@paper.example</dc:creator><dc:creator>Ann Lee</dc:creator>"
    )
    assert entry.authors == ("Ann Lee",)
    assert item("<author>desk@paper.example</author>").authors == ()
    assert item("<author>desk@paper.info (Bo)</author>").authors == ("Bo",)
    assert item("<author>d@paper.agency (Ann Lee)</author>").authors == ("Ann Lee",)


def test_a_picture_is_no_content() -> None:
    entry = parsed(
        atom("<entry><content type='image/png'>aGVsbG8=</content></entry>")
    ).items[0]
    assert entry.content is None


@pytest.mark.parametrize(
    ("inside", "seconds"),
    [
        ("<ttl>60</ttl>", 3600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", 3600),
        (f"{PERIOD}<sy:updateFrequency>4</sy:updateFrequency>", 6 * 3600),
        ("<ttl>90</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 5400),
        ("<ttl>soon</ttl><sy:updatePeriod>often</sy:updatePeriod>", None),
        ("<ttl>99999999999999999999</ttl>", None),
        ("<sy:updateFrequency>0</sy:updateFrequency>", None),
    ],
)
def test_the_publisher_may_ask_to_be_left_alone(inside: str, seconds: int) -> None:
    assert parsed(rss(inside)).min_interval_seconds == seconds


@pytest.mark.parametrize(
    ("inside", "shut"),
    [
        (
            """<skipHours><hour>3</hour><hour> 24 </hour><hour>3</hour></skipHours>
            <skipDays><day>Sunday</day><day>saturday</day></skipDays>""",
            ((0, 3), (5, 6)),
        ),
        ("<skipHours><hour>1</hour><junk/><hour>77</hour></skipHours>", ((1,), ())),
        ("<skipDays><day>Someday</day></skipDays>", ((), ())),
        ("<skipHours><hour>3</hour>", ((), ())),
        ("", ((), ())),
    ],
)
def test_hours_and_days_to_skip_are_those_the_publisher_names(
    inside: str, shut: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    assert find_shut(rss(inside).decode()) == shut


def test_a_parsed_feed_says_when_it_is_shut() -> None:
    inside = "<skipHours><hour>3</hour><hour>4</hour></skipHours>"
    assert parsed(rss(inside)).shut.hours == (3, 4)


def test_a_feed_that_breaks_off_gives_its_whole_items() -> None:
    body = rss("<item><title>a</title></item><item><title>b</title></item>")
    feed = parsed(body[:-40])
    assert [entry.title.value for entry in feed.items if entry.title] == ["a"]
    assert (feed.partial, feed.error) == (True, "it broke off before its end")


def test_a_long_feed_gives_its_first_items() -> None:
    feed = parsed(rss("<item><title>a</title></item>" * 5), max_items=3)
    assert (len(feed.items), feed.partial) == (3, False)
    assert feed.error == "only the first 3 of its items were read"


def test_a_feed_that_is_not_well_formed_is_read_all_the_same() -> None:
    feed = parsed(
        rss("<item><title>Q&A <br> more</title><link>http://x/1</link></item>")
    )
    assert (feed.format, len(feed.items), feed.partial) == ("rss20", 1, False)


@pytest.mark.parametrize("body", [b"", b"  \n", b"\xef\xbb\xbf", b"\0\0"])
def test_nothing_is_no_feed(body: bytes) -> None:
    with pytest.raises(FeedRefusedError, match="it is empty"):
        parsed(body)


def test_an_empty_rdf_is_a_feed_without_items() -> None:
    feed = parsed(b"<RDF/>")
    assert (feed.format, feed.items, feed.partial) == ("rss", (), False)


def test_a_document_on_which_the_parser_fails_is_hostile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("boom")

    monkeypatch.setattr("feedparser.parse", fail)
    with pytest.raises(FeedRefusedError, match="parser failed on it: Key") as caught:
        parsed(rss(""))
    assert caught.value.outcome is PollOutcome.HOSTILE


def test_a_date_that_only_the_parser_can_read_is_read() -> None:
    (date,) = item("<pubDate>2004-07-08 10:30:00</pubDate>").dates
    assert date.parsed is not None
    (date,) = item("<pubDate>one of these days</pubDate>").dates
    assert date.parsed is None


def test_other_xml_is_no_feed() -> None:
    with pytest.raises(FeedRefusedError, match="<note> is of no feed") as caught:
        parsed(b"<note><to>x</to></note>")
    assert caught.value.outcome is PollOutcome.NOT_A_FEED


def test_a_body_is_never_taken_for_the_name_of_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(rss("<item><title>secret</title></item>"))
    with pytest.raises(FeedRefusedError):
        parsed(str(secret).encode())


def test_characters_that_no_database_takes_do_not_arrive() -> None:
    entry = parsed(rss("<item><title>a&#0;b\0c&#xD800;</title></item>")).items[0]
    assert entry.title is not None
    assert entry.title.value == "a\ufffdbc\ufffd"


def test_categories_and_files_are_read_in_every_format() -> None:
    entry = item(
        "<category>Sport</category><dc:subject>Towns</dc:subject>"
        "<enclosure url='http://x.example/a.mp3' length='12' type='audio/mpeg'/>"
        "<media:content url='http://x.example/i.jpg' type='image/jpeg' fileSize='x'/>"
    )
    assert entry.categories == ("Sport", "Towns")
    assert entry.enclosures == (
        Enclosure(url="http://x.example/a.mp3", media_type="audio/mpeg", n_bytes=12),
        Enclosure(url="http://x.example/i.jpg", media_type="image/jpeg"),
    )
    link = "<link rel='enclosure' href='http://x.example/v' length='0'/>"
    label = "<category term='t1' label='Towns'/><category term='t2'/>"
    (entry,) = parsed(atom(f"<entry>{link}{label}</entry>")).items
    assert entry.categories == ("Towns", "t2")
    assert entry.enclosures == (Enclosure(url="http://x.example/v"),)


def test_a_page_with_another_address_in_an_attribute_is_still_the_page() -> None:
    link = '<link uri="at://did:plc:x/post/1">http://paper.example/1</link>'
    assert item(link).link == "http://paper.example/1"


def test_content_alone_is_no_summary() -> None:
    (entry,) = parsed(atom("<entry><content>Full.</content></entry>")).items
    assert entry.content == Markup(value="Full.", is_html=False)
    assert entry.summary is None
