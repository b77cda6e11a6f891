"""Folders: a watched folder is polled by its listing, and no file of it is opened.

The folder is walked once to see where it has changed. If it has, it is walked again,
and what there is at those spots goes to disk, a file for each message: so neither the
folder nor its news ever stand in memory.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from ingest.foldermarks import (
    N_SPOTS,
    Marks,
    Sums,
    batches,
    changed_buckets,
    left_as,
    n_buckets_for,
    stretches,
)
from ingest.listing import identity, why_unlisted
from ingest.messages import (
    FeedPolled,
    FeedToPoll,
    FileOutcome,
    FolderListing,
    FolderToList,
    ListedFile,
    PollLimits,
    PollOutcome,
)
from ingest.walking import Scan, Walk

LISTER = "folder/1"  # name and version; another one has the folder told anew
# Of one poll. The rest is told by the next, which is due at once: so the broker never
# holds more than this of a folder, and neither does a temporary file system.
MAX_PARTS = 32
FILE_BYTES = 150  # names and numbers of a file in a message, without its path
PART_BYTES = 2_000  # of a message, without marks and files
_BASE64_GROWTH = 4 / 3
IN_MEMORY_BYTES = 65_536  # of a part, before it goes to disk
LOOK_EVERY = 1_000  # files between two looks at the clock


class FolderFailedError(Exception):
    """The folder cannot be polled; says how the poll ends."""

    def __init__(self, outcome: PollOutcome, reason: str) -> None:
        """Name the outcome of the poll and give the reason in one sentence."""
        super().__init__(outcome, reason)
        self.outcome = outcome
        self.reason = reason


def poll_folder(
    feed: FeedToPoll,
    limits: PollLimits,
    *,
    scan: Scan,
    now: Callable[[], datetime],
) -> Iterator[FeedPolled]:
    """Yield what a watched folder holds that is not as it was, in parts.

    Whatever is wrong with the folder is the outcome of its poll.

    Args:
        feed: A feed that is a folder.
        limits: What the poll may cost.
        scan: Opens folders.
        now: The clock that the times of files are compared with.
    """
    folder = feed.folder or FolderToList(path="")
    polling = _Polling(feed, folder, limits, scan, now)
    started = now()
    try:
        for event in polling.events():
            yield replace(event, elapsed_ms=_ms(now() - started))
    except FolderFailedError as error:
        failed = _event(feed, error.outcome, now())
        elapsed_ms = _ms(now() - started)
        yield replace(failed, error=error.reason, elapsed_ms=elapsed_ms)


def _ms(passed: timedelta) -> int:
    return passed // timedelta(milliseconds=1)


def _event(feed: FeedToPoll, outcome: PollOutcome, at: datetime) -> FeedPolled:
    return FeedPolled(
        poll_id=feed.poll_id,
        feed_id=feed.feed_id,
        url=feed.url,
        outcome=outcome,
        polled_at=at,
        elapsed_ms=0,
        key_mode=feed.key_mode,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a walk has seen, in sums."""

    walk: Walk
    sums: Sums

    @property
    def is_whole(self) -> bool:
        # A folder without files may be the place of a disk that is not mounted.
        return self.walk.n_hidden == 0 and self.walk.n_files > 0


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is told, and what stays for the next poll."""

    n_buckets: int
    batches: Sequence[Sequence[int]]  # buckets, by part
    left: frozenset[int]

    def part_of(self) -> dict[int, int]:
        """Return bucket -> part."""
        return {
            bucket: part for part, some in enumerate(self.batches) for bucket in some
        }


@dataclass(frozen=True, slots=True)
class _Polling:
    feed: FeedToPoll
    folder: FolderToList
    limits: PollLimits
    scan: Scan
    now: Callable[[], datetime]

    def events(self) -> Iterator[FeedPolled]:
        """Yield the events of the poll.

        Raises:
            FolderFailedError: The folder cannot be listed.
        """
        before = _remembered(self.feed)
        sums = Sums()
        seen = _Seen(self._walk(lambda file: _count(sums, file)), sums)
        n_buckets = n_buckets_for(seen.walk.n_files)
        found = Marks(tuple(sums.folded(n_buckets)), seen.is_whole)
        changed = changed_buckets(before, found, self.folder.relist)
        note = _note(seen, before)
        if not changed:
            unchanged = _event(self.feed, PollOutcome.UNCHANGED, self.now())
            yield replace(unchanged, error=note)
            return
        plan = self._plan(changed, sums, n_buckets)
        for event in self._told(plan, found):
            yield replace(event, error=note)

    def _plan(self, changed: list[int], sums: Sums, n_buckets: int) -> _Plan:
        width = N_SPOTS // n_buckets
        starts = range(0, N_SPOTS, width)
        n_bytes = [sum(sums.n_bytes[start : start + width]) for start in starts]
        # All parts carry all marks, for any of them may be the last to arrive.
        bare = PART_BYTES + int(n_buckets * 8 * _BASE64_GROWTH)
        room = max(1, self.limits.max_message_bytes - bare)
        parts = list(batches(changed, n_bytes, max_bytes=room))
        left = (bucket for some in parts[MAX_PARTS:] for bucket in some)
        return _Plan(n_buckets, parts[:MAX_PARTS], frozenset(left))

    def _told(self, plan: _Plan, found: Marks) -> Iterator[FeedPolled]:
        """Walk again, keep what is to be told on disk, and yield it part by part."""
        part_of, sums = plan.part_of(), Sums()
        with ExitStack() as stack:
            spools = [
                stack.enter_context(SpooledTemporaryFile(IN_MEMORY_BYTES, mode="w+"))
                for _ in plan.batches
            ]

            def keep(file: ListedFile) -> None:
                bucket = file.spot * plan.n_buckets // N_SPOTS
                if bucket in part_of:
                    _count(sums, file)
                    spools[part_of[bucket]].write(json.dumps(asdict(file)) + "\n")

            walk = self._walk(keep)
            # The marks are those of what is told, whatever the first walk has seen.
            told = sums.folded(plan.n_buckets)
            mixed = [
                told[bucket] if bucket in part_of else one
                for bucket, one in enumerate(found.sums)
            ]
            is_whole = found.is_whole and _Seen(walk, sums).is_whole
            marks = Marks(tuple(left_as(mixed, plan.left)), is_whole)
            yield from self._parts(plan, spools, marks, walk)

    def _parts(
        self, plan: _Plan, spools: Sequence[IO[str]], marks: Marks, walk: Walk
    ) -> Iterator[FeedPolled]:
        packed = marks.packed()
        event = replace(
            _event(self.feed, PollOutcome.FETCHED, self.now()),
            parser=LISTER,
            body_sha256=hashlib.sha256(packed).hexdigest(),
            item_marks=packed,
            n_parts=len(spools),
        )
        for part, spool in enumerate(spools):
            spool.seek(0)
            listing = FolderListing(
                stretches=stretches(plan.batches[part], plan.n_buckets),
                files=tuple(map(_file, spool)),
                n_files=walk.n_files,
                n_settling=walk.n_settling,
                is_whole=marks.is_whole,
                is_complete=not plan.left,
            )
            yield replace(event, part=part, listing=listing)

    def _walk(self, take: Callable[[ListedFile], None]) -> Walk:
        """Hand over all files of the folder; return what was met on the way."""
        walk = Walk(scan=self.scan, now=self.now)
        root = Path(self.folder.path)
        try:
            before = identity(root.stat())
            for file in self._in_time(walk.files(self.folder.path)):
                take(file)
            after = identity(root.stat())
        except FolderFailedError:
            raise
        except OSError as error:
            raise _failure(error) from error
        except Exception as error:
            # A time limit of the worker ends here, too: a disk that hangs must not
            # count as work that kills.
            reason = f"The folder cannot be listed: {type(error).__name__}."
            raise FolderFailedError(PollOutcome.UNREACHABLE, reason) from error
        if after != before:
            reason = "Another folder took its place while it was listed."
            raise FolderFailedError(PollOutcome.UNREACHABLE, reason)
        return walk

    def _in_time(self, files: Iterator[ListedFile]) -> Iterator[ListedFile]:
        seconds = self.limits.timeout_seconds
        late_at = self.now() + timedelta(seconds=seconds)
        for number, file in enumerate(files):
            yield file
            if number % LOOK_EVERY == 0 and self.now() > late_at:
                reason = f"The folder could not be listed within {seconds:g} s."
                raise FolderFailedError(PollOutcome.TIMEOUT, reason)


def _failure(error: OSError) -> FolderFailedError:
    match error:
        case FileNotFoundError():
            reason = "The folder is not there, or not to be seen from the worker."
            return FolderFailedError(PollOutcome.NOT_FOUND, reason)
        case NotADirectoryError():
            return FolderFailedError(PollOutcome.NOT_A_FEED, "It is no folder.")
        case PermissionError():
            reason = "The worker may not look into the folder."
            return FolderFailedError(PollOutcome.DENIED, reason)
        case _:
            return FolderFailedError(PollOutcome.UNREACHABLE, why_unlisted(error))


def _remembered(feed: FeedToPoll) -> Marks | None:
    """Return what the last poll left, None where all is to be told anew."""
    is_ours = feed.parser == LISTER and feed.body_sha256 is not None
    digest = hashlib.sha256(feed.item_marks).hexdigest()
    if not is_ours or digest != feed.body_sha256:
        return None
    return Marks.unpacked(feed.item_marks)


def _note(seen: _Seen, before: Marks | None) -> str | None:
    """Return what an operator should know although the poll worked."""
    walk = seen.walk
    if walk.n_hidden:
        return (
            f"{walk.n_hidden} folders in it could not be looked into, so nothing "
            f"counts as deleted. The first: {walk.hidden}"
        )
    if not walk.n_files and before is not None and any(before.sums):
        return (
            "The folder is empty although it held files; nothing counts as deleted "
            "until it holds one again."
        )
    return None


def _count(sums: Sums, file: ListedFile) -> None:
    # Of a file that is being written, only that it is there.
    seen = "" if file.is_settling else f"{file.n_bytes} {file.mtime_ns} {file.error}"
    n_bytes = FILE_BYTES + len(file.path.encode()) + len(file.error or "")
    sums.add(file.spot, f"{file.path}\0{seen}", n_bytes)


def _file(line: str) -> ListedFile:
    values = json.loads(line)
    outcome = values.pop("outcome")
    return ListedFile(**values, outcome=outcome and FileOutcome(outcome))
