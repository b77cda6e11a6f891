"""Files that are too large for a message or for the memory are read bit by bit."""

import gzip
import io
import json
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.filemessages import FilePlace, FileRead, FileToRead, ReadFiles
from ingest.files import read_files
from ingest.loading import FileAwayError, open_file
from ingest.messages import FileOutcome
from ingest.portions import FILE_BYTES, message_bytes
from ingest.readers import archives
from ingest.readers import json as json_reader

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
N = 40
TEXT = "Engineers expect the work to cost four million pounds in all. " * 4
PAGE = "<html><title>Title {0}</title><article><h1>Title {0}</h1><p>{1}</p></article>"


def record(n: int) -> bytes:
    return json.dumps({"title": f"Title {n}", "text": f"{n}. {TEXT}"}).encode() + b"\n"


def lines() -> bytes:
    return b"".join(map(record, range(N)))


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(N // 2):
            archive.writestr(f"{n}.jsonl", record(2 * n) + record(2 * n + 1))
    return stream.getvalue()


def tarred(mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:  # type: ignore[call-overload]
        for n in range(N):
            info = tarfile.TarInfo(f"{n}.json")
            info.size = len(record(n))
            archive.addfile(info, io.BytesIO(record(n)))
    return stream.getvalue()


def warc(*, packed: bool, n_records: int = N, said: str = TEXT * 2) -> bytes:
    records = []
    for n in range(n_records):
        page = PAGE.format(n, said)
        answer = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}"
        head = (
            "WARC/1.0\r\nWARC-Type: response\r\n"
            f"WARC-Target-URI: https://news.example/{n}\r\n"
            "Content-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(answer)}\r\n\r\n"
        )
        records.append(f"{head}{answer}\r\n\r\n".encode())
    return b"".join(map(gzip.compress, records) if packed else records)


STREAMS: dict[str, Callable[[], bytes]] = {
    "a.jsonl": lines,
    "a.zip": zipped,
    "a.tar": tarred,
    "a.tar.gz": lambda: tarred("w:gz"),
    "a.warc": lambda: warc(packed=False),
    "a.warc.gz": lambda: warc(packed=True),
}


def command(path: Path, *, whole: int, message: int = 8_000) -> ReadFiles:
    return ReadFiles(
        files=(FileToRead(file_id=7, path=str(path), source="gazette"),),
        max_file_bytes=whole,
        max_archive_bytes=10_000_000,
        max_message_bytes=message,
    )


def portions(
    asked: ReadFiles, is_over: Callable[[], bool] | None = None
) -> list[FileRead]:
    events = read_files(asked, now=NOW, is_over=is_over or (lambda: False))
    return [read for event in events for read in event.reads]


def titles(reads: list[FileRead]) -> list[str]:
    return [e.article.title for read in reads for e in read.entries if e.article]


def keys(reads: list[FileRead]) -> list[str]:
    return [entry.key for read in reads for entry in read.entries]


@pytest.fixture(params=STREAMS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    path.write_bytes(STREAMS[str(request.param)]())
    return path


@pytest.mark.parametrize("whole", [1, 10_000_000], ids=["stream", "whole"])
def test_the_portions_of_a_file_hold_each_article_once(
    archive: Path, whole: int
) -> None:
    reads = portions(command(archive, whole=whole))
    assert titles(reads) == [f"Title {n}" for n in range(N)]
    assert len(set(keys(reads))) == N
    assert len(reads) > 1
    assert {read.outcome for read in reads} == {FileOutcome.READ}
    assert all(message_bytes(read) <= 8_000 for read in reads)
    assert reads[0].start == FilePlace()
    assert all(one.end == other.start for one, other in pairwise(reads))
    assert [read.goes_on for read in reads] == [True] * (len(reads) - 1) + [False]
    assert reads[-1].end is None


@pytest.mark.parametrize("whole", [1, 10_000_000], ids=["stream", "whole"])
def test_a_portion_depends_on_its_beginning_alone(archive: Path, whole: int) -> None:
    asked = command(archive, whole=whole)
    all_portions = portions(asked)
    for n, portion in enumerate(all_portions):
        file = replace(asked.files[0], place=portion.start or FilePlace())
        assert portions(replace(asked, files=(file,))) == all_portions[n:]


@pytest.mark.parametrize("whole", [1, 10_000_000], ids=["stream", "whole"])
def test_an_archive_pauses_when_its_time_is_over_and_goes_on_there(
    archive: Path, whole: int
) -> None:
    asked, found = command(archive, whole=whole), []
    n_tasks = 0
    while True:
        reads = portions(asked, is_over=lambda: True)
        found += reads
        n_tasks += 1
        assert not reads[-1].goes_on
        if reads[-1].end is None:
            break
        asked = replace(asked, files=(replace(asked.files[0], place=reads[-1].end),))
    assert titles(found) == [f"Title {n}" for n in range(N)]
    # Lines that are held as a whole are read in no time.
    n_members = {".zip": N // 2, ".jsonl": N if whole == 1 else 1}
    assert n_tasks == n_members.get(archive.suffix, N)


@pytest.mark.parametrize("name", ["a.jsonl", "a.tar", "a.warc", "a.warc.gz"])
def test_reading_goes_on_without_what_was_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(STREAMS[name]())
    asked = command(path, whole=1)
    first, *others = portions(asked)
    assert first.end is not None
    assert 0 < first.end.offset < path.stat().st_size
    # By its first bytes a file is known for what it is; nothing else is looked at.
    with path.open("r+b") as stream:
        stream.seek(270)
        stream.write(bytes(first.end.offset - 270))
    file = replace(asked.files[0], place=first.end)
    on = portions(replace(asked, files=(file,)))
    assert titles(on) == titles(others)
    assert keys(on) == keys(others)


def test_pages_larger_than_a_buffer_are_whole_in_packed_records(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    # Hardly any of it can be packed, so that members end in the middle of what is read.
    words = sha256(b"").hexdigest()
    while len(words) < 30_000:
        words += f" {sha256(words.encode()).hexdigest()}"
    path.write_bytes(warc(packed=True, n_records=12, said=words))
    reads = portions(command(path, whole=1, message=100_000))
    assert titles(reads) == [f"Title {n}" for n in range(12)]
    assert [read.error for read in reads] == [None] * len(reads)
    texts = [e.article.text for read in reads for e in read.entries if e.article]
    assert {text.strip() for text in texts} == {words}


def test_one_compressed_stream_may_only_be_so_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_GZIP_BYTES", 500)
    for name, outcome in (
        ("a.tar.gz", FileOutcome.TOO_LARGE),
        ("a.warc.gz", FileOutcome.READ),
    ):
        path = tmp_path / name
        path.write_bytes(STREAMS[name]())
        assert path.stat().st_size > 500
        assert {read.outcome for read in portions(command(path, whole=1))} == {outcome}


def two_files(path: Path, *, whole: int) -> ReadFiles:
    """Ask for the rest of one file, and for another one."""
    other = path.with_name("other.json")
    other.write_bytes(record(0))
    asked = command(path, whole=whole)
    begun = replace(asked.files[0], place=portions(asked)[0].end or FilePlace())
    small = FileToRead(file_id=8, path=str(other), source="gazette")
    return replace(asked, files=(begun, small))


@pytest.mark.parametrize("whole", [2_000, 10_000_000], ids=["stream", "whole"])
def test_the_rest_of_a_file_that_is_out_of_reach_is_not_its_end(
    archive: Path, whole: int
) -> None:
    asked = two_files(archive, whole=whole)
    archive.rename(archive.with_name("away"))
    events = read_files(asked, now=NOW)
    (event,) = (next(events),)
    assert [read.file_id for read in event.reads] == [8]
    with pytest.raises(FileAwayError, match="does not exist"):
        next(events)
    # Of what was never opened, that is the end.
    missing = replace(asked, files=(replace(asked.files[0], place=FilePlace()),))
    (read,) = portions(missing)
    assert read.outcome is FileOutcome.MISSING


@pytest.mark.parametrize("whole", [2_000, 10_000_000], ids=["stream", "whole"])
def test_another_file_at_the_path_is_not_read_on(archive: Path, whole: int) -> None:
    asked = command(archive, whole=whole)
    first, second, *_ = portions(asked)
    begun = replace(
        asked.files[0],
        place=second.start or FilePlace(),
        content_key=first.content_key,
    )
    asked = replace(asked, files=(begun,))
    assert portions(asked)[0].entries == second.entries
    archive.write_bytes(archive.read_bytes() + b"\n")
    (read,) = portions(asked)
    assert "changed" in (read.error or "")
    assert read.entries == ()
    assert read.end is None


def test_what_a_disk_refuses_is_no_damage_of_the_file() -> None:
    # Reading the memory of a process at its beginning fails as a bad disk does.
    with (
        pytest.raises(FileAwayError, match="input/output error"),
        open_file(Path("/proc/self/mem"), max_bytes=1),
    ):
        pass


def test_what_is_held_as_a_whole_keeps_its_bytes_with_the_first_portion(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines())
    reads = portions(command(path, whole=10_000_000))
    assert reads[0].document is not None
    assert {read.document for read in reads[1:]} == {None}
    assert {read.document for read in portions(command(path, whole=1))} == {None}


def test_what_is_wrong_with_members_is_told_with_the_portion_they_are_in(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines() + b'{"broken\n' + lines() + b"[]\n")
    asked = command(path, whole=1, message=1_000_000)
    (read,) = portions(asked)
    assert len(read.entries) == 2 * N
    assert f"line {N + 1}:" in (read.error or "")
    over = iter([False] * (N + 1) + [True])
    (first,) = portions(asked, is_over=lambda: next(over))
    assert first.end == FilePlace(member=N + 2)
    assert f"line {N + 1}:" in (first.error or "")
    assert f"line {2 * N + 2}:" not in (first.error or "")


def test_one_article_too_large_for_a_message_does_not_cost_the_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.jsonl"
    large = json.dumps({"title": "Large", "text": TEXT * 100}).encode() + b"\n"
    path.write_bytes(lines() + large + lines())
    reads = portions(command(path, whole=1))
    assert len(titles(reads)) == 2 * N
    errors = [read.error for read in reads if read.error]
    assert len(errors) == 1
    assert f"line={N + 1}: It needs more than 8000 bytes" in errors[0]


def test_a_line_longer_than_a_file_may_be_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_reader, "MAX_MEMBER_BYTES", 1_000)
    path = tmp_path / "a.jsonl"
    path.write_bytes(record(0) + b'{"text": "' + b"a" * 5_000 + b'"}\n' + record(1))
    (read,) = portions(command(path, whole=1, message=1_000_000))
    assert titles([read]) == ["Title 0", "Title 1"]
    assert "line 2: It has more than" in (read.error or "")


def test_a_file_that_breaks_off_keeps_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(tarred()[:20_000])
    reads = portions(command(path, whole=1))
    assert len(titles(reads)) > 5
    assert "broken" in (reads[-1].error or "")


@pytest.mark.parametrize(
    "content", [b"A long text. " * 1_000, b"[" + b"1, " * 5_000 + b"1]", b"{\n" * 4_000]
)
def test_what_cannot_be_read_bit_by_bit_is_too_large(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    (read,) = portions(command(path, whole=1_000))
    assert read.outcome is FileOutcome.TOO_LARGE
    assert "bit by bit" in (read.error or "")


def test_an_archive_beyond_its_own_limit_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines())
    asked = replace(command(path, whole=1), max_archive_bytes=100)
    (read,) = portions(asked)
    assert read.outcome is FileOutcome.TOO_LARGE
    assert "100 bytes" in (read.error or "")


def test_a_bomb_inside_a_large_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(bytes(30_000_000)))
    (read,) = portions(command(path, whole=100))
    assert read.outcome is FileOutcome.TOO_LARGE


def test_lines_are_read_in_the_memory_of_a_few(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    n_bytes = 0
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for n in range(60_000):
            n_bytes += stream.write(record(n))
    asked = command(path, whole=1_000, message=100_000)

    def first_titles() -> Iterator[str]:
        for event in read_files(asked, now=NOW):
            for read in event.reads:
                yield titles([read])[0]

    found = first_titles()
    tracemalloc.start()
    try:
        for _ in range(30):
            assert next(found).startswith("Title")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The first ten million bytes are looked at before it is known to be lines.
    assert peak < 40_000_000
    assert n_bytes > 15_000_000
    assert asked.max_message_bytes > FILE_BYTES
