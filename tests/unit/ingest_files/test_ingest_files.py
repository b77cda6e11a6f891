import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.articles import article_uid
from ingest.documents import unpack
from ingest.filemessages import FileRead, FileToRead, ReadFiles
from ingest.files import read_files
from ingest.messages import FileOutcome, KeyMode
from ingest.portions import message_bytes
from ingest.readers import registry
from ingest.readers.reader import Piece, UnreadableContentError

NOW = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
DUMP = """fbpx

World

Council votes to reopen the old harbour bridge

[ssba]

5 March 2026

The council voted on Tuesday evening to reopen the old harbour bridge to all cars.

Engineers expect the work to cost four million pounds and to last until the spring.

Leave a comment
"""


def command(
    *paths: Path, max_file_bytes: int = 100_000, max_message_bytes: int = 100_000
) -> ReadFiles:
    return ReadFiles(
        files=tuple(
            FileToRead(file_id=i, path=str(path), source="gazette")
            for i, path in enumerate(paths)
        ),
        max_file_bytes=max_file_bytes,
        max_message_bytes=max_message_bytes,
    )


def read_one(path: Path, **limits: int) -> FileRead:
    (event,) = read_files(command(path, **limits), now=NOW)
    (read,) = event.reads
    return read


def seed(folder: Path, name: str = "a.txt", content: str | bytes = DUMP) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_seed_file_becomes_one_article(tmp_path: Path) -> None:
    path = seed(tmp_path, "brücke 1.txt")
    read = read_one(path)
    (entry,) = read.entries
    assert read.outcome is FileOutcome.READ
    assert read.error is None
    assert (entry.key, entry.key_mode) == (path.as_uri(), KeyMode.FILE)
    assert entry.article is not None
    assert entry.article.title == "Council votes to reopen the old harbour bridge"
    assert entry.article.text.startswith("The council voted")
    assert entry.article.source == "gazette"
    assert entry.article.url is None
    assert entry.article.extractor == "text-seed/3"
    assert entry.article.published_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert entry.article.published_from == "dateline"


def test_the_bytes_of_the_file_travel_with_it(tmp_path: Path) -> None:
    path = seed(tmp_path)
    document = read_one(path).document
    assert document is not None
    assert unpack(document) == path.read_bytes()
    assert document.media_type == "text/plain"


def test_the_identity_is_the_file_and_the_hash_is_the_content(tmp_path: Path) -> None:
    paths = [seed(tmp_path, name) for name in ("a.txt", "b.txt")]
    (event,) = read_files(command(*paths), now=NOW)
    first, second = (read.entries[0].article for read in event.reads)
    assert first is not None
    assert second is not None
    assert first.uid != second.uid
    assert first.content_hash == second.content_hash


def test_a_date_in_the_future_keeps_its_spelling_only(tmp_path: Path) -> None:
    path = seed(tmp_path, content=DUMP.replace("5 March 2026", "5 March 2027"))
    article = read_one(path).entries[0].article
    assert article is not None
    assert article.published_at is None
    assert article.published_raw == "5 March 2027"


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (b"", FileOutcome.EMPTY),
        (b"\xef\xbb\xbf\r\n \n", FileOutcome.EMPTY),
        (b"%PDF-1.7 " + bytes(100), FileOutcome.BINARY),
        (b"fbpx\n\nNews\n", FileOutcome.NO_ARTICLE),
        (b"<?xml version='1.0'?><a><b></a>", FileOutcome.MALFORMED),
        (b"<rss version='2.0'><channel/></rss>", FileOutcome.MALFORMED),
        (b"a" * 200_000, FileOutcome.TOO_LARGE),
    ],
)
def test_content_without_an_article_has_an_outcome(
    tmp_path: Path, content: bytes, outcome: FileOutcome
) -> None:
    read = read_one(seed(tmp_path, content=content))
    assert read.outcome is outcome
    assert read.entries == ()
    assert read.error is not None
    assert read.error.endswith(".")


def test_what_could_be_read_is_kept_for_a_better_reader(tmp_path: Path) -> None:
    assert read_one(seed(tmp_path, content="fbpx\n\nNews\n")).document is not None
    assert read_one(seed(tmp_path, content=b"%PDF-1.7")).document is None


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    exact = seed(tmp_path)
    assert read_one(exact, max_file_bytes=len(DUMP)).outcome is FileOutcome.READ
    read = read_one(exact, max_file_bytes=len(DUMP) - 1)
    assert read.outcome is FileOutcome.TOO_LARGE


