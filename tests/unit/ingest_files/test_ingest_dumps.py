import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.shared import shared_path

from ingest.dumps import Extract, extract
from ingest.phrases import Kind

SEEDS = Path(__file__).resolve().parents[3] / "seeds"
TITLE = "Council votes to reopen the old harbour bridge"
BODY = [
    (
        "The council voted on Tuesday evening to reopen the old harbour bridge to "
        "cars, nine years after it was closed because of rust in its piers."
    ),
    (
        "“We have waited long enough,” said the mayor, who had campaigned for the "
        "bridge since her election and promised to cross it first."
    ),
    (
        "Engineers expect the work to cost four million pounds and to last until the "
        "spring of next year, according to a report to the council."
    ),
]
FOOT = ["Related", "Bandstand gets a roof", "Leave a comment", "© 2026 The Gazette"]
FURNITURE = [
    *("fbpx", "News", "[ssba]", "Share this:", "Facebook", "We use cookies.", "Menu"),
    *("Advertisement", "Related", "Leave a comment", "© 2026 All rights reserved."),
]


def found_in(dump: str) -> Extract:
    found = extract(dump)
    assert found is not None
    return found


def test_the_real_seed_gives_its_article_and_nothing_of_its_page() -> None:
    seed = shared_path("seeds/000_d390f5c56f027458.txt")
    found = found_in(seed.read_text("utf-8"))
    assert found.title == "Putin says some Russian forces will leave Syria"
    assert found.text.startswith("Russian President Vladimir Putin ordered")
    assert found.text.endswith("finalised this week.")
    lines = {*found.text.split("\n"), found.title}
    assert not lines & {"fbpx", "News", "[ssba]"}
    assert found.confidence > 0.9


def test_every_line_of_the_real_seed_has_a_kind() -> None:
    dump = shared_path("seeds/000_d390f5c56f027458.txt").read_text("utf-8")
    lines = found_in(dump).lines
    given = [" ".join(one.split()) for one in dump.split("\n") if one]
    assert [text for _, text in lines] == given
    kinds = [kind for kind, _ in lines]
    assert kinds[:4] == [Kind.TRACKER, Kind.SECTION, Kind.TITLE, Kind.SHORTCODE]
    assert set(kinds[4:]) == {Kind.BODY}


def test_every_line_of_a_dump_has_a_kind_and_its_place() -> None:
    dump = "\n\n".join(
        ["News", "Home of the Gazette", TITLE, "By Jane Roe", *BODY, *FOOT]
    )
    assert found_in(dump).lines == (
        (Kind.SECTION, "News"),
        (Kind.FURNITURE, "Home of the Gazette"),
        (Kind.TITLE, TITLE),
        (Kind.BYLINE, "By Jane Roe"),
        *((Kind.BODY, line) for line in BODY),
        (Kind.RELATED, "Related"),
        (Kind.FURNITURE, "Bandstand gets a roof"),
        (Kind.COMMENTS, "Leave a comment"),
        (Kind.LEGAL, "© 2026 The Gazette"),
    )


def test_a_list_that_the_text_announces_is_part_of_it() -> None:
    dates = [
        "Calls at the new pier:",
        "June 9 in Hull",
        "June 10 in Grimsby",
        "June 14",
    ]
    found = found_in("\n\n".join([TITLE, "By Jane Roe", *BODY, *dates, *FOOT]))
    assert found.text == "\n\n".join([*BODY, *dates])


def test_a_numbered_list_with_addresses_is_part_of_the_text() -> None:
    items = ["1) A model of the bridge", "http://shop.example/1"]
    items += ["2) A book on its piers", "http://shop.example/2"]
    found = found_in("\n\n".join([TITLE, "By Jane Roe", *BODY, *items, *FOOT]))
    assert items[0] in found.text
    assert items[-2] in found.text


def test_a_post_that_an_article_quotes_is_part_of_it() -> None:
    post = ["The bridge will be open again.", "— The Council (@council) March 5, 2026"]
    lines = [*BODY[:2], *post, BODY[2]]
    found = found_in("\n\n".join([TITLE, "By Jane Roe", *lines, *FOOT]))
    assert found.text == "\n\n".join(lines)


def test_lines_with_named_fields_have_the_kind_of_their_field() -> None:
    head = [f"Title: {TITLE}", "Author: Jane Roe", "Date: 2026-03-05", "Language: en"]
    kinds = [kind for kind, _ in found_in("\n".join([*head, "", *BODY])).lines]
    assert kinds[:4] == [Kind.TITLE, Kind.BYLINE, Kind.DATELINE, Kind.FIELD]


@given(st.lists(st.sampled_from([*BODY, *FURNITURE, TITLE]), max_size=30))
def test_no_line_of_a_dump_is_thrown_away(lines: list[str]) -> None:
    found = extract("\n\n".join(lines))
    if found is not None:
        assert [text for _, text in found.lines] == lines
        body = [text for kind, text in found.lines if kind is Kind.BODY]
        assert found.text == "\n\n".join(body)


@pytest.mark.parametrize("width", [60, 72, 90])
def test_the_real_seed_reads_the_same_when_wrapped(width: int) -> None:
    dump = shared_path("seeds/000_d390f5c56f027458.txt").read_text("utf-8")
    wrapped = "\n\n".join(textwrap.fill(one, width) for one in dump.split("\n\n"))
    assert found_in(wrapped) == found_in(dump)


