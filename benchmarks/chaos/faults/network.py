"""The network between the processes and their broker, which breaks in every way."""

from functools import partial
from random import Random

from benchmarks.chaos.faults.fault import (
    Fault,
    add_work,
    make_busy,
    needs,
    pause,
    pids_of,
    roles_of,
)
from benchmarks.chaos.proxy import Proxy, Weather
from benchmarks.chaos.stage import Stage

MARGIN_SECONDS = 1.5  # beyond the lease
REFUSED_SECONDS = 3.0
SLOW_SECONDS = 4.0
SLOW_DELAY_SECONDS = 0.15
DEAF_SECONDS = 2.0
TORN_SECONDS = 1.0
N_CUTS = 4
GAP_SECONDS = 0.7
WORKERS = ("ingest", "enrich", "store")


def _proxy(stage: Stage) -> Proxy:
    if stage.proxy is None:
        raise LookupError(f"{stage.name} has no proxy")
    return stage.proxy


def _cut(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    _proxy(stage).cut()


def _cut_again(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    for _ in range(N_CUTS):
        _proxy(stage).cut()
        pause(random.uniform(0, GAP_SECONDS))


def _all_in(
    stage: Stage, random: Random, *, weather: Weather, seconds: float, delay: float = 0
) -> None:
    """Let every process meet the weather."""
    make_busy(stage, random)
    with _proxy(stage).weather(weather, delay_seconds=delay):
        add_work(stage, random)
        pause(seconds)


def _partition(stage: Stage, random: Random) -> None:
    make_busy(stage, random)
    with _proxy(stage).weather(Weather.BLACK_HOLE):
        add_work(stage, random)
        pause(stage.lease_seconds + MARGIN_SECONDS)


def _partition_one(
    stage: Stage, random: Random, *, weather: Weather, is_long: bool
) -> None:
    """Let one worker meet the weather, while its twin sees the broker as ever."""
    make_busy(stage, random)
    role = random.choice(roles_of(stage, *WORKERS))
    owners = partial(pids_of, stage, [role])
    with _proxy(stage).weather(weather, owners=owners):
        add_work(stage, random)
        pause(stage.lease_seconds + MARGIN_SECONDS if is_long else DEAF_SECONDS)


UNSENT = "What could not be published stands in SQL and is sent again."
POPPED = "A message that left the broker and never arrived comes back with its lease."

FAULTS = (
    Fault(
        kind="net_cut",
        needs=needs("hosts"),
        inflict=_cut,
        loses_nothing=UNSENT,
    ),
    Fault(
        kind="net_cut_again_and_again",
        needs=needs("hosts"),
        inflict=_cut_again,
        loses_nothing="A worker that reconnects is cut off again and comes back.",
    ),
    Fault(
        kind="net_refused",
        needs=needs("hosts"),
        inflict=partial(_all_in, weather=Weather.REFUSED, seconds=REFUSED_SECONDS),
        loses_nothing=UNSENT,
    ),
    Fault(
        kind="net_partition",
        needs=needs("hosts"),
        inflict=_partition,
        loses_nothing="Nobody reaches the broker for longer than a lease.",
    ),
    Fault(
        kind="net_partition_of_one",
        needs=needs("hosts"),
        inflict=partial(_partition_one, weather=Weather.BLACK_HOLE, is_long=True),
        loses_nothing="The others take over; what comes late changes nothing twice.",
    ),
    Fault(
        kind="net_answers_lost",
        needs=needs("hosts"),
        inflict=partial(_all_in, weather=Weather.DEAF, seconds=DEAF_SECONDS),
        loses_nothing=POPPED,
    ),
    Fault(
        kind="net_answers_lost_for_one",
        needs=needs("hosts"),
        inflict=partial(_partition_one, weather=Weather.DEAF, is_long=False),
        loses_nothing=POPPED,
    ),
    Fault(
        kind="net_torn",
        needs=needs("hosts"),
        inflict=partial(_all_in, weather=Weather.TORN, seconds=TORN_SECONDS),
        loses_nothing="Half a message is no message, and its row stands in SQL.",
    ),
    Fault(
        kind="net_slow",
        needs=needs("hosts"),
        inflict=partial(
            _all_in,
            weather=Weather.SLOW,
            seconds=SLOW_SECONDS,
            delay=SLOW_DELAY_SECONDS,
        ),
        loses_nothing="Answers that take long are answers.",
    ),
)
