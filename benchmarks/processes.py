"""What processes cost: CPU seconds and memory of a process and all below it."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/PID/stat behind the name: user, system, and both of ended children.
_TIMES = slice(11, 15)
_PARENT = 1
_RESIDENT = 21


def cpu_seconds(root: int) -> float:
    """Return CPU seconds of a process, its live descendants and its ended children."""
    family = _family(root)
    ticks = sum(int(field) for fields in family.values() for field in fields[_TIMES])
    return ticks / TICKS


def resident_mb(root: int) -> float:
    """Return the memory of the largest of a process and its descendants, in MB."""
    pages = [int(fields[_RESIDENT]) for fields in _family(root).values()]
    return max(pages, default=0) * PAGE_BYTES / 1e6


def _family(root: int) -> dict[int, list[str]]:
    """Return the fields of /proc/PID/stat of a process and all below it."""
    stats = _all_stats()
    family, edge = set(), {root}
    while edge:
        family |= edge
        edge = {pid for pid, fields in stats.items() if int(fields[_PARENT]) in edge}
        edge -= family
    return {pid: stats[pid] for pid in family if pid in stats}


def find_processes(name: str) -> list[int]:
    """Return the ids of processes whose command line holds a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            continue
        if name in line and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


def _all_stats() -> dict[int, list[str]]:
    stats = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it ended meanwhile
        # The name stands in brackets and may hold anything, also brackets.
        stats[int(folder.name)] = text.rpartition(")")[2].split()
    return stats
