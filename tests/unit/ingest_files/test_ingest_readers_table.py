import csv
import io
from datetime import UTC, datetime

import pytest
from support.samples import PARAGRAPHS, TEXT, TITLE, extractor, read, read_broken

from ingest.messages import FileOutcome

ROW = {
    "Date Published": "2026-03-05T17:40:00Z",
    "Headline": TITLE,
    "Author": "By Jane Roe",
    "Content": "\n".join(PARAGRAPHS),
    "Publisher": "The Gazette",
    "URL": "https://gazette.example/bridge",
    "Lang": "en",
    "id": "7",
}


def table(*rows: dict[str, str], delimiter: str = ",") -> str:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(ROW), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_header_says_what_the_columns_are(delimiter: str, charset: str) -> None:
    body = table(ROW, ROW | {"Headline": "Another"}, delimiter=delimiter)
    first, second = read(body.encode(charset), "a.txt")
    assert (first.title, first.text) == (TITLE, TEXT)
    assert first.byline == "Jane Roe"
    assert (first.source, first.url, first.language) == (
        "The Gazette",
        ROW["URL"],
        "en",
    )
    assert first.published is not None
    assert first.published.at == datetime(2026, 3, 5, 17, 40, tzinfo=UTC)
    assert (first.fragment, second.fragment) == ("row=2", "row=3")
    assert second.title == "Another"


@pytest.mark.parametrize(
    ("body", "reader"),
    [
        ("title,text\n", "csv-record/1"),
        ('"Title";"Full Text";x\r\n', "csv-record/1"),
        ("name,price\na,b\n", "text-seed/3"),
        ("title,text", "text-seed/3"),
        ("The headline, the body and the rest.\n", "text-seed/3"),
        ("title," + "x," * 5_000 + "text\n", "text-seed/3"),
    ],
)
def test_the_header_and_not_the_name_makes_a_table(body: str, reader: str) -> None:
    assert extractor(body.encode(), "a.csv") == reader


def test_a_table_that_breaks_off_gives_the_rows_before() -> None:
    whole = table(ROW, ROW)
    pieces = read(whole[: len(whole) * 2 // 3].encode())
    assert (pieces[0].title, pieces[0].text) == (TITLE, TEXT)
    assert len(pieces) == 2  # the last as far as it goes, which nothing gives away


def test_rows_that_are_no_articles_are_named_and_the_others_read() -> None:
    nothing = dict.fromkeys(ROW, "") | {"id": "7"}
    pieces, outcome, reason = read_broken((table(ROW, nothing, ROW) + "\r\n").encode())
    assert [piece.fragment for piece in pieces] == ["row=2", "row=4"]
    assert outcome is FileOutcome.NO_ARTICLE
    assert "row 3: It has neither" in reason


def test_a_field_without_end_is_bounded() -> None:
    body = table(ROW) + '1,2,3,"' + "a" * 2_000_000
    pieces, outcome, reason = read_broken(body.encode())
    assert (len(pieces), outcome) == (1, FileOutcome.MALFORMED)
    assert "row 3: field larger than field limit" in reason


def test_an_article_longer_than_the_bound_of_the_library_is_read() -> None:
    (piece,) = read(table(ROW | {"Content": "One word. " * 20_000}).encode())
    assert len(piece.text) > 131_072


def test_a_million_columns_are_refused() -> None:
    pieces, outcome, _ = read_broken((table(ROW) + "a," * 1_000_000).encode())
    assert (len(pieces), outcome) == (1, FileOutcome.TOO_LARGE)


def test_a_row_of_more_columns_than_the_header_loses_the_rest() -> None:
    (piece,) = read(b"title,text\na,b" + b",c" * 50_000)
    assert (piece.title, piece.text) == ("a", "b")


def test_nuls_and_a_wrong_encoding_do_not_stop_it() -> None:
    body = table(ROW).encode().replace("é".encode(), b"\xe9\0")
    (piece,) = read(body)
    assert piece.title.startswith("Harbour bridge")
