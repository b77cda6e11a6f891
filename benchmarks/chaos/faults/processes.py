"""Processes that are killed, told to stop, or frozen past their leases."""

import signal
from functools import partial
from random import Random

from benchmarks.chaos.faults.fault import (
    Fault,
    frozen,
    make_busy,
    needs,
    pause,
    pids_of,
    roles_of,
    send,
)
from benchmarks.chaos.stage import Stage

# Beyond the lease, so that the work of the frozen process has gone to another one.
MARGIN_SECONDS = 1.5
GAP_SECONDS = 0.8  # between two kills of one volley
WORKERS = ("line", "ingest", "enrich", "store")


def _kill(
    stage: Stage, random: Random, *, signum: signal.Signals, families: tuple[str, ...]
) -> None:
    """End the main process of one role."""
    make_busy(stage, random)
    send(signum, _one_main(stage, random, families))


def _one_main(stage: Stage, random: Random, families: tuple[str, ...]) -> list[int]:
    pid = stage.main_pid(random.choice(roles_of(stage, *families)))
    return [] if pid is None else [pid]


def _kill_pool(stage: Stage, random: Random, *, families: tuple[str, ...]) -> None:
    """End the processes that do the work, and leave their main process."""
    make_busy(stage, random)
    role = random.choice(roles_of(stage, *families))
    send(signal.SIGKILL, stage.pool_pids(role))


def _freeze(stage: Stage, random: Random, *, families: tuple[str, ...]) -> None:
    """Stop all processes of a role for longer than their lease."""
    make_busy(stage, random)
    role = random.choice(roles_of(stage, *families))
    with frozen(pids_of(stage, [role])):
        pause(stage.lease_seconds + MARGIN_SECONDS)


def _freeze_pool(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    role = random.choice(roles_of(stage, *WORKERS))
    with frozen(stage.pool_pids(role)):
        pause(stage.lease_seconds + MARGIN_SECONDS)


def _kill_volley(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    for _ in range(3):
        send(signal.SIGKILL, _one_main(stage, random, WORKERS))
        pause(random.uniform(0, GAP_SECONDS))


def _kill_all(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    roles = [role for role in stage.roles() if role not in {"up", "redis"}]
    send(signal.SIGKILL, pids_of(stage, roles))


def _term_all(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    mains = [stage.main_pid(role) for role in roles_of(stage, *WORKERS, "beat")]
    send(signal.SIGTERM, [pid for pid in mains if pid is not None])


KILLED = "What was committed stays, and the lease of the rest brings it back."
KILLED_POOL = "Work whose process was killed is reported or its lease runs out."
STOPPED = "A worker that is told to stop hands back what it has not done."
FROZEN = "An answer that comes after its lease changes nothing twice."
NO_NEED = frozenset[str]()

FAULTS = (
    Fault(
        kind="kill_line",
        needs=needs("up"),
        inflict=partial(_kill, signum=signal.SIGKILL, families=("line",)),
        loses_nothing=KILLED,
    ),
    Fault(
        kind="kill_ingest",
        needs=needs("hosts"),
        inflict=partial(_kill, signum=signal.SIGKILL, families=("ingest",)),
        loses_nothing=KILLED,
    ),
    Fault(
        kind="kill_enrich",
        needs=needs("hosts"),
        inflict=partial(_kill, signum=signal.SIGKILL, families=("enrich",)),
        loses_nothing=KILLED,
    ),
    Fault(
        kind="kill_store",
        needs=NO_NEED,
        inflict=partial(_kill, signum=signal.SIGKILL, families=("store",)),
        loses_nothing=KILLED,
    ),
    Fault(
        kind="kill_beat",
        needs=NO_NEED,
        inflict=partial(_kill, signum=signal.SIGKILL, families=("beat",)),
        loses_nothing="What is due stands in SQL; a clock that died owes nothing.",
    ),
    Fault(
        kind="kill_up",
        needs=needs("up"),
        inflict=partial(_kill, signum=signal.SIGKILL, families=("up",)),
        loses_nothing="Children end with their supervisor; the next one takes over.",
    ),
    Fault(
        kind="kill_pool_of_ingest_or_enrich",
        needs=NO_NEED,
        inflict=partial(
            _kill_pool,
            families=(
                "line",
                "ingest",
                "enrich",
            ),
        ),
        loses_nothing=KILLED_POOL,
    ),
    Fault(
        kind="kill_pool_of_store",
        needs=NO_NEED,
        inflict=partial(_kill_pool, families=("store",)),
        loses_nothing=KILLED_POOL,
    ),
    Fault(
        kind="kill_volley",
        needs=NO_NEED,
        inflict=_kill_volley,
        loses_nothing="What died is killed again while it comes back.",
    ),
    Fault(
        kind="kill_all_processes",
        needs=NO_NEED,
        inflict=_kill_all,
        loses_nothing="The rows know what was under way when everybody died.",
    ),
    Fault(
        kind="term_worker",
        needs=NO_NEED,
        inflict=partial(_kill, signum=signal.SIGTERM, families=WORKERS),
        loses_nothing=STOPPED,
    ),
    Fault(
        kind="term_up",
        needs=needs("up"),
        inflict=partial(_kill, signum=signal.SIGTERM, families=("up",)),
        loses_nothing=STOPPED,
    ),
    Fault(
        kind="term_all_processes",
        needs=NO_NEED,
        inflict=_term_all,
        loses_nothing=STOPPED,
    ),
    Fault(
        kind="quit_worker",
        needs=NO_NEED,
        inflict=partial(_kill, signum=signal.SIGQUIT, families=WORKERS),
        loses_nothing="A worker that ends at once hands back what it holds.",
    ),
    Fault(
        kind="freeze_ingest_or_enrich",
        needs=NO_NEED,
        inflict=partial(
            _freeze,
            families=(
                "line",
                "ingest",
                "enrich",
            ),
        ),
        loses_nothing=FROZEN,
    ),
    Fault(
        kind="freeze_store",
        needs=NO_NEED,
        inflict=partial(_freeze, families=("store",)),
        loses_nothing=FROZEN,
    ),
    Fault(
        kind="freeze_beat",
        needs=NO_NEED,
        inflict=partial(_freeze, families=("beat",)),
        loses_nothing="A clock that stood still sends no more than it has to.",
    ),
    Fault(
        kind="freeze_pool",
        needs=NO_NEED,
        inflict=_freeze_pool,
        loses_nothing="A task that hangs is killed at its limit and reported.",
    ),
)