def test_a_sparse_file_of_a_terabyte_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sparse.txt"
    with path.open("wb") as stream:
        stream.truncate(1 << 40)
    assert read_one(path).outcome is FileOutcome.TOO_LARGE


def test_paths_that_are_no_files_have_clear_outcomes(tmp_path: Path) -> None:
    pipe, sock, link = (tmp_path / name for name in ("pipe", "sock", "link"))
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sock))
        paths = [tmp_path, pipe, sock, link, tmp_path / "none", Path("/dev/zero")]
        (event,) = read_files(command(*paths), now=NOW)
    errors = [read.error or "" for read in event.reads]
    words = ["folder", "pipe", "socket", "link", "does not exist", "device"]
    assert all(word in error for word, error in zip(words, errors, strict=True))
    assert {read.outcome for read in event.reads} == {
        FileOutcome.UNREADABLE,
        FileOutcome.MISSING,
    }


def test_links_that_turn_in_a_circle_do_not_hang(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.symlink_to(two)
    two.symlink_to(one)
    assert read_one(one).outcome is FileOutcome.UNREADABLE


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        ("relative.txt", FileOutcome.UNREADABLE),
        ("/a\0b", FileOutcome.MISSING),
        ("/" + "a" * 300, FileOutcome.UNREADABLE),
        ("/dev/null/a.txt", FileOutcome.MISSING),
    ],
)
def test_impossible_paths_have_outcomes(path: str, outcome: FileOutcome) -> None:
    assert read_one(Path(path)).outcome is outcome


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    path = seed(tmp_path)
    path.chmod(0)
    read = read_one(path)
    assert read.outcome is FileOutcome.UNREADABLE
    assert "permission" in (read.error or "")


def test_events_are_bounded_and_lose_no_file(tmp_path: Path) -> None:
    paths = [seed(tmp_path, f"{i}.txt") for i in range(10)]
    limit = 5_000
    events = list(read_files(command(*paths, max_message_bytes=limit), now=NOW))
    assert len(events) > 1
    assert all(sum(map(message_bytes, event.reads)) <= limit for event in events)
    ids = [read.file_id for event in events for read in event.reads]
    assert ids == list(range(10))


def test_a_file_too_large_for_any_message_says_so(tmp_path: Path) -> None:
    read = read_one(seed(tmp_path), max_message_bytes=600)
    assert read.outcome is FileOutcome.TOO_LARGE
    assert "message" in (read.error or "")


def growing(monkeypatch: pytest.MonkeyPatch, path: Path, *, times: int) -> None:
    """Let a writer add to a file each time that somebody has just opened it."""
    really_open = Path.open
    left = [times]

    def open_and_write(opened: Path, mode: str) -> IO[Any]:
        stream = really_open(opened, mode)
        if left[0]:
            left[0] -= 1
            with really_open(path, "a") as writer:
                writer.write("More of it.\n")
        return stream

    monkeypatch.setattr(Path, "open", open_and_write)


def test_a_file_that_just_grew_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = seed(tmp_path)
    growing(monkeypatch, path, times=1)
    document = read_one(path).document
    assert document is not None
    assert unpack(document).endswith(b"More of it.\n")


def test_a_file_that_keeps_changing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = seed(tmp_path)
    growing(monkeypatch, path, times=99)
    read = read_one(path)
    assert read.outcome is FileOutcome.UNREADABLE
    assert "changed" in (read.error or "")


class TwoArticles:
    """A format that holds more than one article in a file."""

    extractor = "two/1"
    media_type = "text/x-two"

    def sniff(self, head: bytes, path: Path, /) -> bool:
        return head.startswith(b"two") and path.suffix == ".two"

    def read(self, body: bytes, /) -> Iterator[Piece]:
        for fragment in body.decode().split():
            yield Piece(
                title=fragment,
                text="One sentence.",
                byline=None,
                language="en",
                published=None,
                confidence=1.0,
                fragment=fragment,
            )


def test_articles_of_one_file_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "READERS", (TwoArticles(), *registry.READERS))
    path = seed(tmp_path, "a.two", "two articles")
    entries = read_one(path).entries
    assert [entry.key for entry in entries] == [
        f"{path.as_uri()}#two",
        f"{path.as_uri()}#articles",
    ]
    assert len({entry.article.uid for entry in entries if entry.article}) == 2


class Broken(TwoArticles):
    """A file that breaks off behind its first article, with two at one place."""

    def read(self, body: bytes, /) -> Iterator[Piece]:
        (first, _) = super().read(body)
        yield first
        yield replace(first, title="Another")
        raise UnreadableContentError(FileOutcome.MALFORMED, "It breaks off.")


