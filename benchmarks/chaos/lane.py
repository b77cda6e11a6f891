"""One stage through its share of a campaign: fault after fault, chapter by chapter."""

import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from benchmarks.chaos.campaign import CHAPTER_FAULTS, Budget, Step, step_of
from benchmarks.chaos.checker import Findings
from benchmarks.chaos.faults import CATALOGUE
from benchmarks.chaos.faults.fault import Fault
from benchmarks.chaos.records import ChapterRecord, FaultRecord, read, write
from benchmarks.chaos.stage import Stage
from benchmarks.chaos.stages import open_stage, tags_of

# Leases of 10 s, delays of 10 and 20 s, a visibility timeout of 50 s: what is not back
# after these has to be explained.
PATIENCE_SECONDS = 120.0
POISON_SECONDS = 300.0
QUEUE_SECONDS = 30.0
REMIND_SECONDS = 5.0
MOST_NAMED = 20  # items of one finding; the rest tell nothing more
# New input after a fault: the line has to take it as if nothing had been.
AFTERMATH = {"n_files": 2, "n_entries": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What one stage has to go through."""

    stage: str
    seed: int
    broker: str
    budget: Budget
    file: Path  # of its records
    only: frozenset[str] = frozenset()  # kinds of faults; empty: all
    mounts: bool = False  # whether this process may mount a small disk


def run_lane(lane: Lane) -> None:
    """Go on where the records end, until the budget is spent."""
    tags = tags_of(lane.stage, broker=lane.broker, mounts=lane.mounts)
    faults = {one.kind: one for one in CATALOGUE if one.needs <= tags}
    if lane.only:
        faults = {kind: one for kind, one in faults.items() if kind in lane.only}
    while not _is_spent(lane):
        _run_chapter(lane, faults)


def _is_spent(lane: Lane) -> bool:
    records = read(lane.file)
    n_faults = sum(isinstance(one, FaultRecord) for one in records)
    seconds = sum(one.seconds for one in records)
    return lane.budget.is_spent(seconds=seconds, n_faults=n_faults)


def _run_chapter(lane: Lane, faults: dict[str, Fault]) -> None:
    started = time.monotonic()
    first = sum(isinstance(one, FaultRecord) for one in read(lane.file))
    number, is_clean = first, True
    folder = Path(tempfile.mkdtemp(prefix=f"wrc-{lane.stage}-"))
    folder.chmod(0o755)  # PostgreSQL may run as somebody else
    in_faults = 0.0
    with open_stage(
        lane.stage, folder, broker=lane.broker, mounts=lane.mounts
    ) as stage:
        while is_clean and number < first + CHAPTER_FAULTS:
            step = step_of(lane.seed, lane.stage, number, list(faults))
            record = run_fault(stage, step, faults[step.kind])
            write(lane.file, record)
            _say(_line_of(record))
            in_faults += record.seconds
            number += 1
            is_clean = record.error is None and not any(record.findings.values())
            if _is_spent(lane):
                break
        chapter = _close_chapter(stage, first, number - first)
    seconds = time.monotonic() - started - in_faults
    chapter = replace(chapter, seconds=round(seconds, 1))
    write(lane.file, chapter)
    _say(_chapter_line(chapter))
    wrong = (*chapter.findings.values(), chapter.queues, chapter.left_behind)
    if is_clean and not any(wrong):
        shutil.rmtree(folder, ignore_errors=True)
    else:
        _say(f"{lane.stage}: what is left of it lies in {folder}")


def run_fault(stage: Stage, step: Step, fault: Fault) -> FaultRecord:
    """Hand input over, inflict the fault, and wait until all of it is through."""
    started = time.monotonic()
    error, findings, recovered = None, Findings(), None
    stage.inputs.add(n_files=step.n_files, n_entries=step.n_entries)
    try:
        fault.inflict(stage, Random(step.seed))  # noqa: S311  # no secret
    except Exception as failed:  # noqa: BLE001 - it says nothing of the product
        error = f"{type(failed).__name__}: {failed}"
    struck = time.monotonic()
    stage.inputs.add(**AFTERMATH)
    items = list(stage.inputs.known)
    if _is_through(stage, PATIENCE_SECONDS):
        recovered = time.monotonic() - struck
        findings = stage.check(items, at_end=False)
    else:
        findings = Findings(stuck=tuple(_stuck(stage)))
    return FaultRecord(
        stage=step.stage,
        number=step.number,
        kind=step.kind,
        seed=step.seed,
        n_items=len(items),
        fault_seconds=round(struck - started, 2),
        recovery_seconds=None if recovered is None else round(recovered, 2),
        seconds=round(time.monotonic() - started, 2),
        findings=as_lists(findings),
        error=error,
    )


def _is_through(stage: Stage, seconds: float) -> bool:
    """Wait until all sound items are done and all processes are healthy."""
    reminded = time.monotonic()

    def holds() -> bool:
        nonlocal reminded
        if time.monotonic() > reminded + REMIND_SECONDS:
            stage.inputs.remind()
            reminded = time.monotonic()
        return stage.n_unfinished() == 0 and not stage.unhealthy()

    return stage.wait_until(holds, seconds)


def _stuck(stage: Stage) -> list[str]:
    late = [item for item in stage.unfinished() if item.poison is None]
    ill = [f"{role}: no sign of life" for role in stage.unhealthy()]
    return [*stage.explain(late), *ill]


def _close_chapter(stage: Stage, first: int, n_faults: int) -> ChapterRecord:
    """Wait for what takes minutes, end the processes, and check all once more."""
    items = list(stage.inputs.known)
    stage.wait_until(lambda: not stage.unfinished(), POISON_SECONDS)
    stage.wait_until(lambda: not stage.queue_lengths(), QUEUE_SECONDS)
    queues = stage.queue_lengths()
    left = stage.end_processes()
    return ChapterRecord(
        stage=stage.name,
        first=first,
        n_faults=n_faults,
        n_items=len(items),
        n_poisoned=sum(item.poison is not None for item in items),
        n_reminders=stage.inputs.n_reminders,
        seconds=0.0,
        findings=as_lists(stage.check(items, at_end=True)),
        queues=queues,
        left_behind=left,
    )


def as_lists(findings: Findings) -> dict[str, list[str]]:
    """Return findings as a record keeps them."""
    return {name: list(value[:MOST_NAMED]) for name, value in asdict(findings).items()}


def _line_of(record: FaultRecord) -> str:
    after = (
        "did not recover"
        if record.recovery_seconds is None
        else (f"recovered in {record.recovery_seconds:5.1f} s")
    )
    wrong = _wrong(record.findings)
    what = f"{record.stage} {record.number:3} {record.kind:30} {after}"
    return " ".join(filter(None, (what, record.error, str(wrong) if wrong else "")))


def _chapter_line(record: ChapterRecord) -> str:
    wrong = _wrong(record.findings)
    return (
        f"{record.stage} chapter of {record.n_faults} faults, {record.n_items} items: "
        f"{wrong or 'all there, each once'} {record.queues or ''} "
        f"{record.left_behind or ''}"
    )


def _wrong(findings: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        name: [*some[:3], f"{len(some)} in all"]
        for name, some in findings.items()
        if some
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
