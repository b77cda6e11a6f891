import json

import pytest
from selectolax.lexbor import LexborHTMLParser
from support.costly import PAGES

from ingest.messages import REVIEW_BELOW, FileOutcome
from ingest.pageheads import PageHead, read_head
from ingest.phrases import Kind
from ingest.readers.html import HtmlReader
from ingest.readers.reader import Piece, UnreadableContentError

TITLE = "Council votes to reopen the old harbour bridge"
BODY = [
    "The council voted on Tuesday evening to reopen the old harbour bridge to cars.",
    "“We have waited long enough,” said the mayor, who had campaigned for the bridge.",
    "Engineers expect the work to cost four million pounds and to last until spring.",
    "Ferries will carry passengers across the harbour until the new deck is in place.",
    "The last car crossed the bridge nine years ago, when rust was found in its piers.",
]
MENU = "<nav><ul><li><a href=/>Home</a><li><a href=/w>World</a></ul></nav>"
FOOT = "<footer><p>© 2026 The Gazette. All rights reserved.</p></footer>"


def paragraphs(lines: list[str]) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


def page(inside: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body>{inside}</body></html>"


def pieces(html: str) -> list[Piece]:
    return list(HtmlReader().read(html.encode()))


def read(html: str) -> Piece:
    (piece,) = pieces(html)
    return piece


def head_of(head: str, body: str = "") -> PageHead:
    return read_head(LexborHTMLParser(page(body, head)))


def ld(content: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(content)}</script>'


# What a page says of itself


FACTS = {"headline": TITLE, "author": [{"name": "Jane Roe"}]}


@pytest.mark.parametrize(
    "content",
    [
        {"@type": "NewsArticle", **FACTS},
        [{"@type": "WebSite", "name": "The Gazette"}, {"@type": "Article", **FACTS}],
        {"@graph": [{"@type": "Person"}, {"@type": ["Thing", "BlogPosting"], **FACTS}]},
        {"@type": "WebPage", "mainEntity": {"@type": "Report", **FACTS}},
    ],
)
def test_json_ld_is_found_alone_in_lists_and_in_graphs(content: object) -> None:
    head = head_of(ld(content))
    assert (head.title, head.byline) == (TITLE, "Jane Roe")


def test_a_head_gives_what_its_article_needs() -> None:
    head = head_of(
        f'<meta property="og:title" content="{TITLE} | The Gazette">'
        '<meta property="og:site_name" content="The Gazette">'
        '<meta property="og:url" content="https://gazette.example/2026/bridge">'
        '<link rel="canonical" href="/2026/bridge">'
        + ld(
            {
                "@type": "NewsArticle",
                "author": ["Jane Roe", {"name": "John Doe"}],
                "datePublished": "2026-03-05T18:40:00+01:00",
                "inLanguage": "en-GB",
                "isAccessibleForFree": "False",
            }
        )
    )
    assert head.title == TITLE
    assert head.url == "https://gazette.example/2026/bridge"
    assert head.byline == "Jane Roe, John Doe"
    assert head.language == "en-GB"
    assert head.published is not None
    assert head.published.at is not None
    assert head.published.at.isoformat() == "2026-03-05T17:40:00+00:00"
    assert not head.is_free


@pytest.mark.parametrize(
    ("head", "headline", "title"),
    [
        ("<title>A - B | The Gazette</title>", "A - B", "A - B"),
        ("<title>Bridge reopens</title>", "", "Bridge reopens"),
        ("<title>Bridge - open or shut?</title>", "", "Bridge - open or shut?"),
        ("<title>The Gazette</title>", "Bridge reopens", "Bridge reopens"),
    ],
)
def test_a_title_loses_a_name_that_the_page_gives_its_site(
    head: str, headline: str, title: str
) -> None:
    assert head_of(head, f"<h1>{headline}</h1>" if headline else "").title == title


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="canonical" href="javascript:alert(1)">',
        '<link rel="canonical" href="/relative/to/nothing">',
        '<link rel="canonical" href="http://[broken">',
        '<script type="application/ld+json">{"@type": "NewsArticle", </script>',
        f'<script type="application/ld+json">{"[" * 50_000}</script>',
        ld({"@type": 7, "headline": ["x"], "author": {"name": 3}}),
        ld({"@type": "NewsArticle", "headline": {}, "author": 4, "articleBody": []}),
    ],
)
def test_claims_that_are_none_are_passed_over(head: str) -> None:
    found = head_of(head)
    assert (found.title, found.url, found.byline, found.text) == ("", None, None, "")


# Which lines are the article


def test_every_line_of_a_page_keeps_its_place_and_has_a_kind() -> None:
    html = page(
        f"{MENU}<article><h1>{TITLE}</h1><div>By Jane Roe</div><div>5 March 2026</div>"
        f"{paragraphs(BODY[:2])}<div>Advertisement</div>{paragraphs(BODY[2:])}"
        f"</article>{FOOT}"
    )
    assert read(html).lines == (
        (Kind.NAVIGATION, "Home"),
        (Kind.SECTION, "World"),
        (Kind.TITLE, TITLE),
        (Kind.BYLINE, "By Jane Roe"),
        (Kind.DATELINE, "5 March 2026"),
        *((Kind.BODY, line) for line in BODY[:2]),
        (Kind.ADVERT, "Advertisement"),
        *((Kind.BODY, line) for line in BODY[2:]),
        (Kind.LEGAL, "© 2026 The Gazette. All rights reserved."),
    )


