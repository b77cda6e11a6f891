"""Budgets: what an archive may hold and unpack to, all that is inside it together."""

from dataclasses import dataclass, field

from ingest.messages import FileOutcome
from ingest.readers.reader import UnreadableContentError

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_MEMBER_BYTES = 10_000_000  # what a file beside an archive may have by default
# Prose is packed to a fifth, the most regular page seen to a fortieth.
MAX_RATIO = 200
FREE_BYTES = 1_000_000  # small things are often regular, and cost nothing
MAX_DEPTH = 1  # an archive in an archive, and none in that


class SpentError(UnreadableContentError):
    """The archive as a whole costs too much; its other members are not looked at."""


@dataclass(slots=True)
class Spent:
    """What has been unpacked so far."""

    n_members: int = 0
    n_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What may still be unpacked; an archive inside shares it."""

    spent: Spent = field(default_factory=Spent)
    depth: int = 0

    def inside(self) -> "Budget":
        """Return the budget for an archive that is inside.

        Raises:
            UnreadableContentError: It is too deep inside.
        """
        if self.depth >= MAX_DEPTH:
            reason = "An archive inside an archive inside an archive is not opened."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        return Budget(spent=self.spent, depth=self.depth + 1)

    def take_member(self) -> None:
        """Count a member.

        Raises:
            SpentError: There are too many.
        """
        self.spent.n_members += 1
        if self.spent.n_members > MAX_MEMBERS:
            raise _too_large(f"more than {MAX_MEMBERS} members")

    def take_bytes(self, n_bytes: int) -> None:
        """Count what was unpacked.

        Raises:
            SpentError: It is too much.
        """
        self.spent.n_bytes += n_bytes
        if self.spent.n_bytes > MAX_UNPACKED_BYTES:
            raise _too_large(f"more than {MAX_UNPACKED_BYTES} bytes when unpacked")


def require_real(*, packed: int, unpacked: int) -> None:
    """Refuse what is packed tighter than anything that was written.

    Raises:
        SpentError: It is; nobody makes such an archive by accident.
    """
    if unpacked > FREE_BYTES and unpacked > MAX_RATIO * packed:
        reason = f"It unpacks to more than {MAX_RATIO} times its size."
        raise SpentError(FileOutcome.TOO_LARGE, reason)


def _too_large(much: str) -> SpentError:
    return SpentError(
        FileOutcome.TOO_LARGE, f"The archive has {much}; unpack it, and add its files."
    )
