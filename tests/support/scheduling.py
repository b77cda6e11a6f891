"""Which tests stay in one process when several run them: those that share something.

The marks of pytest-xdist for this (3.8) have no effect with pytest 9.2, which no longer
lets a plugin rename a test. So the file decides: one with a fixture for all of it, as a
server, stays together, and so does one that measures on a corpus, which it reads once.
The tests of others go wherever there is room.
"""

from functools import cache
from pathlib import Path

from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]  # it has no types

SHARED = 'scope="module"'
QUALITY = "quality"  # the folder of what measures on a corpus


class TogetherScheduling(LoadGroupScheduling):  # type: ignore[misc]  # as above
    """Hands out files that share something as a whole, and other tests one by one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if shares(Path(self.config.rootpath) / file) else nodeid


@cache
def shares(file: Path) -> bool:
    """Say whether the tests of a file share what is dear to make."""
    return file.parent.name == QUALITY or SHARED in file.read_text(encoding="utf-8")
