"""What `seeds/facts.json` states is true of the files that stand beside it."""

import json
import re
from functools import cache
from html import unescape
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[3]
FACTS: dict[str, Any] = json.loads((ROOT / "seeds/facts.json").read_bytes())
FILES: dict[str, dict[str, Any]] = {fact["path"]: fact for fact in FACTS["files"]}
UPDATE: dict[str, Any] = FACTS["update"]
ENTRIES: dict[str, dict[str, Any]] = {
    entry["url"]: entry for feed in FACTS["feeds"] for entry in feed["entries"]
}
ACCEPTED = sorted(url for url, entry in ENTRIES.items() if not entry["rejected"])
NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
}


def body(fact: dict[str, Any]) -> str:
    """Cut the body out of a page in the way that its fact describes."""
    lines = (ROOT / fact["path"]).read_text(encoding="utf-8").splitlines()
    kept = [line.strip() for line in lines if line.strip() not in {"", *fact["inside"]}]
    page = " ".join(kept)
    for edge in (fact["first"], fact["last"]):
        assert page.count(edge) == 1, f"{edge!r} must stand in one place"
    end = page.index(fact["last"]) + len(fact["last"])
    return page[page.index(fact["first"]) : end]


def parse_xml(path: str) -> ET.Element:
    return ET.fromstring((ROOT / path).read_bytes())  # noqa: S314 - our own file


@cache
def entries_of(path: str) -> tuple[tuple[str, str], ...]:
    """Read link and plain text of each entry of a sample feed, in its order."""
    if path.endswith(".json"):
        items = json.loads((ROOT / path).read_bytes())["items"]
        return tuple(
            (item["url"], plain(item.get("content_html") or item["content_text"]))
            for item in items
        )
    root = parse_xml(path)
    if root.tag == "rss":
        return tuple(rss_entry(item) for item in root.iterfind("channel/item"))
    return tuple(atom_entry(item) for item in root.iterfind("atom:entry", NAMESPACES))


def rss_entry(item: ET.Element) -> tuple[str, str]:
    html = item.findtext("content:encoded", "", NAMESPACES)
    return item.findtext("link", ""), plain(html or item.findtext("description", ""))


def atom_entry(item: ET.Element) -> tuple[str, str]:
    link = item.find("atom:link", NAMESPACES)
    content = item.find("atom:content", NAMESPACES)
    if content is None:
        content = item.find("atom:summary", NAMESPACES)
    assert link is not None
    assert content is not None
    markup = "</p>".join(content.itertext())  # XHTML: one piece for each paragraph
    return link.get("href", ""), plain(markup)


