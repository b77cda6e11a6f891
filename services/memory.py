"""A ceiling on the memory of a process: what wants more gets an error, not the machine.

Celery looks at the memory of a process after a task, which is too late for one article
that takes all there is. The kernel refuses it on the spot: Python raises MemoryError,
the guard reports it, and the article goes alone and then to quarantine.
"""

import resource
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


def peak_megabytes() -> int:
    """Return the most memory that this process had at any moment."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        # In bytes on macOS. Elsewhere it may be that of the process that started ours.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE
    kibibytes = status.partition("VmHWM:")[2].split(maxsplit=1)[0]
    return int(kibibytes) * 1024 // MEGABYTE
