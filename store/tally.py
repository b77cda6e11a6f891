"""How entries end in the store, and how many ended how."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class End(StrEnum):
    """The single named end of one entry in one document."""

    NEW = "new"  # it brought an article
    REVISED = "revised"  # known, with another text than before
    UNCHANGED = "unchanged"  # known, as it was
    DUPLICATE = "duplicate"  # one more appearance of a stored article
    REJECTED = "rejected"  # it holds no article
    QUARANTINED = "quarantined"  # the database refused it


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of ends; what was seen is the sum of them by construction."""

    ends: tuple[End, ...]

    @classmethod
    def of(cls, ends: Iterable[End]) -> "Tally":
        """Count ends."""
        return cls(tuple(ends))

    def columns(self) -> dict[str, int]:
        """Return the counts under the names of their columns."""
        return columns_of(Counter(self.ends))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """How one entry of a document ended that had been read before."""

    end: End
    was_quarantined: bool


def read_again(before: Mapping[End, int], rereads: Iterable[Reread]) -> dict[str, int]:
    """Return the counts of a document after one more reading, under their columns.

    What is as it was has been counted already. An entry that was quarantined and went
    through at last moves to its new end, so that each brings its article once.

    Args:
        before: What earlier readings had counted.
        rereads: How its entries ended this time.
    """
    counts = Counter(before)
    for one in rereads:
        stays = {End.UNCHANGED, End.QUARANTINED if one.was_quarantined else None}
        if one.end in stays:
            continue
        if one.was_quarantined:
            counts[End.QUARANTINED] = max(0, counts[End.QUARANTINED] - 1)
        counts[one.end] += 1
    return columns_of(counts)


def columns_of(counts: Mapping[End, int]) -> dict[str, int]:
    """Return counts under the names of their columns; seen is their sum."""
    named = {f"n_{end}": counts.get(end, 0) for end in End}
    return {"n_seen": sum(named.values()), **named}
