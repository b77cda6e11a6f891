"""Articles that kill, hang or bloat whoever enriches them, among healthy neighbours."""

from functools import partial
from random import Random

from benchmarks.chaos.faults.fault import Fault, needs
from benchmarks.chaos.poisoned import POISONS
from benchmarks.chaos.stage import Stage


def _poison(stage: Stage, random: Random, *, kind: str) -> None:
    del random
    stage.inputs.poison(kind)


FAULTS = tuple(
    Fault(
        kind=f"poison_{kind}",
        needs=needs(),
        inflict=partial(_poison, kind=kind),
        loses_nothing="It ends in quarantine, and its neighbours get through.",
    )
    for kind in POISONS
)