def test_the_real_seed_reads_the_same_without_blank_lines() -> None:
    dump = shared_path("seeds/000_d390f5c56f027458.txt").read_text("utf-8")
    assert found_in(dump.replace("\n\n", "\n")) == found_in(dump)


def facts() -> list[dict[str, Any]]:
    path = SEEDS / "facts.json"
    if not path.exists():
        return []
    files: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["files"]
    return files


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: Path(fact["path"]).stem)
def test_every_seed_of_the_project_gives_what_is_known_of_it(
    fact: dict[str, Any],
) -> None:
    found = found_in((SEEDS.parent / fact["path"]).read_text("utf-8"))
    at = None if found.published is None else found.published.at
    assert found.title == fact["title"]
    assert found.text.startswith(fact["first"])
    assert found.text.endswith(fact["last"])
    assert len(found.text.split()) == fact["words"]
    assert found.byline == fact["byline"]
    assert (at and at.date().isoformat()) == fact["published"]
    assert not [line for line in fact["inside"] if line in found.text]


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\r\n\r\n"])
def test_layouts_with_and_without_blank_lines_give_one_article(gap: str) -> None:
    head = ["Skip to content", "Politics", TITLE, "By Jane Roe", "5 March 2026"]
    found = found_in(gap.join([*head, *BODY, *FOOT]))
    assert found.title == TITLE
    assert found.text == "\n\n".join(BODY)
    assert found.byline == "Jane Roe"
    assert found.published is not None
    assert found.published.raw == "5 March 2026"


def test_a_head_of_named_fields_is_believed() -> None:
    head = [f"Title: {TITLE}", "Author: Jane Roe", "Date: 2026-03-05", "Section: Local"]
    found = found_in("\n".join([*head, "", *BODY]))
    assert (found.title, found.byline) == (TITLE, "Jane Roe")
    assert found.text == "\n\n".join(BODY)


def test_furniture_inside_the_text_is_dropped() -> None:
    inside = [BODY[0], "Advertisement", BODY[1], "Read more: Ferry fares", BODY[2]]
    assert found_in("\n\n".join([TITLE, *inside])).text == "\n\n".join(BODY)


def test_teasers_above_the_byline_are_no_text() -> None:
    teaser = "Fish prices rose again this week as storms kept the fleet in the port."
    dump = "\n\n".join([teaser, TITLE, "By Jane Roe", *BODY])
    assert found_in(dump).text == "\n\n".join(BODY)


def test_comments_longer_than_the_article_are_no_text() -> None:
    comments = [
        f"Number {n}: I have never crossed this bridge and will not do it now, because "
        f"the tolls of the year {n} were an outrage, as everybody remembers."
        for n in range(1900, 1920)
    ]
    dump = "\n\n".join([TITLE, "By Jane Roe", *BODY, "20 Comments", *comments])
    assert found_in(dump).text == "\n\n".join(BODY)


def test_a_page_that_stands_twice_in_its_dump_is_read_once() -> None:
    page = [TITLE, "By Jane Roe", "[ssba]", *BODY]
    assert found_in("\n\n".join([*page, "Menu", *page])).text == "\n\n".join(BODY)


def test_text_without_a_headline_has_an_empty_title() -> None:
    found = found_in("\n\n".join(BODY))
    assert found.title == ""
    assert found.text == "\n\n".join(BODY)


@pytest.mark.parametrize(
    "title",
    [
        "Will the old harbour bridge ever open to cars again?",
        "“We have waited enough!”",
    ],
)
def test_a_headline_that_asks_or_shouts_is_still_the_title(title: str) -> None:
    found = found_in("\n\n".join(["News", title, *BODY, *FOOT]))
    assert found.title == title
    assert found.text == "\n\n".join(BODY)


@pytest.mark.parametrize("dump", ["", "\n", "fbpx\n\nNews\n\n[ssba]", TITLE, "a b c"])
def test_a_dump_without_prose_has_no_article(dump: str) -> None:
    assert extract(dump) is None


LINES = st.sampled_from([*FURNITURE, TITLE, *BODY, "By Jane Roe", "one two three"])


@given(st.lists(LINES, max_size=14))
def test_nothing_is_invented(lines: list[str]) -> None:
    found = extract("\n\n".join(lines))
    if found is not None:
        assert set(found.text.split("\n\n")) <= set(lines)
        assert found.title in {*lines, ""}
        assert 0 <= found.confidence <= 1


@given(st.lists(st.text(max_size=50), max_size=8))
def test_any_text_can_be_read(lines: list[str]) -> None:
    extract("\n".join(lines))


@given(
    st.lists(st.sampled_from(FURNITURE), max_size=4),
    st.lists(st.sampled_from(FURNITURE), max_size=5),
)
def test_furniture_around_an_article_changes_nothing(
    head: list[str], foot: list[str]
) -> None:
    found = found_in("\n\n".join([*head, TITLE, "[ssba]", *BODY, *foot]))
    assert found.title == TITLE
    assert found.text == "\n\n".join(BODY)
