import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.factories import article
from support.samples import PARAGRAPHS, TEXT, TITLE, extractor, read, read_broken

from ingest.messages import FileOutcome
from ingest.records import read_record, write_record

CC_NEWS = {
    "authors": ["Jane Roe", "By Jane Roe", "https://gazette.example/jane"],
    "date_download": "2026-03-06 09:00:00",
    "date_modify": "2026-03-05 18:00:00",
    "date_publish": "2026-03-05 17:40:00",
    "description": "A teaser.",
    "filename": "https%3A%2F%2Fgazette.example%2Fbridge.json",
    "image_url": "https://gazette.example/bridge.jpg",
    "language": "en",
    "maintext": "\n".join(PARAGRAPHS),
    "source_domain": "gazette.example",
    "title": TITLE,
    "url": "https://gazette.example/bridge",
}
NINJS_1 = {
    "uri": "https://agency.example/items/7",
    "type": "text",
    "versioncreated": "2026-03-05T18:00:00Z",
    "firstcreated": "2026-03-05T17:40:00Z",
    "pubstatus": "usable",
    "language": "en",
    "byline": "By Jane Roe",
    "headline": TITLE,
    "body_text": "A teaser.",
    "body_xhtml": "".join(f"<p>{one}</p>" for one in PARAGRAPHS),
}
NINJS_3 = {
    "uri": "urn:newsml:agency.example:7",
    "standard": {"name": "ninjs", "version": "3.0"},
    "versionCreated": "2026-03-05T18:00:00Z",
    "contentCreated": "2026-03-05T17:40:00Z",
    "pubStatus": "usable",
    "language": "en",
    "infoSources": [{"name": "The Agency"}],
    "bylines": [{"value": "Jane Roe"}],
    "headlines": [
        {"role": "short", "value": "Bridge"},
        {"role": "main", "value": TITLE},
    ],
    "bodies": [
        {"role": "caption", "contentType": "text/plain", "value": "A caption."},
        {"role": "main", "contentType": "text/plain", "value": TEXT},
    ],
}


def body(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


@pytest.mark.parametrize("content", [CC_NEWS, NINJS_1, NINJS_3])
def test_the_fields_of_others_are_known(content: dict[str, Any]) -> None:
    (piece,) = read(body(content))
    assert piece.title == TITLE
    assert piece.text == TEXT
    assert (piece.byline, piece.authors) == ("Jane Roe", ("Jane Roe",))
    assert piece.language == "en"
    assert piece.published is not None
    assert piece.published.at == datetime(2026, 3, 5, 17, 40, tzinfo=UTC)
    assert piece.updated is not None
    assert piece.updated.at == datetime(2026, 3, 5, 18, 0, tzinfo=UTC)
    assert piece.fragment is None
    assert piece.confidence >= 0.8


def test_where_an_article_stands_on_the_web_and_who_published_it() -> None:
    (record,), (first,), (third,) = map(read, map(body, (CC_NEWS, NINJS_1, NINJS_3)))
    assert (record.url, record.source) == (CC_NEWS["url"], "gazette.example")
    assert first.url == NINJS_1["uri"]
    assert third.source == "The Agency"


def test_each_line_is_an_article_of_its_own() -> None:
    lines = [CC_NEWS, NINJS_1, CC_NEWS | {"title": "Another"}]
    pieces = read(b"\xef\xbb\xbf" + b"\r\n\r\n".join(map(body, lines)) + b"\r\n")
    assert [piece.fragment for piece in pieces] == ["line=1", "line=3", "line=5"]
    assert [piece.title for piece in pieces] == [TITLE, TITLE, "Another"]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: {"articles": one}])
def test_a_list_is_read_item_by_item(wrap: Any) -> None:
    pieces = read(body(wrap([CC_NEWS, NINJS_3])))
    assert [piece.fragment for piece in pieces] == ["item=0", "item=1"]


def test_a_pretty_printed_object_is_one_article() -> None:
    (piece,) = read(json.dumps(CC_NEWS, indent=2).encode("utf-16"))
    assert piece.title == TITLE


def test_markup_in_a_field_is_taken_out() -> None:
    record = {"headline": "A &amp; <b>B</b></b>", "content": "<p>One.<p>Two.</p>"}
    (piece,) = read(body(record))
    assert (piece.title, piece.text) == ("A & B", "One.\n\nTwo.")


