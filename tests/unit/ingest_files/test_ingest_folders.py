"""Polls of folders: what is told of them, in little memory and with no file opened."""

import asyncio
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import folders
from ingest.fetch import FetchOptions, open_fetch
from ingest.foldermarks import (
    N_SPOTS,
    Marks,
    Sums,
    batches,
    changed_buckets,
    spot_of,
    stretches,
)
from ingest.folders import poll_folder
from ingest.listing import list_files
from ingest.messages import (
    FeedPolled,
    FeedsPolled,
    FeedToPoll,
    FolderToList,
    ListedFile,
    PollFeeds,
    PollLimits,
    PollOutcome,
)
from ingest.poll import poll_feeds
from ingest.steady import MAX_ERROR_SECONDS, steady_wait
from services import wire

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
LIMITS = PollLimits(
    timeout_seconds=30,
    connect_timeout_seconds=1,
    max_body_bytes=1_000,
    max_entries=10,
    max_message_bytes=1_000_000,
)


def feed_of(folder: Path, **changes: Any) -> FeedToPoll:
    values: dict[str, Any] = {
        "poll_id": 1,
        "feed_id": 1,
        "url": folder.as_uri(),
        "folder": FolderToList(path=str(folder)),
    }
    for name in ("source", "etag", "last_modified", "body_sha256", "key_mode"):
        values[name] = None
    return FeedToPoll(**values | changes)


def poll(
    feed: FeedToPoll, limits: PollLimits = LIMITS, *, scan: Any = os.scandir
) -> list[FeedPolled]:
    return list(poll_folder(feed, limits, scan=scan, now=lambda: NOW))


def after(feed: FeedToPoll, events: Sequence[FeedPolled]) -> FeedToPoll:
    """Return the command of the next poll."""
    last = events[-1]
    if last.outcome is not PollOutcome.FETCHED:
        return feed
    names = ("body_sha256", "parser", "item_marks")
    return replace(feed, **{name: getattr(last, name) for name in names})


def write(folder: Path, *names: str, seconds_ago: float = 60) -> None:
    when = NOW.timestamp() - seconds_ago
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
        os.utime(path, (when, when))


def told(events: Sequence[FeedPolled]) -> list[ListedFile]:
    files = [file for one in events if one.listing for file in one.listing.files]
    return sorted(files, key=lambda file: file.path)


def names(folder: Path, events: Sequence[FeedPolled]) -> list[str]:
    return [str(Path(one.path).relative_to(folder)) for one in told(events)]


# ---- what is told ----


