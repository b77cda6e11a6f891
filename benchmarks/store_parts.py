"""What a write spends on which part of it, told apart by the tables it speaks to.

The CPU time from the end of one statement to the end of the next is put down to the
table of the latter: that is the work of making its rows, sending and storing them.
"""

import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from store.bulk import copy_rows

PARTS = {
    "article": "articles",
    "revision": "articles",
    "entry": "entries",
    "entry_alias": "entries",
    "tombstone": "entries",
    "mention": "mentions",
    "article_entity": "sums",
    "entity": "entities",
    "entity_alias": "entities",
    "entity_hour": "rollups",
    "ingest_hour": "rollups",
    "enrichment": "ledger",
    "pipeline": "ledger",
    "enrich_work": "work list",
}
OTHER = "transactions"
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|COPY)\s+(\w+)")


class Meter:
    """Sums of CPU seconds, client and server, by the part of the write."""

    def __init__(self, engine: Engine) -> None:
        """Listen to an engine's statements."""
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._before: tuple[float, float] | None = None
        self._backend = 0
        # COPY passes by the events of an engine.
        self._copying = patch("store.batches.copy_rows", self._copied)
        event.listen(engine, "after_cursor_execute", self._executed)

    def start(self) -> None:
        """Count from now on; what no statement ends goes to the transactions."""
        self._copying.start()
        self._before = self._now()

    def stop(self) -> None:
        """Put down what came after the last statement, and rest."""
        self._put_down(OTHER)
        self._before = None
        self._copying.stop()

    def _executed(
        self, connection: Any, _cursor: Any, statement: str, *_rest: Any
    ) -> None:
        self._meet(connection)
        found = _TABLE.search(statement)
        self._put_down(PARTS.get(found[1], OTHER) if found else OTHER)

    def _copied(self, connection: Any, table: Any, *rest: Any) -> None:
        copy_rows(connection, table, *rest)
        self._put_down(PARTS[table.name])

    def _meet(self, connection: Any) -> None:
        if not self._backend and connection.dialect.name == "postgresql":
            self._backend = connection.connection.driver_connection.info.backend_pid

    def _put_down(self, part: str) -> None:
        if self._before is None:
            return
        now = self._now()
        self.spent[part] += sum(now) - sum(self._before)
        self._before = now

    def _now(self) -> tuple[float, float]:
        return time.process_time(), backend_seconds(self._backend)


def backend_seconds(pid: int) -> float:
    """Return the CPU time of one process, to the nanosecond; 0 for none."""
    if not pid:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
