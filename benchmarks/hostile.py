"""Hostile documents and pages, each read alone: seconds of CPU and most memory.

They are made on the spot (`tests/support/bombs.py`, `tests/support/costly.py`). Each is
as large as a poll or a file may be. The exit code is 1 where one takes more than a
worker may give to it.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from support.bombs import BOMBS
from support.costly import PAGES

from ingest.readers.html import HtmlReader
from ingest.readers.reader import UnreadableContentError
from services.confined import ConfinedParser

PAGE = "--page"
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
    pages = {f"page: {name}": name for name in PAGES}
    for name in names or [*BOMBS, *pages]:
        rows[name] = measured_page(pages[name]) if name in pages else measured(name)
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


def measured_page(name: str) -> Measured:
    """Read one saved page in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.hostile", PAGE, name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measured(*json.loads(done.stdout))


def read_page(name: str) -> Measured:
    """Read one saved page here; the memory is that of this process at its most."""
    body = PAGES[name]().encode()
    started, outcome, why = time.process_time(), "no_article", ""
    try:
        outcome = "read" if list(HtmlReader().read(body)) else outcome
    except UnreadableContentError as refused:
        outcome, why = refused.outcome, refused.reason
    return Measured(
        outcome=outcome,
        why=why,
        cpu_seconds=round(time.process_time() - started, 2),
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == [PAGE]:
        print(json.dumps(read_page(sys.argv[2])))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
