"""The memory of a process: a ceiling on it, and giving back what is free.

Celery looks at the memory of a process after a task, which is too late for one article
that takes all there is. The kernel refuses it on the spot: Python raises MemoryError,
the guard reports it, and the article goes alone and then to quarantine. So what wants
more gets an error, not the machine.
"""

import ctypes
import resource
from contextlib import suppress
from pathlib import Path

MEGABYTE = 1_000_000


def limit_memory(megabytes: int) -> None:
    """Bound the data of this process, and of all that it starts.

    Data and not address space: what is mapped and never used costs nothing. Linux
    counts private memory of every kind; other systems may count less.
    """
    limit = megabytes * MEGABYTE
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def give_back() -> None:
    """Return to the system what this process has freed and kept for later.

    After loading that is a quarter of all it has. Where the C library knows no such
    call nothing happens.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_megabytes() -> int:
    """Return the most memory that this process had at any moment."""
    # In bytes on macOS. Elsewhere it may be that of the process that started ours.
    return _told("VmHWM") or (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE
    )


def resident_megabytes() -> int:
    """Return the memory that this process has now, shared parts included; 0: untold."""
    return _told("VmRSS")


def _told(name: str) -> int:
    """Return a number of megabytes that Linux tells of this process, 0 elsewhere."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    kibibytes = status.partition(f"{name}:")[2].split(maxsplit=1)[0]
    return int(kibibytes) * 1024 // MEGABYTE
