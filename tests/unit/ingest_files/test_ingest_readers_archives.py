import gzip
import io
import json
import os
import stat
import struct
import tarfile
import zipfile

import pytest
from support.samples import PAGE, TEXT, TITLE, extractor, read, read_broken

from ingest.messages import FileOutcome
from ingest.readers import budget

RECORD = json.dumps({"title": TITLE, "text": TEXT})
FILES = {
    "news/a.html": PAGE.encode(),
    "b c.jsonl": f"{RECORD}\n{RECORD}\n".encode(),
    "news/ü.md": f"# {TITLE}\n\n{TEXT}".encode(),
}
FRAGMENTS = [
    "news/a.html",
    "b%20c.jsonl#line=1",
    "b%20c.jsonl#line=2",
    "news/%C3%BC.md",
]


def zipped(files: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return stream.getvalue()


def tarred(files: dict[str, bytes], *others: tarfile.TarInfo, mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
        for info in others:
            archive.addfile(info)
    return stream.getvalue()


ARCHIVES = {
    "zip": zipped(FILES),
    "stored zip": zipped(FILES, zipfile.ZIP_STORED),
    "tar": tarred(FILES),
    "tar.gz": tarred(FILES, mode="w:gz"),
    "tar with dots": tarred({f"./{name}": body for name, body in FILES.items()}),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_members_are_read_as_the_files_they_are(kind: str) -> None:
    pieces = read(ARCHIVES[kind], "a.txt")
    assert [piece.fragment for piece in pieces] == FRAGMENTS
    assert {piece.title for piece in pieces} == {TITLE}
    assert {piece.text for piece in pieces} == {TEXT}
    assert [piece.extractor for piece in pieces] == [
        "html-page/3",
        *["json-record/1"] * 2,
        "markdown/1",
    ]


def test_a_compressed_file_is_read_as_what_it_is() -> None:
    (piece,) = read(gzip.compress(PAGE.encode()))
    assert (piece.title, piece.fragment) == (TITLE, None)
    assert piece.extractor == "html-page/3"
    halves = gzip.compress(PAGE[:300].encode()) + gzip.compress(PAGE[300:].encode())
    assert read(halves + bytes(512)) == [piece]


def test_what_systems_leave_in_archives_is_passed_over() -> None:
    files = {
        "__MACOSX/._a.html": b"\0\1",
        ".DS_Store": b"\0",
        "a/": b"",
        "a.md": b"# A",
    }
    assert [piece.fragment for piece in read(zipped(files))] == ["a.md"]
    folder = tarfile.TarInfo("a")
    folder.type = tarfile.DIRTYPE
    assert len(read(tarred({"a.md": b"# A"}, folder))) == 1


def test_members_that_cannot_be_read_are_named_and_the_others_read() -> None:
    files = {"a.png": b"\x89PNG", "b.txt": b"", "c.txt": b"News\n", **FILES}
    pieces, outcome, reason = read_broken(zipped(files))
    assert [piece.fragment for piece in pieces] == FRAGMENTS
    assert outcome is FileOutcome.BINARY
    assert "a.png: The file is no text: it is a picture" in reason
    assert "b.txt: It has no content" in reason
    assert "c.txt: No line of it is article text" in reason


PATHS = ["../a.md", "a/../../b.md", "/etc/a.md", "..\\a.md", "C:\\a.md", "\\\\a\\b.md"]


@pytest.mark.parametrize("path", PATHS)
def test_paths_that_lead_out_of_an_archive_are_refused_and_named(path: str) -> None:
    for archive in (zipped, tarred):
        pieces, _, reason = read_broken(archive({path: b"# A", **FILES}))
        assert [piece.fragment for piece in pieces] == FRAGMENTS
        assert path.rsplit("\\", maxsplit=1)[-1] in reason
        assert "Its path" in reason


@pytest.mark.parametrize("path", ["a" * 2_000 + ".md", "a\x1bb.md"])
def test_paths_that_are_no_names_are_refused(path: str) -> None:
    assert "no name of a file" in read_broken(tarred({path: b"# A"}))[2]


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, b"S"],
)
def test_links_and_devices_in_a_tar_are_refused_and_named(kind: bytes) -> None:
    info = tarfile.TarInfo("odd.md")
    info.type = kind
    info.linkname = "/etc/hostname"
    pieces, _, reason = read_broken(tarred({"a.md": b"# A"}, info))
    assert len(pieces) == 1
    assert "odd.md: It is a" in reason or "broken" in reason


def test_links_and_secrets_in_a_zip_are_refused_and_named() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("link.md")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/hostname")
    assert "link.md: It is a link" in read_broken(stream.getvalue())[2]
    body = bytearray(zipped({"a.md": b"# A"}))
    body[6] |= 1  # in the header of the member
    body[body.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    assert "a.md: It is encrypted" in read_broken(bytes(body))[2]


def test_a_packing_that_is_not_read_is_named() -> None:
    assert "packed in a way" in read_broken(zipped(FILES, zipfile.ZIP_LZMA))[2]


def test_an_archive_in_an_archive_is_opened_and_none_in_that() -> None:
    inner = tarred({"a.md": b"# A"}, mode="w:gz")
    (piece,) = read(zipped({"in.tgz": inner}))
    assert piece.fragment == "in.tgz#a.md"
    pieces, outcome, reason = read_broken(
        zipped({"b.md": b"# B", "c.zip": zipped({"d.zip": zipped(FILES)})})
    )
    assert [piece.fragment for piece in pieces] == ["b.md"]
    assert outcome is FileOutcome.TOO_LARGE
    assert "archive inside an archive inside" in reason


def test_an_archive_that_holds_itself_ends() -> None:
    body = gzip.compress(b"# A")
    for _ in range(50):
        body = gzip.compress(body)
    assert read_broken(body)[1] is FileOutcome.TOO_LARGE


BOMB = bytes(50_000_000)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(BOMB),
        gzip.compress(tarred({"a.txt": BOMB})),
        zipped({"a.txt": BOMB[:9_000_000]}),
        zipped({"a.zip": zipped({"b.txt": BOMB[:9_000_000]})}),
    ],
    ids=["gz", "tar.gz", "zip", "zip in zip"],
)
def test_bombs_are_refused(body: bytes) -> None:
    pieces, outcome, reason = read_broken(body)
    assert (pieces, outcome) == ([], FileOutcome.TOO_LARGE)
    assert "times its size" in reason


