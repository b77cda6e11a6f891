"""What `wireroom reprocess --extract` does: stored documents are read again."""

import time
from collections.abc import Sequence
from datetime import datetime

from ingest.messages import utc_now
from ingest.readers.registry import list_extractors
from services.cli.base import LOOK_SECONDS, ask_for_work, open_store
from services.cli.call import Call
from services.cli.deeds import note
from services.cli.line import line_for
from services.judging import JUDGE
from store import learned, rereading
from store.engine import Engine, reading, transaction
from store.journal import Action, Deed, about

CHUNK = 1_000  # files ordered in a transaction


def read_again(
    call: Call, *, source: str | None, since: datetime | None, wait: bool
) -> None:
    """Order what is stale to be read again; learn from new lines before."""
    wanted = rereading.Wanted(
        extractors=frozenset(list_extractors()), source=source, since=since
    )
    if not wait:
        with open_store(call.settings) as engine:
            found = _order(engine, wanted, call.operator)
            ask_for_work(call.settings, call.output)
        call.output.facts(found)
        return
    with line_for(call, own=False), open_store(call.settings) as engine:
        found = _order(engine, wanted, call.operator)
        ask_for_work(call.settings, call.output)
        while _is_waiting(engine):
            time.sleep(LOOK_SECONDS)
    call.output.facts(found)


def _order(engine: Engine, wanted: rereading.Wanted, operator: str) -> dict[str, int]:
    n_learned = _learn(engine)
    with reading(engine) as session:
        ids = rereading.find_stale(session, wanted)
    n_files = 0
    for start in range(0, len(ids), CHUNK):
        with transaction(engine) as session:
            some = ids[start : start + CHUNK]
            n_files += rereading.order_files(session, some, now=utc_now())
            # With the first of them: what was begun was done, even if killed.
            if start == 0:
                note(session, operator, _deed(wanted, ids))
    return {"files": n_files, "learned_lines": n_learned}


def _learn(engine: Engine) -> int:
    """Learn from all new lines, one source in a transaction; return how many lines."""
    total = 0
    while True:
        with transaction(engine) as session:
            now = utc_now()
            found = learned.learn_of_next(session, learn=JUDGE.learn, now=now)
        if found is None:
            return total
        total += found


def _deed(wanted: rereading.Wanted, ids: Sequence[int]) -> Deed:
    after = {"source": wanted.source, "since": wanted.since, "files": len(ids)}
    return Deed(action=Action.REPROCESS, subject=about("file", ids), after=after)


def _is_waiting(engine: Engine) -> bool:
    with reading(engine) as session:
        return rereading.count_waiting(session) > 0
