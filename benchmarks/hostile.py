"""Hostile documents, each parsed alone: seconds of CPU and most memory.

The documents are made on the spot (`tests/support/bombs.py`). Each is as large as a
poll lets in. The exit code is 1 where one takes more than a worker may give to a feed.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from support.bombs import BOMBS

from services.confined import ConfinedParser

MAX_CPU_SECONDS = 5.0
MAX_MEGABYTES = 300
KILL_SECONDS = 300.0  # of wall time, on a machine that has other things to do


def main(names: list[str]) -> int:
    """Measure these documents, or all of them."""
    table = Table(title="Hostile documents")
    for column in ("document", "outcome", "CPU s", "MB", "why"):
        is_number = column in {"CPU s", "MB"}
        table.add_column(column, justify="right" if is_number else "left")
    rows: dict[str, Measured] = {}
    for name in names or BOMBS:
        rows[name] = measured(name)
        print(f"{rows[name].cpu_seconds:8.2f} s  {name}", file=sys.stderr, flush=True)
    for name, row in sorted(rows.items(), key=lambda it: -it[1].cpu_seconds):
        numbers = (f"{row.cpu_seconds:.2f}", str(row.megabytes))
        table.add_row(name, row.outcome, *numbers, row.why)
    Console(width=120).print(table)
    slowest = max(row.cpu_seconds for row in rows.values())
    largest = max(row.megabytes for row in rows.values())
    figures = {
        "documents": len(rows),
        "slowest_cpu_seconds": slowest,
        "most_megabytes": largest,
    }
    print(json.dumps(figures))
    return int(slowest > MAX_CPU_SECONDS or largest > MAX_MEGABYTES)


class Measured(NamedTuple):
    """What one document took."""

    outcome: str
    why: str
    cpu_seconds: float
    megabytes: int


def measured(name: str) -> Measured:
    """Parse one document in a process of its own."""
    with tempfile.NamedTemporaryFile(prefix="wireroom-bomb-") as file:
        file.write(BOMBS[name]())
        file.flush()
        with ConfinedParser(seconds=KILL_SECONDS, megabytes=2_000) as parser:
            told = parser.describe(Path(file.name))
    return Measured(
        outcome=told["outcome"],
        why=told["error"] or "",
        cpu_seconds=round(told.get("cpu_seconds", KILL_SECONDS), 2),
        megabytes=told["peak_megabytes"],
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