def test_what_an_archive_unpacks_to_is_bounded_over_all_members(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "MAX_UNPACKED_BYTES", 300_000)
    noise = {"text": TEXT, "title": TITLE, "noise": os.urandom(70_000).hex()}
    files = {f"{i}.json": json.dumps(noise).encode() for i in range(9)}
    for archive in (zipped(files), tarred(files, mode="w:gz")):
        pieces, outcome, reason = read_broken(archive)
        # A tar is unpacked a little ahead of what is read of it.
        assert len(pieces) in {1, 2}
        assert outcome is FileOutcome.TOO_LARGE
        assert "more than 300000 bytes" in reason


def test_members_are_counted_over_all_archives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_MEMBERS", 5)
    inner = zipped({f"{i}.md": b"# A" for i in range(3)})
    pieces, outcome, reason = read_broken(zipped({"a.zip": inner, "b.zip": inner}))
    assert (len(pieces), outcome) == (3, FileOutcome.TOO_LARGE)
    assert "more than 5 members" in reason


def test_a_zip_of_a_million_members_is_refused_unread() -> None:
    body = bytearray(zipped(FILES))
    end = body.rindex(b"PK\x05\x06")
    body[end + 12 : end + 16] = struct.pack("<I", 60_000_000)
    assert "too many members" in read_broken(bytes(body))[2]


def test_a_declared_size_of_a_gigabyte_costs_nothing() -> None:
    info = tarfile.TarInfo("a.txt")
    info.size = 1 << 30
    head = info.tobuf()
    pieces, outcome, _ = read_broken(tarred(FILES)[:-10_240] + head + b"a" * 2_000)
    assert outcome is FileOutcome.TOO_LARGE
    body = bytearray(zipped({"a.md": b"# A"}))
    directory = body.index(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 1 << 30)
    pieces, outcome, reason = read_broken(bytes(body))
    assert (pieces, outcome) == ([], FileOutcome.TOO_LARGE)
    assert "a.md: It has more than 10000000 bytes" in reason


def test_a_header_of_a_tar_that_declares_much_is_refused() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 1 << 30
    body = info.tobuf(tarfile.GNU_FORMAT) + b"a" * 20_000
    assert read_broken(body)[1] is FileOutcome.TOO_LARGE


def test_remarks_on_remarks_without_end_are_refused() -> None:
    info = tarfile.TarInfo("a")
    info.type = tarfile.XHDTYPE
    assert read_broken(info.tobuf(tarfile.USTAR_FORMAT) * 5_000)[0] == []


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_an_archive_that_breaks_off_gives_what_came_before(kind: str) -> None:
    files = {"a.md": b"# A", "b.txt": os.urandom(20_000).hex().encode()}
    whole = tarred(files, mode="w:gz" if kind == "tar.gz" else "w")
    pieces, outcome, _ = read_broken(whole[: len(whole) // 2])
    assert [piece.fragment for piece in pieces] == ["a.md"]
    assert outcome is FileOutcome.MALFORMED


def test_a_compressed_file_that_breaks_off_gives_what_came_before() -> None:
    lines = "".join(f"{RECORD}\n" for _ in range(100))
    whole = gzip.compress(lines.encode() + os.urandom(9_000).hex().encode())
    pieces, _, reason = read_broken(whole[:-4_000])
    assert len(pieces) == 100
    assert reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (zipped(FILES)[:-40], "broken"),
        (b"PK\x03\x04", "broken"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff", "damaged"),
        (b"\x1f\x8b\x08", "breaks off"),
        (gzip.compress(b""), "no content"),
        (b"a" * 257 + b"ustar" + b"a" * 400, "broken"),
    ],
    # Not from the bytes, in which gzip writes the time.
    ids=["cut zip", "bare zip", "gzip of nothing", "cut gzip", "empty gzip", "tar"],
)
def test_a_damaged_archive_says_so(body: bytes, reason: str) -> None:
    assert reason in read_broken(body)[2]


def test_a_damaged_member_is_named() -> None:
    body = bytearray(zipped({"a.md": b"# A" * 50, "b.md": b"# B"}))
    body[36] ^= 0xFF
    pieces, _, reason = read_broken(bytes(body))
    assert [piece.fragment for piece in pieces] == ["b.md"]
    assert "a.md: The member is broken" in reason


def test_an_office_document_is_no_archive_of_articles() -> None:
    body = zipped({"[Content_Types].xml": b"<a/>", "word/document.xml": b"<a/>"})
    pieces, outcome, _ = read_broken(body)
    assert (pieces, outcome) == ([], FileOutcome.BINARY)


def test_content_and_not_the_name_makes_an_archive() -> None:
    assert extractor(zipped(FILES), "a.txt") == "zip/1"
    assert extractor(b"PK and more text", "a.zip") == "text-seed/3"
