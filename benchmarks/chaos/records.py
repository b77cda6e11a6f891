"""What a campaign writes down: a line of JSON for each fault, and for each chapter."""

import json
from dataclasses import asdict, dataclass, field
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

WRONGS = ("lost", "doubled", "half_enriched", "stuck", "unbalanced", "quarantined")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """One fault and what came after it."""

    stage: str
    number: int
    kind: str
    seed: str
    n_items: int  # known when it had ended
    fault_seconds: float
    recovery_seconds: float | None  # None: not within the patience of the campaign
    seconds: float  # all in all, checks included
    findings: dict[str, list[str]]
    error: str | None = None  # of the fault itself, which then says nothing
    record: str = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterRecord:
    """One installation, from empty to its last check."""

    stage: str
    first: int  # number of its first fault
    n_faults: int
    n_items: int
    n_poisoned: int
    n_reminders: int
    seconds: float  # without the faults
    findings: dict[str, list[str]]
    queues: dict[str, int] = field(default_factory=dict)  # that were not empty
    left_behind: list[str] = field(default_factory=list)  # processes
    record: str = "chapter"


Record = FaultRecord | ChapterRecord


def write(file: Path, record: Record) -> None:
    """Add a record to a file, on a line of its own."""
    # A campaign that was killed may have left half a line.
    with file.open("a+b") as stream:
        is_torn = stream.tell() > 0 and _last_byte(stream) != b"\n"
        line = json.dumps(asdict(record)).encode() + b"\n"
        stream.write(b"\n" + line if is_torn else line)


def _last_byte(stream: BinaryIO) -> bytes:
    stream.seek(-1, SEEK_END)
    return stream.read(1)


def read(file: Path) -> list[Record]:
    """Return the records of a file, oldest first; a broken last line does not count."""
    if not file.exists():
        return []
    found: list[Record] = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            fields: dict[str, Any] = json.loads(line)
        except ValueError:
            continue  # the campaign was killed while it wrote
        kind = FaultRecord if fields["record"] == "fault" else ChapterRecord
        found.append(kind(**fields))
    return found
