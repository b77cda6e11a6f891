"""The plan of a chaos campaign, its records, and what it says of them."""

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.chaos import report
from benchmarks.chaos.campaign import Budget, step_of
from benchmarks.chaos.checker import Findings
from benchmarks.chaos.faults import CATALOGUE
from benchmarks.chaos.lane import as_lists
from benchmarks.chaos.records import ChapterRecord, FaultRecord, Record, read, write
from benchmarks.chaos.stages import tags_of

KINDS = ["kill_store", "redis_flush", "poison_crash", "net_cut", "two_beats"]
CLEAN = as_lists(Findings())

FAULT = FaultRecord(
    stage="laptop",
    number=0,
    kind="kill_store",
    seed="1/laptop/0",
    n_items=20,
    fault_seconds=1.0,
    recovery_seconds=4.0,
    seconds=6.0,
    findings=CLEAN,
)
CHAPTER = ChapterRecord(
    stage="laptop",
    first=0,
    n_faults=1,
    n_items=20,
    n_poisoned=1,
    n_reminders=0,
    seconds=12.0,
    findings=CLEAN,
)


def test_a_fault_of_a_seed_is_always_the_same_fault() -> None:
    first = [step_of(7, "hosts", n, KINDS) for n in range(20)]
    assert first == [step_of(7, "hosts", n, KINDS[::-1]) for n in range(20)]
    assert first != [step_of(8, "hosts", n, KINDS) for n in range(20)]
    assert len({one.seed for one in first}) == 20


def test_each_round_brings_each_kind_once_and_poison_first() -> None:
    for start in (0, 5, 10):
        kinds = [step_of(3, "hosts", start + n, KINDS).kind for n in range(5)]
        assert sorted(kinds) == sorted(KINDS)
        assert kinds[0] == "poison_crash"


def test_a_campaign_goes_on_until_time_and_faults_are_reached() -> None:
    budget = Budget(minutes=1, n_faults=5)
    assert not budget.is_spent(seconds=61, n_faults=4)
    assert not budget.is_spent(seconds=59, n_faults=5)
    assert budget.is_spent(seconds=60, n_faults=5)
    assert budget.share(2) == Budget(minutes=1, n_faults=3)


def test_every_fault_has_a_stage_and_a_name_of_its_own() -> None:
    kinds = [one.kind for one in CATALOGUE]
    assert len(kinds) == len(set(kinds))
    stages = [
        tags_of("laptop", broker="redis", mounts=True),
        tags_of("hosts", broker="redis", mounts=True),
        tags_of("hosts", broker="rabbitmq", mounts=True),
    ]
    for one in CATALOGUE:
        assert any(one.needs <= tags for tags in stages), one.kind


def test_records_are_read_back_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "laptop.jsonl"
    assert read(file) == []
    write(file, FAULT)
    write(file, CHAPTER)
    with file.open("a") as stream:
        stream.write('{"stage": "lap')
    assert read(file) == [FAULT, CHAPTER]
    write(file, replace(FAULT, number=1))
    assert [one for one in read(file) if isinstance(one, FaultRecord)] == [
        FAULT,
        replace(FAULT, number=1),
    ]


def test_a_campaign_is_clean_only_if_nothing_at_all_is_wrong() -> None:
    def is_clean(*records: Record) -> bool:
        return bool(report.summary(records, seed=1, broker="redis")["clean"])

    assert is_clean(FAULT, CHAPTER)
    assert not is_clean()
    assert not is_clean(replace(FAULT, error="LookupError: no role"), CHAPTER)
    assert not is_clean(FAULT, replace(CHAPTER, left_behind=["beat"]))
    assert not is_clean(FAULT, replace(CHAPTER, queues={"store": 1}))
    for name in CLEAN:
        wrong = CLEAN | {name: ["page 7"]}
        assert not is_clean(replace(FAULT, findings=wrong), CHAPTER)
        assert not is_clean(FAULT, replace(CHAPTER, findings=wrong))


def test_the_summary_counts_an_item_once_however_often_it_was_found() -> None:
    wrong = CLEAN | {"lost": ["page 7", "page 8"]}
    records: list[Record] = [
        replace(FAULT, findings=wrong, recovery_seconds=None),
        replace(CHAPTER, findings=wrong),
    ]
    found = report.summary(records, seed=4, broker="redis")
    assert (found["faults"], found["lost"], found["doubled"]) == (1, 2, 0)
    assert found["recovery_seconds"] == {"median": None, "worst": None}
    json.dumps(found)


def test_the_report_shows_how_often_and_how_fast_each_kind_was_survived() -> None:
    records: list[Record] = [
        FAULT,
        replace(FAULT, number=1, recovery_seconds=8.0),
        replace(FAULT, number=2, recovery_seconds=None),
        CHAPTER,
    ]
    assert report.rows(records) == [
        ("kill_store", "laptop", "3", "2", "6.0", "8.0"),
    ]
    figures = report.summary(records, seed=1, broker="redis")
    assert figures["per_kind"] == {
        "kill_store": {"inflicted": 3, "survived": 2, "median": 6.0, "worst": 8.0}
    }
    page = report.page(records, figures)
    assert "| kill_store | laptop | 3 | 2 | 6.0 | 8.0 |" in page
    assert "0 lost, 0 doubled" in page
