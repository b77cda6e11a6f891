"""Large files: what it costs to read one from its beginning, and to go on near its end.

Each form of archive holds the same records of 5 KB. Every reading is a process of its
own, so that its peak of memory is that of one reader.
Usage: `python -m benchmarks.archives [RECORDS [FORM...]]`, or
`make bench-archives RECORDS=100000 FORMS="tar tar.gz"`.
"""

import gzip
import io
import json
import random
import resource
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingest.filemessages import FilePlace, FileToRead, ReadFiles
from ingest.messages import utc_now
from ingest.portions import read_portions

DEFAULT_RECORDS = 20_000
SENTENCE = "Engineers of {0:x} expect that the work {1:x} costs {2} pounds. "
SENTENCES = 75  # 5 KB, which gzip packs to a third, as it does real texts
NEAR_THE_END = 0.95  # of the portions; there reading goes on
FORMS = ("jsonl", "jsonl.gz", "tar", "tar.gz", "warc", "warc.gz")
SPAWN = get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one form took."""

    form: str
    mb: float  # of the file
    n_articles: int
    cpu_seconds: float  # to read all of it
    peak_mb: float  # of that process
    on_cpu_seconds: float  # to go on near the end, up to the first portion
    on_peak_mb: float


def main(arguments: list[str]) -> None:
    """Make one archive of each form, read it twice and print what that took."""
    n_records = int(arguments[0]) if arguments else DEFAULT_RECORDS
    costs = []
    for form in arguments[1:] or FORMS:
        with tempfile.TemporaryDirectory(prefix="wrb-") as name:
            path = Path(name) / f"a.{form}"
            write(path, n_records)
            costs.append(measure(path, form))
    table = Table(title=f"{n_records:,} records of 5 KB")
    names = list(asdict(costs[0]))
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for cost in costs:
        table.add_row(*(str(value) for value in asdict(cost).values()))
    Console().print(table)
    print(json.dumps({"records": n_records, "forms": [asdict(one) for one in costs]}))


def measure(path: Path, form: str) -> Cost:
    """Read a file from its beginning, and from near its end, each in a process."""
    with SPAWN.Pool(1) as pool:
        n_articles, places, cpu, peak = pool.apply(read, (path, FilePlace(), None))
    with SPAWN.Pool(1) as pool:
        place = places[int(len(places) * NEAR_THE_END)]
        _, _, on_cpu, on_peak = pool.apply(read, (path, place, 1))
    return Cost(
        form=form,
        mb=round(path.stat().st_size / 1e6, 1),
        n_articles=n_articles,
        cpu_seconds=cpu,
        peak_mb=peak,
        on_cpu_seconds=on_cpu,
        on_peak_mb=on_peak,
    )


def read(
    path: Path, place: FilePlace, most: int | None
) -> tuple[int, list[FilePlace], float, float]:
    """Return articles, beginnings of portions, CPU seconds and MB, of so many."""
    file = FileToRead(file_id=1, path=str(path), source="bench", place=place)
    command = ReadFiles(
        files=(file,),
        max_file_bytes=10_000,  # none of them is read as a whole
        max_archive_bytes=100_000_000_000,
        max_message_bytes=1_000_000,
    )
    started, n_articles, places = time.process_time(), 0, []
    for portion in read_portions(file, command, now=utc_now()):
        n_articles += len(portion.entries)
        places.append(portion.start or FilePlace())
        if len(places) == most:
            break
    cpu = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return n_articles, places, round(cpu, 2), round(peak, 1)


def write(path: Path, n_records: int) -> None:
    """Write an archive of the form that its name says."""
    kind, _, packing = path.name.removeprefix("a.").partition(".")
    records = map(text, range(n_records))
    if kind == "tar":
        write_tar(path, records, packing)
    elif kind == "warc":
        with path.open("wb") as stream:
            for n, one in enumerate(records):
                packed = warc_record(n, one)
                stream.write(gzip.compress(packed, 1) if packing else packed)
    else:
        with open_packed(path, packing) as stream:
            for n, one in enumerate(records):
                stream.write(record(n, one) + b"\n")


def write_tar(path: Path, records: Iterator[str], packing: str) -> None:
    """Write a tar archive of one JSON file a record."""
    with (
        open_packed(path, packing) as stream,
        tarfile.open(fileobj=stream, mode="w|") as archive,
    ):
        for n, one in enumerate(records):
            body = record(n, one)
            info = tarfile.TarInfo(f"{n % 1000}/{n}.json")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))


def open_packed(path: Path, packing: str) -> gzip.GzipFile | io.BufferedWriter:
    """Open a file for writing, packed if that is asked for."""
    return gzip.open(path, "wb", 1) if packing else path.open("wb")


def text(n: int) -> str:
    """Return a text that no other record has."""
    draw = random.Random(n).getrandbits  # noqa: S311 - no secret
    return "".join(
        SENTENCE.format(draw(32), draw(48), draw(16)) for _ in range(SENTENCES)
    )


def record(n: int, said: str) -> bytes:
    """Return an article in JSON."""
    return json.dumps({"title": f"Report {n} on the works", "text": said}).encode()


def warc_record(n: int, said: str) -> bytes:
    """Return a page as it was fetched."""
    page = (
        f"<html><head><title>Report {n} on the works</title></head><body><article>"
        f"<h1>Report {n} on the works</h1><p>{said}</p></article></body></html>"
    )
    answer = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}".encode()
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Target-URI: https://news.example/{n}\r\n"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(answer)}\r\n\r\n"
    )
    return head.encode() + answer + b"\r\n\r\n"


if __name__ == "__main__":
    main(sys.argv[1:])
