"""The chaos campaign: faults over real processes, and what SQL holds afterwards.

Prints one line a fault, a table, and one JSON object at the end. Usage:
`python -m benchmarks.chaos --minutes 2 --seed 1`; `make chaos` and `make chaos-full`.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos import report
from benchmarks.chaos.campaign import Budget
from benchmarks.chaos.disks import private_mounts
from benchmarks.chaos.lane import Lane, run_lane
from benchmarks.chaos.records import read
from benchmarks.chaos.stages import STAGES
from services.spawn import spawn

# A lane ends its processes and servers; after that its janitor and guards do.
END_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """Run or go on with a campaign; 1 where anything was lost, doubled or stuck."""
    signal.signal(signal.SIGTERM, _end)
    asked = _parser().parse_args(arguments)
    if asked.lane:
        run_lane(_lane(asked, asked.lane, asked.state))
        return 0
    if asked.state:
        return _run(asked, arguments, asked.state)
    with tempfile.TemporaryDirectory(prefix="wrc-") as state:
        return _run(asked, arguments, Path(state))


def _end(*_: object) -> None:
    sys.exit("ended from outside")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("--minutes", type=float, default=0.0, help="at least so long")
    parser.add_argument("--faults", type=int, default=0, help="and at least so many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--broker", choices=("redis", "rabbitmq"), default="redis")
    parser.add_argument("--only", default="", help="kinds of faults, comma separated")
    parser.add_argument("--state", type=Path, help="folder to go on in")
    parser.add_argument("--report", type=Path, help="page to write")
    parser.add_argument("--lane", choices=STAGES, help=argparse.SUPPRESS)
    parser.add_argument("--mounts", action="store_true", help=argparse.SUPPRESS)
    return parser


def _lane(asked: argparse.Namespace, stage: str, state: Path) -> Lane:
    budget = Budget(minutes=asked.minutes, n_faults=asked.faults)
    return Lane(
        stage=stage,
        seed=asked.seed,
        broker=asked.broker,
        budget=budget.share(len(asked.stages.split(","))),
        file=_file(state, stage),
        only=frozenset(filter(None, asked.only.split(","))),
        mounts=asked.mounts,
    )


def _file(state: Path, stage: str) -> Path:
    return state / f"{stage}.jsonl"


def _start_lane(
    arguments: list[str], state: Path, stage: str
) -> subprocess.Popen[bytes]:
    alone = private_mounts() if stage == "laptop" else ()
    again = [*alone, sys.executable, "-m", "benchmarks.chaos", *arguments]
    own = ["--state", str(state), "--lane", stage, *(["--mounts"] if alone else [])]
    return spawn([*again, *own])


def _run(asked: argparse.Namespace, arguments: list[str], state: Path) -> int:
    """Run the stages side by side, each in a process of its own, and report."""
    started = time.monotonic()
    state.mkdir(parents=True, exist_ok=True)
    stages = asked.stages.split(",")
    lanes = [_start_lane(arguments, state, stage) for stage in stages]
    try:
        codes = [lane.wait() for lane in lanes]
    finally:
        for lane in lanes:
            lane.terminate()
        for lane in lanes:
            lane.wait(END_SECONDS)
    records = [one for stage in stages for one in read(_file(state, stage))]
    summary = report.summary(records, seed=asked.seed, broker=asked.broker)
    summary["seconds"] = round(time.monotonic() - started, 1)
    report.show(records)
    if asked.report:
        asked.report.write_text(report.page(records, summary), encoding="utf-8")
    print(json.dumps(summary))
    return 0 if summary["clean"] and not any(codes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
