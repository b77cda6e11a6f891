"""A small disk of a stage's own, which a fault may fill: a file system in memory.

It is mounted where only the processes of one lane see it, and is gone when they are.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A chapter's database, logs and queue take a third of it.
SIZE = "160m"
MOUNT = ("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "chaos")


def private_mounts() -> tuple[str, ...]:
    """Return what to put before a command that may mount for itself alone.

    Nothing where this machine does not allow that.
    """
    alone = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "-rm")
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [*alone, *MOUNT, folder], capture_output=True, check=False
            )
        except FileNotFoundError:
            return ()
    return alone if done.returncode == 0 else ()


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a small disk on a folder for the length of the block."""
    subprocess.run([*MOUNT, str(folder)], check=True)
    try:
        yield
    finally:
        # What still holds a file open loses nothing: the disk goes with the last one.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607  # of the machine
