"""The catalogue of faults: all that may go wrong, one module for each family."""

from benchmarks.chaos.faults import (
    clock,
    doubles,
    messages,
    network,
    poison,
    postgresql,
    processes,
    rabbitmq,
    redis,
    sqlite,
)
from benchmarks.chaos.faults.fault import Fault

__all__ = ["CATALOGUE", "Fault"]

CATALOGUE: tuple[Fault, ...] = (
    *processes.FAULTS,
    *redis.FAULTS,
    *rabbitmq.FAULTS,
    *network.FAULTS,
    *postgresql.FAULTS,
    *sqlite.FAULTS,
    *messages.FAULTS,
    *doubles.FAULTS,
    *clock.FAULTS,
    *poison.FAULTS,
)
