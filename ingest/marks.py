"""Marks: what a poll remembers of the items it saw, so that the next knows them again.

For each item a hash of it as it stood, and shorter ones of all that may identify it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from ingest.keys import Facts, guid_address
from ingest.messages import KeyMode

SEAL_BYTES = 8
PIECE_BYTES = 8  # two of 2,000 items are alike once in 10 million million documents
NAME_BYTES = 4  # where two names are alike by chance, a document is read in full
N_NAMES = 3  # guid, link, and the guid without its host
_NONE = bytes(NAME_BYTES)
_SCHEME = re.compile(
    r"https?:(?=//)", re.IGNORECASE
)  # one page, whatever it is asked by
_HEAD_BYTES = SEAL_BYTES + NAME_BYTES
_RECORD_BYTES = PIECE_BYTES + N_NAMES * NAME_BYTES
# A command carries the marks of 50 feeds: 20 bytes an item make 1 MB of 1,000 each.
MAX_ITEMS = 1_000
# In these modes one glance at the other items tells that a key is nobody else's.
SETTLED = frozenset({KeyMode.GUID, KeyMode.LINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What was seen in one document, under the circumstances that are sealed."""

    seal: bytes
    host: bytes  # of the guids that are web addresses; zeros: of none
    records: Mapping[bytes, bytes]  # hash of an item as it stood -> its names

    @classmethod
    def unpack(cls, packed: bytes, *, seal: bytes) -> Self | None:
        """Return the marks, or None where they are of other circumstances."""
        is_whole = (len(packed) - _HEAD_BYTES) % _RECORD_BYTES == 0
        if not packed or not is_whole or packed[:SEAL_BYTES] != seal:
            return None
        starts = range(_HEAD_BYTES, len(packed), _RECORD_BYTES)
        records = (packed[start : start + _RECORD_BYTES] for start in starts)
        return cls(
            seal=seal,
            host=packed[SEAL_BYTES:_HEAD_BYTES],
            records={one[:PIECE_BYTES]: one[PIECE_BYTES:] for one in records},
        )

    def pack(self) -> bytes:
        """Return them as bytes, in the order of the document."""
        records = (piece + names for piece, names in self.records.items())
        return b"".join([self.seal, self.host, *records])


def seal_of(*circumstances: str | None) -> bytes:
    """Return a few bytes that are others when anything of this is another."""
    return _hash(repr(circumstances), SEAL_BYTES)


def hash_piece(piece: bytes) -> bytes:
    """Return the mark of an item as it stands."""
    return hashlib.sha256(piece).digest()[:PIECE_BYTES]


def are_plain(facts: Sequence[Facts], mode: KeyMode | None) -> bool:
    """Tell whether each item has a key of its own, by itself, in a settled mode."""
    if mode not in SETTLED:
        return False
    values = [one.guid if mode is KeyMode.GUID else one.link for one in facts]
    return None not in values and len(set(values)) == len(values)


def names_of(facts: Facts) -> bytes:
    """Return the marks of all that may identify an item, zeros for what it lacks."""
    address = guid_address(facts)
    bare = [
        _SCHEME.sub("", name) if name else None for name in (facts.guid, facts.link)
    ]
    names = (*bare, address[1] if address else None)
    return b"".join(_hash(name, NAME_BYTES) if name else _NONE for name in names)


def _bare(name: str | None) -> str | None:
    return _SCHEME.sub("", name) if name else None


def host_of(facts: Iterable[Facts]) -> bytes | None:
    """Return the mark of the one host of all guids, or None where they have several."""
    hosts = {address[0] for one in facts if (address := guid_address(one))}
    if len(hosts) > 1:
        return None
    return _hash(hosts.pop(), NAME_BYTES) if hosts else _NONE


def joint_host(one: bytes | None, other: bytes | None) -> bytes | None:
    """Return the host of two groups of items, or None where they have several."""
    if one is None or other is None or _NONE in {one, other}:
        return None if None in {one, other} else max(one or _NONE, other or _NONE)
    return one if one == other else None


def have_common_name(some: Iterable[bytes], others: Iterable[bytes]) -> bool:
    """Tell whether an item of one group could be called as one of the other."""
    names = {name for one in some for name in _names(one)}
    return any(name in names for one in others for name in _names(one))


def _names(names: bytes) -> Iterator[bytes]:
    for start in range(0, N_NAMES * NAME_BYTES, NAME_BYTES):
        name = names[start : start + NAME_BYTES]
        if name != _NONE:
            yield name


def _hash(text: str, n_bytes: int) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:n_bytes]
