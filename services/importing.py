"""Importing: without the collector of garbage, which finds none among modules.

It would look at all that has been loaded again and again: two fifths of the time that a
short command takes, and a part of each full collection while a worker lives.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Keep the collector off in the block, and out of what was made in it, for good."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()
