"""What a campaign has shown: a table, one JSON object, and a page of the docs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.records import WRONGS, ChapterRecord, FaultRecord, Record

PAGE = Path(__file__).with_name("page.md")
COLUMNS = ("fault", "stage", "inflicted", "survived", "median s", "worst s")


def summary(records: Sequence[Record], *, seed: int, broker: str) -> dict[str, Any]:
    """Return the figures of a campaign; `clean` says whether nothing went wrong."""
    faults = [one for one in records if isinstance(one, FaultRecord)]
    chapters = [one for one in records if isinstance(one, ChapterRecord)]
    wrong = {name: _count(records, name) for name in WRONGS}
    recovered = [f.recovery_seconds for f in faults if f.recovery_seconds is not None]
    figures = {
        "faults": len(faults),
        "kinds": len({one.kind for one in faults}),
        **wrong,
        "not_inflicted": sum(one.error is not None for one in faults),
        "left_behind": sum(len(one.left_behind) for one in chapters),
        "queued": sum(sum(one.queues.values()) for one in chapters),
    }
    return {
        **figures,
        "clean": bool(faults) and not any(list(figures.values())[2:]),
        "items": sum(one.n_items for one in chapters),
        "poisoned": sum(one.n_poisoned for one in chapters),
        "recovery_seconds": {
            "median": round(median(recovered), 1) if recovered else None,
            "worst": max(recovered, default=None),
        },
        "per_kind": {kind: _figures(some) for kind, some in _by_kind(faults).items()},
        "seed": seed,
        "broker": broker,
    }


def _by_kind(faults: Sequence[FaultRecord]) -> dict[str, list[FaultRecord]]:
    kinds: dict[str, list[FaultRecord]] = defaultdict(list)
    for one in sorted(faults, key=lambda one: one.kind):
        kinds[one.kind].append(one)
    return kinds


def _figures(faults: Sequence[FaultRecord]) -> dict[str, Any]:
    """Return how often faults of one kind were survived, and in how many seconds."""
    times = [one.recovery_seconds for one in faults if one.recovery_seconds is not None]
    return {
        "inflicted": len(faults),
        "survived": sum(map(is_survived, faults)),
        "median": round(median(times), 1) if times else None,
        "worst": max(times, default=None),
    }


def _count(records: Sequence[Record], name: str) -> int:
    # One item may be found wrong after each fault that follows.
    return len({text for one in records for text in one.findings.get(name, ())})


def rows(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """Return the table: how often each kind was survived, and how fast."""
    groups: dict[tuple[str, str], list[FaultRecord]] = defaultdict(list)
    for one in records:
        if isinstance(one, FaultRecord):
            groups[one.kind, one.stage].append(one)
    return [
        (kind, stage, *(_cell(one) for one in _figures(some).values()))
        for (kind, stage), some in sorted(groups.items())
    ]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def is_survived(record: FaultRecord) -> bool:
    """Say whether everything was there, once, after a fault."""
    is_clean = not any(record.findings.values())
    return is_clean and record.recovery_seconds is not None and not record.error


def show(records: Sequence[Record]) -> None:
    """Print the table."""
    table = Table(title="faults, and the seconds until all input was through")
    for column in COLUMNS[:2]:
        table.add_column(column, no_wrap=True)
    for column in COLUMNS[2:]:
        table.add_column(column, justify="right")
    for row in rows(records):
        table.add_row(*row)
    Console().print(table)


def page(records: Sequence[Record], figures: dict[str, Any]) -> str:
    """Return the page for the docs."""
    per_stage = Counter(one.stage for one in records if isinstance(one, FaultRecord))
    stages = ", ".join(f"{n} on `{stage}`" for stage, n in sorted(per_stage.items()))
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows(records))
    wrong = ", ".join(f"{figures[name]} {name.replace('_', ' ')}" for name in WRONGS)
    minutes = sum(one.seconds for one in records) / 60
    return PAGE.read_text(encoding="utf-8").format(
        **{**figures, **figures["recovery_seconds"]},
        stages=stages,
        wrong=wrong,
        minutes=f"{minutes:.0f}",
        table=table,
    )
