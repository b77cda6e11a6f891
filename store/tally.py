"""How entries end in the store, and how many ended how."""

from collections.abc import Iterable
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
        counts = {f"n_{end}": self.ends.count(end) for end in End}
        return {"n_seen": len(self.ends), **counts}