def test_a_folder_is_told_with_all_below_it_as_ingest_would_list_it(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a.txt", "b/c/d.txt", ".hidden", ".git/x", "e.txt~", "f.part")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    events = poll(feed_of(tmp_path))
    assert names(tmp_path, events) == ["a.txt", "b/c/d.txt", "link.txt"]
    (event,) = events
    assert (event.outcome, event.error) == (PollOutcome.FETCHED, None)
    assert told(events)[0].n_bytes == 4
    assert told(events)[0].mtime_ns == int((NOW.timestamp() - 60) * 1e9)


def test_a_folder_that_stands_as_it_stood_is_told_in_a_word(tmp_path: Path) -> None:
    write(tmp_path, *(f"{n}.txt" for n in range(50)))
    feed = feed_of(tmp_path)
    feed = after(feed, poll(feed))
    (event,) = poll(feed)
    assert event.outcome is PollOutcome.UNCHANGED
    assert (event.listing, event.item_marks) == (None, b"")


def test_of_a_large_folder_only_the_neighbours_of_news_are_told(tmp_path: Path) -> None:
    write(tmp_path, *(f"{n}.txt" for n in range(400)))
    feed = feed_of(tmp_path)
    feed = after(feed, poll(feed))
    write(tmp_path, "new.txt")
    write(tmp_path, "7.txt", seconds_ago=30)
    (tmp_path / "9.txt").unlink()
    events = poll(feed)
    found = names(tmp_path, events)
    assert {"new.txt", "7.txt"} <= set(found)
    assert "9.txt" not in found
    assert len(found) < 200
    assert poll(after(feed, events))[0].outcome is PollOutcome.UNCHANGED


def test_a_spot_that_is_asked_for_is_told_although_nothing_changed(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a.txt")
    feed = feed_of(tmp_path)
    feed = after(feed, poll(feed))
    spot = spot_of(str(tmp_path / "a.txt"))
    folder = FolderToList(path=str(tmp_path), relist=(spot,))
    assert names(tmp_path, poll(replace(feed, folder=folder))) == ["a.txt"]


def test_a_file_that_is_being_written_is_there_and_not_to_be_read(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a.txt", seconds_ago=1)
    write(tmp_path, "ahead.txt", seconds_ago=-117)
    write(tmp_path, "hour.txt", seconds_ago=-3_600)
    write(tmp_path, "week.txt", seconds_ago=-604_800)
    feed = feed_of(tmp_path)
    events = poll(feed)
    assert [one.is_settling for one in told(events)] == [True, True, False, False]
    # It grows on, and is told again when it has stopped.
    write(tmp_path, "a.txt", seconds_ago=0)
    feed = after(feed, events)
    assert poll(feed)[0].outcome is PollOutcome.UNCHANGED
    write(tmp_path, "a.txt", seconds_ago=2)
    assert not told(poll(feed))[0].is_settling


def test_no_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.txt", "b/c.txt")
    opened: list[str] = []
    monkeypatch.setattr("builtins.open", lambda path, *_: opened.append(path))
    monkeypatch.setattr("io.open", lambda path, *_: opened.append(path))
    assert len(told(poll(feed_of(tmp_path)))) == 2
    assert opened == []


def test_what_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path, os.fsdecode(b"\xff.txt"), "z.txt")
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    errors = {Path(one.path).name: one.error for one in told(poll(feed_of(tmp_path)))}
    assert "UTF-8" in (errors["\\udcff.txt"] or "")
    assert "nowhere" in (errors["nowhere"] or "")
    assert "cannot be listed" in (errors["round"] or "")
    assert errors["z.txt"] is None
    by_ingest = {one.error for one in list_files([tmp_path])}
    assert by_ingest == set(errors.values())


# ---- what is no deletion ----


def closed(*folders: Path) -> Callable[[str], Any]:
    """Return a scan that these folders refuse."""

    def scan(path: str) -> Any:
        if Path(path) in folders:
            raise PermissionError(13, "Permission denied")
        return os.scandir(path)

    return scan


def test_a_folder_inside_that_is_closed_makes_nothing_a_deletion(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a.txt", "b/c.txt")
    feed = feed_of(tmp_path)
    feed = after(feed, poll(feed))
    events = poll(feed, scan=closed(tmp_path / "b"))
    assert all(one.listing and not one.listing.is_whole for one in events)
    assert "permission denied" in (events[0].error or "")
    feed = after(feed, events)
    assert poll(feed, scan=closed(tmp_path / "b"))[0].outcome is PollOutcome.UNCHANGED
    # All is told anew, because deletions may have gone unnoticed.
    events = poll(feed)
    assert names(tmp_path, events) == ["a.txt", "b/c.txt"]
    assert all(one.listing and one.listing.is_whole for one in events)


def test_an_empty_folder_makes_nothing_a_deletion(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    feed = feed_of(tmp_path)
    feed = after(feed, poll(feed))
    (tmp_path / "a.txt").unlink()
    (event,) = poll(feed)
    assert event.listing is not None
    assert not event.listing.is_whole
    assert "is empty although" in (event.error or "")


@pytest.mark.parametrize(
    ("make", "outcome"),
    [
        (lambda _path: None, PollOutcome.NOT_FOUND),
        (lambda path: path.write_text("a file"), PollOutcome.NOT_A_FEED),
        (lambda path: path.symlink_to(path), PollOutcome.UNREACHABLE),
    ],
    ids=["missing", "a file", "a circle"],
)
def test_a_folder_that_is_none_is_an_outcome_and_a_sentence(
    tmp_path: Path, make: Callable[[Path], object], outcome: PollOutcome
) -> None:
    make(tmp_path / "inbox")
    (event,) = poll(feed_of(tmp_path / "inbox"))
    assert event.outcome is outcome
    assert (event.error or "").endswith(".")
    assert (event.listing, event.item_marks) == (None, b"")


def test_a_closed_folder_is_denied(tmp_path: Path) -> None:
    (event,) = poll(feed_of(tmp_path), scan=closed(tmp_path))
    assert event.outcome is PollOutcome.DENIED


def test_a_disk_that_goes_while_it_is_listed_is_no_empty_folder(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    write(inbox, "a/1.txt", "b/2.txt")

    def scan(path: str) -> Any:
        found = os.scandir(path)
        if Path(path) == inbox:
            inbox.rename(tmp_path / "away")
            inbox.mkdir()
        return found

    (event,) = poll(feed_of(inbox), scan=scan)
    assert event.outcome is PollOutcome.UNREACHABLE


def test_a_disk_that_hangs_ends_as_a_poll_that_failed(tmp_path: Path) -> None:
    class Hung(Exception):
        pass

    def scan(_path: str) -> Any:
        raise Hung

    (event,) = poll(feed_of(tmp_path), scan=scan)
    assert (event.outcome, "Hung" in (event.error or "")) == ("unreachable", True)


def test_a_listing_that_takes_too_long_is_a_timeout(tmp_path: Path) -> None:
    write(tmp_path, "a.txt")
    ticks = iter(range(10_000))
    clock = lambda: NOW + timedelta(seconds=20 * next(ticks))  # noqa: E731
    (event,) = poll_folder(feed_of(tmp_path), LIMITS, scan=os.scandir, now=clock)
    assert event.outcome is PollOutcome.TIMEOUT


# ---- parts ----


class Large:
    """A folder of any number of files, of which none exists."""

    def __init__(self, root: Path, n_files: int) -> None:
        self.root, self.n_files = root, n_files

    @contextmanager
    def __call__(self, path: str) -> Iterator[Iterator[Any]]:
        del path
        yield map(self._item, range(self.n_files))

    def _item(self, number: int) -> Any:
        mtime_ns = int(NOW.timestamp() - 60) * 10**9
        status = SimpleNamespace(st_mode=0o100644, st_size=9, st_mtime_ns=mtime_ns)
        name = f"article-{number:06}.txt"
        path = f"{self.root}/{name}"
        return SimpleNamespace(name=name, path=path, stat=lambda: status)


def test_a_large_folder_comes_in_parts_that_fit_a_message(tmp_path: Path) -> None:
    limits = replace(LIMITS, max_message_bytes=100_000)
    events = poll(feed_of(tmp_path), limits, scan=Large(tmp_path, 3_000))
    assert [one.part for one in events] == list(range(events[0].n_parts))
    sizes = [len(wire.encode(FeedsPolled(polls=(one,)))) for one in events]
    assert len(sizes) > 3
    assert max(sizes) <= limits.max_message_bytes
    assert len({one.path for one in told(events)}) == 3_000
    for event in events:
        assert event.listing is not None
        for file in event.listing.files:
            at = [start <= file.spot < end for start, end in event.listing.stretches]
            assert at.count(True) == 1


def test_what_one_poll_cannot_tell_the_next_ones_do(tmp_path: Path) -> None:
    limits = replace(LIMITS, max_message_bytes=10_000)
    feed, seen = feed_of(tmp_path), set[str]()
    for _ in range(10):
        events = poll(feed, limits, scan=Large(tmp_path, 2_000))
        feed = after(feed, events)
        paths = {one.path for one in told(events)}
        assert not paths & seen
        seen |= paths
        if events[-1].listing is None or events[-1].listing.is_complete:
            break
    assert len(seen) == 2_000
    assert poll(feed, limits, scan=Large(tmp_path, 2_000))[0].listing is None


def test_memory_does_not_grow_with_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "IN_MEMORY_BYTES", 1_000)
    peaks = []
    limits = replace(LIMITS, max_message_bytes=100_000)
    for n_files in (1_000, 5_000):
        tracemalloc.start()
        scan = Large(tmp_path, n_files)
        n_told = sum(
            len(one.listing.files) if one.listing else 0
            for one in poll_folder(
                feed_of(tmp_path), limits, scan=scan, now=lambda: NOW
            )
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n_told == n_files
    assert peaks[1] < peaks[0] + 500_000  # the files alone would take 1.6 MB more


# ---- marks ----

FILES = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(0, 3))


def sums_of(files: dict[str, int]) -> Sums:
    sums = Sums()
    for path, state in files.items():
        sums.add(spot_of(path), f"{path} {state}", 10)
    return sums


@given(FILES, FILES, st.sampled_from([1, 4, 64]), st.sampled_from([1, 4, 64]))
def test_buckets_are_told_where_a_file_differs_and_there_alone(
    before: dict[str, int], now: dict[str, int], n_before: int, n_now: int
) -> None:
    old = Marks(tuple(sums_of(before).folded(n_before)), is_whole=True)
    new = Marks(tuple(sums_of(now).folded(n_now)), is_whole=True)
    assert Marks.unpacked(old.packed()) == old
    differ = {
        spot_of(path)
        for path in before.keys() | now.keys()
        if before.get(path) != now.get(path)
    }
    found = set(changed_buckets(old, new, relist=()))
    assert {spot * n_now // N_SPOTS for spot in differ} <= found
    n_common = min(n_before, n_now)
    coarse = {bucket * n_common // n_now for bucket in found}
    assert coarse == {spot * n_common // N_SPOTS for spot in differ}


@given(st.sets(st.integers(0, 63)))
def test_stretches_hold_exactly_their_buckets(buckets: set[int]) -> None:
    found = stretches(sorted(buckets), 64)
    width = N_SPOTS // 64
    held = {spot // width for start, end in found for spot in range(start, end)}
    assert held == buckets
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 100))
def test_batches_hold_all_buckets_in_order_and_are_bounded(
    n_bytes: list[int], max_bytes: int
) -> None:
    some = list(batches(range(len(n_bytes)), n_bytes, max_bytes=max_bytes))
    assert [bucket for batch in some for bucket in batch] == list(range(len(n_bytes)))
    sizes = [sum(n_bytes[bucket] for bucket in batch) for batch in some]
    assert all(
        size <= max_bytes or len(batch) == 1
        for size, batch in zip(sizes, some, strict=True)
    )


@pytest.mark.parametrize("packed", [b"", b"\1", b"\1" + bytes(24), b"\1" + bytes(7)])
def test_marks_that_are_none_of_ours_are_not_believed(packed: bytes) -> None:
    assert Marks.unpacked(packed) is None


# ---- who may make a worker look at files, and how often ----


@pytest.mark.parametrize("url", ["file:///etc/passwd", "file://localhost/etc"])
def test_an_address_alone_never_makes_a_worker_look_at_files(url: str) -> None:
    feed = replace(feed_of(Path("/etc")), url=url, folder=None)
    events: list[FeedsPolled] = []

    async def run() -> None:
        async with open_fetch(FetchOptions(user_agent="test")) as fetch:
            command = PollFeeds(feeds=(feed,), limits=LIMITS)
            await poll_feeds(command, fetch=fetch, now=lambda: NOW, emit=events.append)

    asyncio.run(run())
    ((event,),) = (one.polls for one in events)
    assert event.outcome is PollOutcome.BLOCKED
    assert event.listing is None


def test_a_pace_is_kept_slows_down_after_errors_and_is_never_given_up() -> None:
    assert steady_wait(60, n_errors=0).seconds == 60
    waits = [steady_wait(60, n_errors=n) for n in range(1, 400)]
    assert [one.seconds for one in waits[:3]] == [120, 240, 480]
    assert max(one.seconds for one in waits) == MAX_ERROR_SECONDS
    assert {one.liveness for one in waits} == {"live", "failing"}
    assert [cause for cause, _ in groupby(one.cause for one in waits)] == ["errors"]
    assert steady_wait(7_200, n_errors=9).seconds == 7_200
    assert steady_wait(60, n_errors=0, has_more=True).seconds == 0


def test_a_folder_that_goes_and_comes_is_told_like_any_other(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    write(inbox, "a.txt")
    feed = feed_of(inbox)
    feed = after(feed, poll(feed))
    shutil.move(inbox, tmp_path / "away")
    feed = after(feed, poll(feed))
    shutil.move(tmp_path / "away", inbox)
    assert poll(feed)[0].outcome is PollOutcome.UNCHANGED