def plain(html: str) -> str:
    """Take the markup out: scripts and styles whole, other tags alone."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    spaced = bare.replace("</p>", " ")
    return " ".join(unescape(re.sub(r"<[^>]+>", "", spaced)).split())


def text_of(reference: str) -> str:
    """Give the text behind a path of a seed file or the URL of an entry."""
    if reference in FILES:
        return body(FILES[reference])
    for feed in FACTS["feeds"]:
        for entry, (_, text) in zip(
            feed["entries"], entries_of(feed["path"]), strict=True
        ):
            if entry["url"] == reference:
                return text
    raise AssertionError(reference)


@cache
def words(reference: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text_of(reference).casefold()))


@cache
def shingles(reference: str) -> frozenset[tuple[str, ...]]:
    """Give all runs of five words."""
    run = words(reference)
    return frozenset(run[at : at + 5] for at in range(len(run) - 4))


def containment(one: str, other: str) -> float:
    """Give the share of the shorter text that stands in the longer one."""
    shared = shingles(one) & shingles(other)
    return len(shared) / min(len(shingles(one)), len(shingles(other)))


def resemblance(one: str, other: str) -> float:
    shared = shingles(one) & shingles(other)
    return len(shared) / len(shingles(one) | shingles(other))


def pairs(kind: str) -> list[tuple[str, str]]:
    rows = [row for row in FACTS["copies"] if row["kind"] == kind]
    return [(row["copy"], row["original"]) for row in rows]


def test_every_seed_file_has_its_fact_and_every_fact_its_file() -> None:
    on_disk = (ROOT / "seeds/articles").rglob("*.txt")
    assert {path.relative_to(ROOT).as_posix() for path in on_disk} == set(FILES)


def test_the_counts_are_the_sums_of_what_is_listed() -> None:
    counts = FACTS["counts"]
    entries = [entry for feed in FACTS["feeds"] for entry in feed["entries"]]
    rejected = [entry for entry in entries if entry["rejected"]]
    assert counts["files"] == len(FILES)
    assert counts["feed_entries"] == len(entries)
    assert counts["rejected_entries"] == len(rejected)
    assert counts["shared_entries"] == len(FACTS["shared_entries"])
    assert counts["articles"] == len(FILES) + len(ACCEPTED)
    assert counts["copies"] == len(FACTS["copies"])
    assert counts["stories"] == len(FACTS["stories"])
    assert counts["opml_feeds"] == len(opml_feeds())


@pytest.mark.parametrize("path", sorted([*FILES, UPDATE["path"]]))
def test_a_page_holds_the_title_and_the_words_of_its_fact(path: str) -> None:
    fact = FILES.get(path, UPDATE)
    page = (ROOT / path).read_text(encoding="utf-8")
    text = body(fact)
    assert fact["title"] in page.splitlines()
    assert text.startswith(fact["first"])
    assert text.endswith(fact["last"])
    assert len(text.split()) == fact["words"]
    assert (fact["byline"] or "") in page
    assert path.split("/")[2] == fact.get("source", path.split("/")[2])


@pytest.mark.parametrize("path", sorted(FILES))
def test_no_body_holds_a_line_of_furniture(path: str) -> None:
    text = body(FILES[path])
    assert [mark for mark in FACTS["never_in_text"] if mark in text] == []


def test_every_mark_of_furniture_stands_in_some_seed() -> None:
    paths = [*FILES, *(feed["path"] for feed in FACTS["feeds"])]
    seeds = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in paths)
    assert [mark for mark in FACTS["never_in_text"] if mark not in seeds] == []


@pytest.mark.parametrize("feed", FACTS["feeds"], ids=lambda feed: feed["format"])
def test_a_sample_feed_is_well_formed_and_holds_the_listed_links(
    feed: dict[str, Any],
) -> None:
    links = [link for link, _ in entries_of(feed["path"])]
    assert links == [entry["link"] for entry in feed["entries"]]


@pytest.mark.parametrize("url", ACCEPTED)
def test_an_entry_holds_the_words_of_its_fact(url: str) -> None:
    entry, text = ENTRIES[url], text_of(url)
    assert text.startswith(entry["first"])
    assert text.endswith(entry["last"])
    assert len(text.split()) == entry["words"]
    assert [mark for mark in FACTS["never_in_text"] if mark in text] == []


def test_the_url_of_an_entry_is_its_link_without_tracking() -> None:
    for url, entry in ENTRIES.items():
        assert urljoin(url, urlsplit(entry["link"]).path) == url


def test_a_rejected_entry_has_neither_title_nor_text() -> None:
    rejected = [url for url, entry in ENTRIES.items() if entry["rejected"]]
    assert [text_of(url) for url in rejected] == [""]
    root = parse_xml("seeds/feeds/sample-rss.xml")
    titles = [item.findtext("title") for item in root.iterfind("channel/item")]
    assert titles.count("") == len(rejected)


def test_a_shared_entry_has_one_text_in_all_its_feeds() -> None:
    for shared in FACTS["shared_entries"]:
        texts = {
            text
            for path in shared["feeds"]
            for link, text in entries_of(path)
            if link.split("?")[0] == shared["url"]
        }
        assert len(texts) == 1
        assert len(shared["feeds"]) > 1


@pytest.mark.parametrize(("copy", "original"), pairs("identical"))
def test_an_identical_copy_has_the_words_of_its_original(
    copy: str, original: str
) -> None:
    assert words(copy) == words(original)


@pytest.mark.parametrize(("copy", "original"), pairs("near"))
def test_a_near_copy_keeps_most_of_its_original(copy: str, original: str) -> None:
    assert words(copy) != words(original)
    assert containment(copy, original) >= 0.75
    assert resemblance(copy, original) >= 0.5


@pytest.mark.parametrize(("copy", "original"), pairs("excerpt"))
def test_an_excerpt_is_a_small_part_of_its_original(copy: str, original: str) -> None:
    assert len(words(copy)) >= 60
    assert containment(copy, original) >= 0.9
    assert resemblance(copy, original) < 0.5


def test_an_original_is_dated_before_its_copies() -> None:
    for row in FACTS["copies"]:
        copy = FILES.get(row["copy"], ENTRIES.get(row["copy"], {}))
        assert (copy["published"] or "9") > FILES[row["original"]]["published"]


def test_look_alikes_share_a_template_but_less_than_half_their_words() -> None:
    for one, other in FACTS["not_copies"]:
        assert 0.2 <= containment(one, other) < 0.5


def test_texts_that_are_not_stated_as_copies_share_next_to_nothing() -> None:
    alike = {frozenset(pair) for pair in FACTS["not_copies"]}
    original = {row["copy"]: row["original"] for row in FACTS["copies"]}
    for one, other in combinations([*FILES, *ACCEPTED], 2):
        related = original.get(one, one) == original.get(other, other)
        if not related and frozenset((one, other)) not in alike:
            assert containment(one, other) < 0.05, (one, other)


def test_stories_have_three_or_more_members_in_one_language() -> None:
    for story in FACTS["stories"]:
        languages = {FILES[path]["language"] for path in story["members"]}
        assert languages == {story["language"]}
        assert len(story["members"]) >= 3


def test_stories_and_pairs_to_keep_apart_name_seed_files() -> None:
    members = {path for story in FACTS["stories"] for path in story["members"]}
    assert members <= set(FILES)
    for inside, outside in FACTS["apart"]:
        assert inside in members
        assert outside in set(FILES) - members


def test_an_entity_to_be_found_is_spelt_so_in_its_file() -> None:
    for entity in FACTS["entities"]:
        assert entity["name"] in body(FILES[entity["path"]]), entity


def test_the_update_is_a_later_text_of_the_same_page() -> None:
    before, after = body(FILES[UPDATE["of"]]), body(UPDATE)
    assert Path(UPDATE["path"]).name == Path(UPDATE["of"]).name
    assert UPDATE["published"] > FILES[UPDATE["of"]]["published"]
    assert UPDATE["first"] != FILES[UPDATE["of"]]["first"]
    assert 1.1 <= len(after.split()) / len(before.split()) <= 1.25


def opml_feeds() -> list[ET.Element]:
    outlines = parse_xml("seeds/public-feeds.opml").iterfind("body/outline/outline")
    return list(outlines)


def test_the_public_feeds_are_grouped_and_each_stands_once() -> None:
    feeds = opml_feeds()
    urls = [feed.get("xmlUrl", "") for feed in feeds]
    assert len(set(urls)) == len(urls) >= 50
    assert all(url.startswith("https://") for url in urls)
    assert all(feed.get("htmlUrl") and feed.get("text") for feed in feeds)
