"""Budgets: what an archive may hold and unpack to, all that is inside it together."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from ingest.filemessages import FilePlace
from ingest.messages import FileOutcome
from ingest.readers.reader import UnreadableContentError

MAX_MEMBERS = 20_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_MEMBER_BYTES = 10_000_000  # what a file beside an archive may have by default
# Prose is packed to a fifth, the most regular page seen to a fortieth.
MAX_RATIO = 200
FREE_BYTES = 1_000_000  # small things are often regular, and cost nothing
MAX_DEPTH = 1  # an archive in an archive, and none in that
# For each byte of a file that is read bit by bit: the shortest texts, packed.
MEMBERS_PER_BYTE = 1 / 50
UNPACKED_PER_BYTE = 40
_BEGINNING = FilePlace()


class SpentError(UnreadableContentError):
    """The archive as a whole costs too much; its other members are not looked at."""


class PausedError(Exception):
    """The time for an archive is over before its end; it goes on at a place."""

    def __init__(self, place: FilePlace, problems: str | None) -> None:
        """Name the place, and what was wrong before it."""
        super().__init__(place, problems)
        self.place = place
        self.problems = problems


def _never() -> bool:
    return False


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
    max_members: int = field(default_factory=lambda: MAX_MEMBERS)
    max_bytes: int = field(default_factory=lambda: MAX_UNPACKED_BYTES)
    place: FilePlace = _BEGINNING  # members before it were read and are passed over
    is_over: Callable[[], bool] = _never  # the time for this archive

    @classmethod
    def of_stream(
        cls, n_bytes: int, *, place: FilePlace, is_over: Callable[[], bool]
    ) -> "Budget":
        """Return the budget for an archive of so many bytes, read bit by bit."""
        return cls(
            max_members=max(MAX_MEMBERS, int(n_bytes * MEMBERS_PER_BYTE)),
            max_bytes=max(MAX_UNPACKED_BYTES, n_bytes * UNPACKED_PER_BYTE),
            place=place,
            is_over=is_over,
        )

    def begin(self, stream: BinaryIO) -> int:
        """Go to where the first member begins, if that is known; return its number.

        Where it is not, the stream stays at its beginning, which is member 0.
        """
        if not self.place.offset:
            return 0
        stream.seek(self.place.offset)
        self.spent.n_members += self.place.member
        return self.place.member

    def inside(self) -> "Budget":
        """Return the budget for an archive that is inside.

        Raises:
            UnreadableContentError: It is too deep inside.
        """
        if self.depth >= MAX_DEPTH:
            reason = "An archive inside an archive inside an archive is not opened."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        return replace(self, depth=self.depth + 1, place=_BEGINNING, is_over=_never)

    def begin_member(
        self, member: int, problems: Callable[[], str | None], *, offset: int = 0
    ) -> bool:
        """Count a member; return whether it is to be read now.

        Args:
            member: Its number, from 0.
            offset: Of its first byte, where reading can begin there.
            problems: What was wrong with those before it, in a sentence.

        Raises:
            SpentError: There are too many.
            PausedError: The time is over; at least one member was read in it.
        """
        self.spent.n_members += 1
        if self.spent.n_members > self.max_members:
            raise _too_large(f"more than {self.max_members} members")
        if member > self.place.member and self.is_over():
            raise PausedError(FilePlace(member=member, offset=offset), problems())
        return member >= self.place.member

    def take_bytes(self, n_bytes: int) -> None:
        """Count what was unpacked.

        Raises:
            SpentError: It is too much.
        """
        self.spent.n_bytes += n_bytes
        if self.spent.n_bytes > self.max_bytes:
            raise _too_large(f"more than {self.max_bytes} bytes when unpacked")


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


def oversized() -> UnreadableContentError:
    """Return the refusal of a member that is larger than a file may be."""
    reason = f"It has more than {MAX_MEMBER_BYTES} bytes."
    return UnreadableContentError(FileOutcome.TOO_LARGE, reason)
