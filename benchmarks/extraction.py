"""How many saved pages and page dumps are read in a CPU second, on one core.

Reads the labelled pages that the quality tests read. Prints a table, and one JSON
object at the end. Each page is read once to warm up, and ROUNDS times for the figure.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from quality.test_text_seeds import pages
from rich.console import Console
from rich.table import Table
from support.shared import shared_path

from ingest.dumps import extract
from ingest.readers.html import HtmlReader

ROUNDS = 3
T = TypeVar("T")


def main(rounds: int) -> int:
    """Measure both readers."""
    labelled = pages(shared_path("corpora/articles"))
    reader = HtmlReader()

    def read(body: bytes) -> None:
        list(reader.read(body))

    figures = {
        "pages_per_cpu_second": rate(read, [one.body for one in labelled], rounds),
        "dumps_per_cpu_second": rate(extract, [one.dump for one in labelled], rounds),
    }
    table = Table(title=f"Extraction, {len(labelled)} pages")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name.replace("_", " "), f"{value:g}")
    Console().print(table)
    print(json.dumps(figures))
    return 0


def rate(read: Callable[[T], object], documents: Sequence[T], rounds: int) -> float:
    """Return documents a CPU second, in the best of some rounds."""
    best = float("inf")
    for _ in range(rounds + 1):
        started = time.process_time()
        for one in documents:
            read(one)
        best = min(best, time.process_time() - started)
    return round(len(documents) / best, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
