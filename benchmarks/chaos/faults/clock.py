"""Processes whose clock is hours or days off, beside those whose clock is right."""

import sys
from datetime import timedelta
from functools import partial
from random import Random

from benchmarks.chaos.faults.fault import (
    Fault,
    beside,
    family_of,
    frozen,
    make_busy,
    needs,
    pause,
    pids_of,
)
from benchmarks.chaos.stage import Stage

ROLE = "skewed"
WORK_SECONDS = 3.0
HOUR, TEN_DAYS = timedelta(hours=1), timedelta(days=10)
ARGUMENTS = {
    "store": ("worker", "--queues", "store,store.bulk", "--concurrency", "1"),
    "ingest": ("worker", "--queues", "ingest,ingest.bulk,pages", "--concurrency", "1"),
    "enrich": ("worker", "--queues", "enrich.live,enrich.bulk", "--concurrency", "1"),
    "beat": ("beat",),
}


def _beside(stage: Stage, random: Random, *, who: str, off: timedelta) -> None:
    """Let one more process take part, with its clock off, and for a while alone."""
    seconds = str(off.total_seconds())
    program = [sys.executable, "-m", "benchmarks.chaos.skewed", seconds]
    with beside(stage, ROLE, *ARGUMENTS[who], program=program):
        make_busy(stage, random)
        with frozen(pids_of(stage, _twins(stage, who))):
            pause(WORK_SECONDS)


def _twins(stage: Stage, who: str) -> list[str]:
    return [role for role in stage.roles() if family_of(role) == who]


def _fault(who: str, name: str, off: timedelta) -> Fault:
    return Fault(
        kind=f"clock_{who}_{name}",
        needs=needs(),
        inflict=partial(_beside, who=who, off=off),
        loses_nothing="Moments that one wrong clock wrote do not hold work up.",
    )


FAULTS = (
    # Only the store writes down when something is due.
    _fault("store", "hour_ahead", HOUR),
    _fault("store", "hour_behind", -HOUR),
    _fault("store", "days_ahead", TEN_DAYS),
    _fault("store", "days_behind", -TEN_DAYS),
    *(
        fault
        for who in ("ingest", "enrich", "beat")
        for fault in (
            _fault(who, "days_ahead", TEN_DAYS),
            _fault(who, "hour_behind", -HOUR),
        )
    ),
)
