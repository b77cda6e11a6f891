import gzip
import zlib
from datetime import UTC, datetime

import pytest
from support.samples import PAGE, TEXT, TITLE, extractor, read, read_broken

from ingest.messages import FileOutcome
from ingest.readers import budget, warc

URL = "https://gazette.example/bridge"
HTML = "text/html; charset=utf-8"


def record(kind: str, content: bytes, **headers: str) -> bytes:
    head = {
        "WARC-Type": kind,
        "WARC-Record-ID": "<urn:uuid:0>",
        "WARC-Date": "2026-03-06T09:00:00Z",
        "WARC-Target-URI": URL,
        "Content-Length": str(len(content)),
        "Content-Type": f"application/http; msgtype={kind}",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return f"WARC/1.0\r\n{lines}\r\n".encode() + content + b"\r\n\r\n"


def response(page: bytes = PAGE.encode(), status: str = "200 OK", **http: str) -> bytes:
    head = {"Content-Type": HTML} | {
        name.replace("_", "-"): value for name, value in http.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    return record("response", f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + page)


INFO = record("warcinfo", b"software: made by hand\r\n", Content_Type="text/plain")
REQUEST = record("request", b"GET /bridge HTTP/1.1\r\nHost: gazette.example\r\n\r\n")
PICTURE = response(b"\x89PNG\r\n", Content_Type="image/png")
MISSING = response(status="404 Not Found")
RECORDS = [INFO, REQUEST, response(), PICTURE, MISSING, response()]


@pytest.mark.parametrize(
    "body",
    [
        b"".join(RECORDS),
        b"".join(map(gzip.compress, RECORDS)),
        gzip.compress(b"".join(RECORDS)),
    ],
    ids=["plain", "gz by record", "gz"],
)
def test_pages_of_a_web_archive_are_read(body: bytes) -> None:
    first, second = read(body, "a.txt")
    assert (first.title, first.text) == (TITLE, TEXT)
    assert (first.url, first.language) == (URL, "en")
    assert (first.fragment, second.fragment) == ("record=3", "record=6")
    assert first.extractor == "html-page/3"
    assert first.published is not None
    assert first.published.at == datetime(2026, 3, 6, 9, tzinfo=UTC)
    assert (first.published.origin, first.published.confidence) == ("fetched", 0.3)


def test_a_date_of_the_page_is_worth_more_than_when_it_was_fetched() -> None:
    meta = '<meta property="article:published_time" content="2026-03-05T17:40:00Z">'
    (piece,) = read(response(PAGE.replace("<title>", f"{meta}<title>").encode()))
    assert piece.published is not None
    assert (piece.published.at, piece.published.origin) == (
        datetime(2026, 3, 5, 17, 40, tzinfo=UTC),
        "published",
    )


def chunked(page: bytes) -> bytes:
    half = len(page) // 2
    parts = (page[:half], page[half:], b"")
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def test_pages_are_read_as_they_were_sent() -> None:
    page = PAGE.encode()
    packed = gzip.compress(page)
    for sent in (
        response(chunked(page), Transfer_Encoding="chunked"),
        response(packed, Content_Encoding="gzip"),
        response(zlib.compress(page), Content_Encoding="deflate"),
        response(chunked(packed), Transfer_Encoding="chunked", Content_Encoding="gzip"),
        record("resource", page, Content_Type="text/html"),
    ):
        (piece,) = read(sent)
        assert piece.text == TEXT


@pytest.mark.parametrize(
    ("charset", "header", "meta"),
    [
        ("cp1252", "text/html; charset=windows-1252", ""),
        ("utf-8", "text/html; charset=iso-8859-1", ""),
        ("utf-8", "text/html; charset=\udcff", "windows-1251"),
        ("cp1252", "text/html; charset=no-such-one", "utf-8"),
    ],
)
def test_charsets_that_are_claimed_are_weighed(
    charset: str, header: str, meta: str
) -> None:
    page = PAGE.replace("charset='utf-8'", f"charset='{meta}'").encode(charset)
    sent = response(page).replace(HTML.encode(), header.encode(errors="replace"))
    length = len(sent) - len(response(page))
    sent = sent.replace(b"Content-Length: ", b"Content-Length: 0", 1)
    (piece,) = read(_relengthened(sent, length))
    assert (piece.title, piece.text) == (TITLE, TEXT)


def _relengthened(sent: bytes, by: int) -> bytes:
    start = sent.index(b"Content-Length: ") + len(b"Content-Length: ")
    end = sent.index(b"\r", start)
    return sent[:start] + str(int(sent[start:end]) + by).encode() + sent[end:]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_archive_that_breaks_off_gives_what_came_before(pack: object) -> None:
    assert callable(pack)
    last = response()
    whole = pack(response()) + pack(last)
    pieces, outcome, reason = read_broken(whole[: -len(pack(last)) // 2])
    assert [piece.fragment for piece in pieces] == ["record=1"]
    assert outcome is FileOutcome.MALFORMED
    assert "breaks off" in reason


def test_a_declared_length_of_a_gigabyte_costs_nothing() -> None:
    lie = record("response", b"HTTP/1.1 200 OK\r\n\r\n", Content_Length=str(1 << 30))
    pieces, _, reason = read_broken(response() + lie)
    assert len(pieces) == 1
    assert "record 2: It breaks off" in reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"WARC/1.0\r\n", ""),
        (b"WARC/1.0\r\nno header\r\n\r\n\r\n", ""),
        (response() + b"garbage that is no record\r\n" * 9, "broken"),
        (response() + record("response", b"HTTP", Content_Length="-7"), ""),
        (response() + record("response", b"\0\0\0", Content_Length="x"), ""),
    ],
)
def test_damaged_records_end_the_reading_and_no_worker(
    body: bytes, reason: str
) -> None:
    try:
        pieces = read(body)
    except Exception:  # noqa: BLE001 - whichever way it ends
        pieces, _, told = read_broken(body)
        assert reason in told
    assert len(pieces) == (TITLE.encode() in body)


def test_what_strangers_wrote_is_not_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lie = _relengthened(response(), -9)
    assert read(lie + response())
    assert capsys.readouterr().err == ""


def test_a_packing_that_is_not_read_is_named_and_the_others_read() -> None:
    pieces, outcome, reason = read_broken(response(Content_Encoding="zz") + response())
    assert [piece.fragment for piece in pieces] == ["record=2"]
    assert outcome is FileOutcome.BINARY
    assert "record 1: It is packed" in reason


def test_a_hostile_page_is_named_and_the_others_read() -> None:
    page = b"<html>" + b"<div>" * 200_000
    pieces, _, reason = read_broken(response(page) + response())
    assert len(pieces) == 1
    assert "record 1: The page nests" in reason


def test_bombs_in_responses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_PAGE_BYTES", 1_000_000)
    bomb = response(gzip.compress(bytes(9_000_000)), Content_Encoding="gzip")
    pieces, _, reason = read_broken(bomb + response())
    assert len(pieces) == 1
    assert "record 1: It has more than 1000000 bytes" in reason
    monkeypatch.setattr(budget, "MAX_UNPACKED_BYTES", 2_500_000)
    assert "when unpacked" in read_broken(bomb * 9)[2]


def test_a_bomb_of_an_archive_is_refused() -> None:
    body = gzip.compress(response(b" " * 9_000_000))
    assert read_broken(body)[1] is FileOutcome.TOO_LARGE


def test_content_and_not_the_name_makes_a_web_archive() -> None:
    assert extractor(response(), "a.txt") == "warc/1"
    assert extractor(b"WAR and peace", "a.warc") == "text-seed/3"
