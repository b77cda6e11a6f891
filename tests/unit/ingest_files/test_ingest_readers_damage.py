"""Whatever happens to a file of any format, it has articles or a reason."""

import gzip
import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.samples import HTML, PAGE, TEXT, TITLE

from ingest.readers.reader import Piece, UnreadableContentError
from ingest.readers.registry import find_reader

RECORD = json.dumps({"title": TITLE, "text": TEXT, "date": "2026-03-05"})
HTTP = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{PAGE}".encode()
WARC = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/\r\n"
    b"WARC-Date: 2026-03-06T09:00:00Z\r\nContent-Type: application/http\r\n"
    b"Content-Length: %d\r\n\r\n%b\r\n\r\n" % (len(HTTP), HTTP)
)
MAIL = (
    "From: A <a@b.example>\nSubject: =?utf-8?q?B?=\nDate: today\nMIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n"
    f"{PAGE}\n--b--\n"
)
NITF = (
    f"<?xml version='1.0' encoding='utf-8'?><nitf><head><title>{TITLE}</title></head>"
    f"<body><body.content>{HTML}</body.content></body></nitf>"
)
WXR = (
    "<rss xmlns:wp='x'><channel><link>http://a.example</link><item>"
    f"<title>{TITLE}</title><encoded><![CDATA[{HTML}]]></encoded></item></channel></rss>"
)
NEWSML = (
    f"<newsItem guid='a'><contentMeta><headline>{TITLE}</headline></contentMeta>"
    f"<contentSet><inlineXML><html>{HTML}</html></inlineXML></contentSet></newsItem>"
)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.html", PAGE)
        archive.writestr("b.json", RECORD)
    return stream.getvalue()


SAMPLES = {
    "csv": f'title,text\n"{TITLE}","{TEXT}"\n'.encode(),
    "html": PAGE.encode(),
    "json": RECORD.encode(),
    "mail": MAIL.encode(),
    "markdown": f"---\ntitle: {TITLE}\nauthor: [A, B]\n---\n# B\n\n{TEXT}".encode(),
    "newsml": NEWSML.encode(),
    "nitf": NITF.encode(),
    "warc": WARC,
    "warc.gz": gzip.compress(WARC),
    "wxr": WXR.encode(),
    "zip": zipped(),
}
INSERTED = st.binary(max_size=9) | st.sampled_from(
    [b"\0", b"<", b"&a;", b"]]>", b'"', b"\r\n\r\n", b"-1", b"9" * 30, b"\xed\xa0\x80"]
)
PLACES = st.floats(0, 1, exclude_max=True)


def pieces_of(body: bytes) -> list[Piece]:
    found: list[Piece] = []
    with suppress(UnreadableContentError):
        found.extend(find_reader(body, Path("a.txt")).read(body))
    return found


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_sample_is_one_before_it_is_damaged(kind: str) -> None:
    assert TITLE.partition(",")[0] in f"{pieces_of(SAMPLES[kind])}" or kind == "mail"
    assert pieces_of(SAMPLES[kind])


@pytest.mark.parametrize("kind", SAMPLES)
@given(cut=PLACES, damage=st.lists(st.tuples(PLACES, INSERTED, st.integers(0, 40))))
def test_damage_ends_in_articles_or_a_reason(
    kind: str, cut: float, damage: list[tuple[float, bytes, int]]
) -> None:
    body = SAMPLES[kind]
    for place, inserted, n_lost in damage:
        at = int(place * len(body))
        body = body[:at] + inserted + body[at + n_lost :]
    for damaged in (body, body[: int(cut * len(body))]):
        for piece in pieces_of(damaged):
            assert 0.0 <= piece.confidence <= 1.0