def test_the_text_is_made_of_the_lines_of_kind_body() -> None:
    piece = read(page(f"{MENU}<article>{paragraphs(BODY)}</article>{FOOT}"))
    body = [text for kind, text in piece.lines if kind == Kind.BODY]
    assert piece.text == "\n\n".join(body)


def test_a_text_in_several_boxes_is_found_whole() -> None:
    more = [line.replace("bridge", "lock").replace("The", "This") for line in BODY]
    boxes = "".join(
        f'<div class="chunk"><div class="body">{paragraphs(some)}</div></div>'
        f'<div class="ad"><div>Advertisement</div></div>'
        for some in (BODY, more)
    )
    piece = read(page(f"{MENU}<main><h1>{TITLE}</h1>{boxes}</main>{FOOT}"))
    assert piece.text == "\n\n".join([*BODY, *more])


def test_the_page_may_state_its_text_in_json_ld() -> None:
    facts = {"@type": "NewsArticle", "headline": TITLE, "articleBody": " ".join(BODY)}
    inside = "".join(f"<div>{line}</div>" for line in BODY)
    piece = read(page(f"{MENU}{inside}{FOOT}", ld(facts)))
    assert piece.text == "\n\n".join(BODY)


def test_a_standfirst_above_the_byline_is_no_paragraph() -> None:
    summary = (
        "After nine years of debate the town decides for the dearest of three plans."
    )
    html = page(
        f"<article><h1>{TITLE}</h1><h2>{summary}</h2><div>By Jane Roe</div>"
        f"{paragraphs(BODY)}</article>",
        f'<meta name="description" content="{summary}">',
    )
    assert read(html).text == "\n\n".join(BODY)


def test_a_first_paragraph_that_describes_the_page_is_one() -> None:
    html = page(
        f"<article><h1>{TITLE}</h1><div>By Jane Roe</div>{paragraphs(BODY)}</article>",
        f'<meta name="description" content="{BODY[0]}">',
    )
    assert read(html).text == "\n\n".join(BODY)


def test_links_below_a_text_are_no_part_of_it() -> None:
    links = "".join(
        f'<p><a href="/{n}">Another story of ours that you may want, number {n}</a></p>'
        for n in range(4)
    )
    piece = read(page(f"<article>{paragraphs(BODY)}{links}</article>"))
    assert piece.text == "\n\n".join(BODY)


def test_hidden_words_inside_a_line_are_not_read() -> None:
    hidden = BODY[0].replace("old", 'old<span aria-hidden="true"> icon</span>')
    piece = read(page(f"<article>{paragraphs([hidden, *BODY[1:]])}</article>"))
    assert piece.text == "\n\n".join(BODY)


def test_agreement_makes_a_page_trusted() -> None:
    piece = read(page(f"<article><h1>{TITLE}</h1>{paragraphs(BODY)}</article>"))
    assert piece.confidence > 0.8


# Walls

CONSENT = [
    "We and our partners store and access information on a device, such as cookies.",
    "With your permission we may use precise data and show you personalised ads.",
    "You can accept all cookies, or manage your choices at any time on this page.",
]


def test_a_page_that_asks_for_consent_has_no_article() -> None:
    html = page(f"<h1>We value your privacy</h1>{paragraphs(CONSENT)}")
    with pytest.raises(UnreadableContentError) as refused:
        pieces(html)
    assert refused.value.outcome is FileOutcome.NO_ARTICLE
    assert "consent" in refused.value.reason


def test_an_article_that_asks_for_consent_as_well_is_read() -> None:
    box = f'<div class="banner">{paragraphs(CONSENT)}</div>'
    html = page(f"<article><h1>{TITLE}</h1>{paragraphs(BODY)}</article>{box}")
    assert read(html).text == "\n\n".join(BODY)


@pytest.mark.parametrize(
    "asks",
    [
        "Subscribe to continue reading this article.",
        "Already a subscriber? Log in",
        "Dieser Artikel ist nur für Abonnenten lesbar, und das schon seit gestern.",
        "Cet article réservé aux abonnés depuis hier matin, et pour longtemps encore.",
    ],
)
def test_a_teaser_above_a_pay_wall_is_to_be_reviewed(asks: str) -> None:
    html = page(
        f"<article><h1>{TITLE}</h1>{paragraphs(BODY[:2])}<p>{asks}</p></article>"
    )
    piece = read(html)
    assert piece.text == "\n\n".join(BODY[:2])
    assert piece.confidence < REVIEW_BELOW


def test_a_page_that_says_it_is_not_free_is_to_be_reviewed_where_short() -> None:
    facts = ld({"@type": "NewsArticle", "isAccessibleForFree": False})
    short = read(page(f"<article>{paragraphs(BODY)}</article>", facts))
    long = read(page(f"<article>{paragraphs(BODY * 6)}</article>", facts))
    assert short.confidence < REVIEW_BELOW < long.confidence


def test_a_pay_wall_alone_is_no_article() -> None:
    asks = "Subscribe to continue reading this article and all of our other articles."
    assert pieces(page(f"{MENU}<main><p>{asks}</p></main>{FOOT}")) == []


# Pages made to cost time: each ends, with an outcome. Those that the library is kept
# from go through our own reading.


def outcome_of(html: str) -> FileOutcome:
    try:
        return FileOutcome.READ if pieces(html) else FileOutcome.NO_ARTICLE
    except UnreadableContentError as refused:
        return refused.outcome


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_to_cost_time_comes_to_an_end(name: str) -> None:
    assert outcome_of(PAGES[name]()) in FileOutcome