def test_names_of_schema_org_and_nested_authors_are_read() -> None:
    author = {"@type": "Person", "name": "Jane Roe"}
    record = {"headline": TITLE, "articleBody": TEXT, "author": [author, author]}
    (piece,) = read(body(record | {"datePublished": "5 March 2026", "lang": 7}))
    assert piece.byline == "Jane Roe"
    assert piece.published is not None
    assert piece.published.at == datetime(2026, 3, 5, tzinfo=UTC)


@pytest.mark.parametrize("spelt", ["20260305T174000Z", "20260305T184000+0100"])
def test_dates_without_separators_are_read(spelt: str) -> None:
    (piece,) = read(body(CC_NEWS | {"date_publish": spelt}))
    assert piece.published is not None
    assert (piece.published.raw, piece.published.at) == (
        spelt,
        datetime(2026, 3, 5, 17, 40, tzinfo=UTC),
    )


def test_a_date_that_says_nothing_keeps_its_spelling() -> None:
    (piece,) = read(body(CC_NEWS | {"date_publish": "lately"}))
    assert piece.published is not None
    assert (piece.published.raw, piece.published.at) == ("lately", None)


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(
    str.strip
)


@given(title=TEXTS, paragraphs=st.lists(TEXTS), confidence=st.floats(0, 1))
def test_what_is_exported_is_read_back(
    title: str, paragraphs: list[str], confidence: float
) -> None:
    given_article = article(
        title=title or "T", text="\n\n".join(paragraphs), confidence=confidence
    )
    at = datetime(2026, 3, 7, tzinfo=UTC)
    record = write_record(given_article, authors=["Jane Roe"], updated_at=at)
    (piece,) = read(body(record))
    assert piece.title == given_article.title
    assert piece.text == given_article.text.strip()
    assert piece.byline == given_article.byline
    assert piece.authors == ("Jane Roe",)
    assert piece.language == given_article.language
    assert (piece.url, piece.source) == (given_article.url, given_article.source)
    assert (piece.published and piece.published.at) == given_article.published_at
    assert piece.updated is not None
    assert piece.updated.at == at
    assert piece.confidence == given_article.confidence


def test_what_is_no_text_counts_as_missing() -> None:
    piece = read_record({"title": ["", None, "A"], "text": {"a": 1}, "url": True})
    assert (piece.title, piece.text, piece.url) == ("A", "", None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"version": "https://jsonfeed.org/version/1.1"}, "feed (JSON Feed)"),
        ({"title": "a"}, "no title and text"),
        ({"a": "b"}, "no title and text"),
        ({"title": "", "text": ""}, "neither"),
        ([{"a": "b"}, 7], "item 1: It is JSON, but no object"),
        (NINJS_1 | {"pubstatus": "canceled"}, "withdrawn"),
        ({"uri": "a", "bodies": [7], "headlines": 7}, "neither"),
    ],
)
def test_other_json_is_refused_with_the_reason(content: Any, reason: str) -> None:
    pieces, _, told = read_broken(body(content))
    assert pieces == []
    assert reason in told


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"title": ', "broken"),
        (b'[{"a":' * 100_000, "too deep"),
        (b'{"a": [' + b"0," * 1_000_001 + b"0]}", "more than 1000000 values"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "broken"),
    ],
)
def test_json_made_to_cost_is_refused(content: bytes, reason: str) -> None:
    assert reason in read_broken(content)[2]


def test_commas_in_prose_are_no_values() -> None:
    (piece,) = read(body(CC_NEWS | {"maintext": "One, two. " * 110_000}))
    assert len(piece.text) > 900_000


def test_lines_that_are_no_articles_are_named_and_the_others_read() -> None:
    lines = [body(CC_NEWS), b'{"title": ', b"{}", b"[1]", *[b"{}"] * 5]
    lines.append(body(CC_NEWS)[:50])  # it broke off
    pieces, outcome, reason = read_broken(b"\n".join(lines))
    assert [piece.fragment for piece in pieces] == ["line=1"]
    assert outcome is FileOutcome.MALFORMED
    assert reason.startswith("Parts were left out: line 2: The JSON is broken")
    assert reason.endswith("; and 4 more.")


def test_nuls_and_a_wrong_encoding_do_not_stop_it() -> None:
    broken = body(CC_NEWS).replace("é".encode(), b"\xe9\0")
    (piece,) = read(broken)
    assert piece.title.startswith("Harbour bridge")


def test_prose_in_brackets_is_no_json() -> None:
    assert extractor(b"[ssba]\n\nNews", "a.json") == "text-seed/3"