def test_a_file_that_breaks_off_gives_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "READERS", (Broken(), *registry.READERS))
    path = seed(tmp_path, "a.two", "two articles")
    read = read_one(path)
    assert (read.outcome, read.error) == (FileOutcome.READ, "It breaks off.")
    keys = [f"{path.as_uri()}#two", f"{path.as_uri()}#two~2"]
    assert [entry.key for entry in read.entries] == keys


RECORD = {"title": "A title", "text": "A text.", "url": "HTTP://News.example/a?utm_a=1"}


def test_a_page_is_one_article_whether_a_feed_or_a_file_tells_of_it(
    tmp_path: Path,
) -> None:
    path = seed(tmp_path, content=json.dumps(RECORD))
    (entry,) = read_one(path).entries
    assert entry.article is not None
    assert entry.key == path.as_uri()
    assert entry.link == RECORD["url"]
    assert entry.article.url == "http://news.example/a"
    assert entry.article.uid == article_uid("http://news.example/a")
    assert entry.article.source == "news.example"


@pytest.mark.parametrize("url", ["", "mailto:a@example.org", "http://" + "a" * 3000])
def test_an_address_that_is_none_is_no_identity(tmp_path: Path, url: str) -> None:
    path = seed(tmp_path, content=json.dumps(RECORD | {"url": url}))
    (entry,) = read_one(path).entries
    assert entry.article is not None
    assert (entry.link, entry.article.url) == (None, None)
    assert entry.article.uid == article_uid(path.as_uri())
    assert entry.article.source == "gazette"


def test_what_a_file_says_of_an_article_stands_in_its_entry(tmp_path: Path) -> None:
    record = RECORD | {
        "authors": ["Jane Roe", "John Doe"],
        "language": "en-GB",
        "source_domain": "gazette.example",
        "date_publish": "2026-03-05 17:40:00",
        "date_modify": "2036-01-01 00:00:00",
    }
    (entry,) = read_one(seed(tmp_path, content=json.dumps(record))).entries
    assert entry.article is not None
    assert entry.authors == ("Jane Roe", "John Doe")
    assert entry.article.byline == "Jane Roe, John Doe"
    assert entry.article.language == "en"
    assert entry.article.source == "gazette.example"
    assert entry.published is not None
    assert entry.published.at == datetime(2026, 3, 5, 17, 40, tzinfo=UTC)
    assert entry.updated is not None
    assert (entry.updated.at, entry.updated.raw) == (None, "2036-01-01 00:00:00")


def test_the_operator_overrules_what_a_file_says_of_its_publisher(
    tmp_path: Path,
) -> None:
    record = RECORD | {"source_domain": "gazette.example"}
    asked = command(seed(tmp_path, content=json.dumps(record)))
    (file,) = asked.files
    given = replace(asked, files=(replace(file, source_is_given=True),))
    (event,) = read_files(given, now=NOW)
    (entry,) = event.reads[0].entries
    assert entry.article is not None
    assert entry.article.source == "gazette"


def test_a_repair_is_part_of_what_made_the_article(tmp_path: Path) -> None:
    broken = DUMP.replace("The council", "L\u2019été, the council")
    wrong = broken.encode().decode("cp1252")
    extractors = [
        read_one(seed(tmp_path, content=text)).entries[0].article
        for text in (broken, wrong)
    ]
    assert [one.extractor for one in extractors if one] == [
        "text-seed/3",
        "text-seed/3+ftfy",
    ]


def test_articles_matter_more_than_the_bytes_they_came_in(tmp_path: Path) -> None:
    noise = {"text": "A text.", "noise": os.urandom(3_000).hex()}
    path = seed(tmp_path, content=json.dumps(RECORD | noise))
    assert read_one(path).document is not None
    read = read_one(path, max_message_bytes=3_000)
    assert (read.outcome, read.document) == (FileOutcome.READ, None)
    assert len(read.entries) == 1
    assert message_bytes(read) <= 3_000


def test_no_files_give_no_event() -> None:
    assert list(read_files(command(), now=NOW)) == []


@given(st.binary(max_size=400))
def test_any_content_has_one_outcome(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    read = read_one(seed(tmp_path_factory.getbasetemp(), "any", content))
    assert bool(read.entries) == (read.outcome is FileOutcome.READ)
    assert read.error is not None or read.outcome is FileOutcome.READ
