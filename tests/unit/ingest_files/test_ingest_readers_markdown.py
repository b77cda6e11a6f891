from datetime import UTC, datetime

import pytest
from support.samples import PARAGRAPHS, TEXT, TITLE, extractor, read, read_broken

from ingest.messages import FileOutcome

YAML = f"""---
title: "{TITLE}"
author: By Jane Roe
authors: [Jane Roe, John Doe]
date: 2026-03-05 18:40:00 +0100
lastmod: 2026-03-05
lang: en-GB
canonical_url: https://gazette.example/bridge
publisher: The Gazette
tags:
  - bridges
---
"""
TOML = f"""+++
title = "{TITLE}"
authors = ["Jane Roe", "John Doe"]
date = 2026-03-05T18:40:00+01:00
lastmod = 2026-03-05
lang = "en-GB"
canonical_url = "https://gazette.example/bridge"
publisher = "The Gazette"
+++
"""


@pytest.mark.parametrize("matter", [YAML, TOML])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "utf-8-sig"])
def test_front_matter_says_what_the_text_does_not(matter: str, charset: str) -> None:
    (piece,) = read((matter + TEXT).encode(charset), "a.txt")
    assert (piece.title, piece.text) == (TITLE, TEXT)
    assert piece.authors == ("Jane Roe", "John Doe")
    assert piece.language == "en-GB"
    assert piece.url == "https://gazette.example/bridge"
    assert piece.source == "The Gazette"
    assert piece.published is not None
    assert piece.published.at == datetime(2026, 3, 5, 17, 40, tzinfo=UTC)
    assert piece.updated is not None
    assert piece.updated.at == datetime(2026, 3, 5, tzinfo=UTC)
    assert piece.confidence > 0.8


MARKED_UP = f"""
# {TITLE}

{PARAGRAPHS[0].replace("council", "**council**").replace("bridge", "[bridge](/b)")}

![The bridge](bridge.jpg)

## What it costs

> {PARAGRAPHS[1]}

* One `item`
  that is wrapped
* 2 &lt; 3 <b>items</b>

| a | b |
|---|---|
| c | d |

```
code  stays
```

<div><p>Some <i>HTML</i>.</p></div>

{PARAGRAPHS[2]}
"""


def test_the_text_is_what_a_person_would_see() -> None:
    (piece,) = read(MARKED_UP.encode(), "a.md")
    assert piece.title == TITLE
    assert piece.text.split("\n\n") == [
        PARAGRAPHS[0],
        "What it costs",
        PARAGRAPHS[1],
        "One item that is wrapped",
        "2 < 3 items",
        "a b",
        "c d",
        "code  stays",
        "Some HTML.",
        PARAGRAPHS[2],
    ]


def test_a_first_heading_that_is_not_the_title_is_text() -> None:
    (piece,) = read(b"---\ntitle: A\n---\n# B\n\nC", "a.md")
    assert (piece.title, piece.text) == ("A", "B\n\nC")


@pytest.mark.parametrize(
    ("body", "name", "reader"),
    [
        (b"---\ntitle: a\n---\n", "a.txt", "markdown/1"),
        (b"+++\ntitle = 'a'\n+++\n", "a.txt", "markdown/1"),
        (b"# a\n", "a.MD", "markdown/1"),
        (b"# a\n", "a.txt", "text-seed/3"),
        (b"---\n\nThe council: a history\n---\n", "a.txt", "text-seed/3"),
        (b"<!doctype html><html>", "a.md", "html-page/3"),
        (b'{"title": "a", "text": "b"}', "a.md", "json-record/1"),
    ],
)
def test_front_matter_decides_and_the_name_breaks_ties(
    body: bytes, name: str, reader: str
) -> None:
    assert extractor(body, name) == reader


@pytest.mark.parametrize("matter", ["- a\n- b", "a: b", "title: {a: b}", "1: 2"])
def test_front_matter_that_says_nothing_is_passed_over(matter: str) -> None:
    (piece,) = read(f"---\n{matter}\n---\n\n{TEXT}".encode(), "a.md")
    assert piece.text.endswith(TEXT)


def test_a_file_with_nothing_in_it_has_no_article() -> None:
    assert read(b"---\ndate: 2026-03-05\n---\n", "a.md") == []


@pytest.mark.parametrize(
    ("matter", "outcome"),
    [
        ("title: [a", FileOutcome.MALFORMED),
        ("a: " + "[" * 9_000, FileOutcome.MALFORMED),
        ("a: " + "b" * 21_000, FileOutcome.TOO_LARGE),
        ("? [a]\n: b", FileOutcome.MALFORMED),
    ],
)
def test_front_matter_that_is_broken_or_costly_is_refused(
    matter: str, outcome: FileOutcome
) -> None:
    body = f"---\nb: c\n{matter}\n---\n{TEXT}".encode()
    assert read_broken(body)[1] is outcome


def test_front_matter_makes_no_objects_and_no_bombs() -> None:
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    bomb = "\n".join(["a0: &a0 [b]", *levels, "author: *a29", "title: *a29"])
    (piece,) = read(f"---\n{bomb}\n---\n{TEXT}".encode())
    assert piece.title == ""
    tag = "title: !!python/object/apply:os.getcwd []"
    (piece,) = read(f"---\n{tag}\n---\n{TEXT}".encode())
    assert (piece.title, piece.text) == ("", TEXT)


@pytest.mark.parametrize("mark", ["[", "![", "*a_ ", "> ", "|a|b|\n|-|-|\n", "`", "<"])
def test_markup_made_to_cost_time_is_bounded(mark: str) -> None:
    assert read_broken(mark.encode() * 200_001, "a.md")[1] is FileOutcome.TOO_LARGE
    assert len(read(mark.encode() * 2_000, "a.md")) <= 1


def test_front_matter_that_is_never_closed_is_text() -> None:
    (piece,) = read(
        b"---\ntitle: a\n\nThe text goes on and on until the end is reached.\x00",
        "a.md",
    )
    assert "The text goes" in piece.text
