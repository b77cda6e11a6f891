"""Two of what there should be one of: clocks, and sweeps at the same moment."""

from random import Random

from benchmarks.chaos.faults.fault import (
    Fault,
    beside,
    make_busy,
    needs,
    pause,
    quietly,
)
from benchmarks.chaos.stage import Stage
from services import routes
from services.publish import nudge

ROLE = "second"
BEATS_SECONDS = 3.0  # some ticks and sweeps of each
N_SWEEPS = 12


def _two_beats(stage: Stage, random: Random) -> None:
    with beside(stage, ROLE, "beat"):
        make_busy(stage, random)
        pause(BEATS_SECONDS)


def _many_sweeps(stage: Stage, random: Random) -> None:
    """Let all store processes sweep and look for work at the same time."""
    make_busy(stage, random)
    with quietly(stage) as app:
        for _ in range(N_SWEEPS):
            nudge(app, routes.SWEEP)
            nudge(app, routes.TICK)


def _everything_by_the_clock(stage: Stage, random: Random) -> None:
    """Run what the clock does by night or by the hour, in the middle of the work."""
    make_busy(stage, random)
    with quietly(stage) as app:
        for task in random.sample(sorted(routes.SCHEDULED), k=len(routes.SCHEDULED)):
            nudge(app, task)
            nudge(app, task)


TWICE = "What is due is decided in SQL, so that no task of the clock counts twice."

FAULTS = (
    Fault(
        kind="two_beats",
        needs=needs(),
        inflict=_two_beats,
        loses_nothing=TWICE,
    ),
    Fault(
        kind="many_sweeps",
        needs=needs(),
        inflict=_many_sweeps,
        loses_nothing=TWICE,
    ),
    Fault(
        kind="all_clock_tasks_at_once",
        needs=needs(),
        inflict=_everything_by_the_clock,
        loses_nothing=TWICE,
    ),
)
