"""Marks of folders: a few kilobytes that tell where a folder has changed.

Each file stands at a spot that its path chooses, whatever else is in the folder. Spots
that lie together are a bucket, and the mark of a bucket is the sum of the hashes of its
files: it does not depend on the order in which they are seen, and takes no memory for
them. A bucket whose sum is as it was need not be told again.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

N_SPOTS = 4096
FILES_A_BUCKET = 32  # about; fewer would make marks long, more would make news long
_SPOT_BITS = 12
_MARK_BYTES = 8
_MODULO = 1 << (8 * _MARK_BYTES)
_WHOLE, _IN_PART = b"\1", b"\0"


def spot_of(path: str) -> int:
    """Return the spot of a path, from 0 to one below `N_SPOTS`."""
    digest = hashlib.blake2b(path.encode(), digest_size=2).digest()
    return int.from_bytes(digest) >> (16 - _SPOT_BITS)


def hash_of(state: str) -> int:
    """Return what a file adds to its sum; `state` is all that is known of it."""
    digest = hashlib.blake2b(state.encode(), digest_size=_MARK_BYTES).digest()
    return int.from_bytes(digest)


def n_buckets_for(n_files: int) -> int:
    """Return how many buckets a folder of that size is told in, a power of two."""
    return min(N_SPOTS, 1 << (n_files // FILES_A_BUCKET).bit_length())


class Sums:
    """The sums of a folder at all spots, and how many bytes it takes to tell them."""

    def __init__(self) -> None:
        self.hashes = [0] * N_SPOTS
        self.n_bytes = [0] * N_SPOTS

    def add(self, spot: int, state: str, n_bytes: int) -> None:
        """Count one file."""
        self.hashes[spot] = (self.hashes[spot] + hash_of(state)) % _MODULO
        self.n_bytes[spot] += n_bytes

    def folded(self, n_buckets: int) -> list[int]:
        """Return the sums of so many buckets."""
        return _folded(self.hashes, n_buckets)


def _folded(sums: Sequence[int], n_buckets: int) -> list[int]:
    width = len(sums) // n_buckets
    starts = range(0, len(sums), width)
    return [sum(sums[start : start + width]) % _MODULO for start in starts]


@dataclass(frozen=True, slots=True)
class Marks:
    """What one poll leaves for the next."""

    sums: tuple[int, ...]  # of its buckets
    is_whole: bool  # all of the folder could be seen

    def packed(self) -> bytes:
        """Return the marks as bytes."""
        head = _WHOLE if self.is_whole else _IN_PART
        return head + b"".join(one.to_bytes(_MARK_BYTES) for one in self.sums)

    @classmethod
    def unpacked(cls, packed: bytes) -> "Marks | None":
        """Return what was packed; None where it is nothing of ours."""
        n_buckets, rest = divmod(len(packed) - 1, _MARK_BYTES)
        is_power = n_buckets > 0 and n_buckets & (n_buckets - 1) == 0
        if rest or not is_power or n_buckets > N_SPOTS:
            return None
        starts = range(1, len(packed), _MARK_BYTES)
        sums = (int.from_bytes(packed[at : at + _MARK_BYTES]) for at in starts)
        return cls(tuple(sums), packed[:1] == _WHOLE)


def changed_buckets(
    before: Marks | None, now: Marks, relist: Collection[int]
) -> list[int]:
    """Return the buckets of a folder that are to be told, in order.

    Args:
        before: What the last poll left; None where nothing is known.
        now: How the folder is.
        relist: Spots to tell in any case.
    """
    n_buckets = len(now.sums)
    wanted = {spot * n_buckets // N_SPOTS for spot in relist}
    if before is None or before.is_whole != now.is_whole:
        # What was out of sight may be anywhere.
        return list(range(n_buckets))
    n_common = min(n_buckets, len(before.sums))
    old, new = _folded(before.sums, n_common), _folded(now.sums, n_common)
    share = n_buckets // n_common
    return [
        bucket
        for bucket in range(n_buckets)
        if bucket in wanted or old[bucket // share] != new[bucket // share]
    ]


def left_as(sums: Sequence[int], left: Collection[int]) -> list[int]:
    """Return sums that no bucket of `left` will be found at, so that it is told."""
    return [
        (one + 1) % _MODULO if bucket in left else one
        for bucket, one in enumerate(sums)
    ]


def batches(
    buckets: Sequence[int], n_bytes: Sequence[int], *, max_bytes: int
) -> Iterator[list[int]]:
    """Yield the buckets in batches of at most so many bytes, or of one.

    Args:
        buckets: Which ones, in order.
        n_bytes: What each bucket of the folder takes.
        max_bytes: What a batch may take.
    """
    batch: list[int] = []
    size = 0
    for bucket in buckets:
        if batch and size + n_bytes[bucket] > max_bytes:
            yield batch
            batch, size = [], 0
        batch.append(bucket)
        size += n_bytes[bucket]
    if batch:
        yield batch


def stretches(buckets: Sequence[int], n_buckets: int) -> tuple[tuple[int, int], ...]:
    """Return the half-open ranges of spots that these buckets, in order, make up."""
    width = N_SPOTS // n_buckets
    found: list[tuple[int, int]] = []
    for bucket in buckets:
        start, end = bucket * width, (bucket + 1) * width
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)
