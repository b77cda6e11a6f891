"""Files in portions: in any order, doubled or lost, all is stored and counted once."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count, islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.desk import Desk
from support.factories import FILE_LIMITS, LIMITS

from ingest.filemessages import FilePlace, FilesRead, ReadFiles
from ingest.files import read_files
from store import files, reads
from store.engine import transaction
from store.models import Article, Entry, FilePortion, RunFile
from store.queries.runs import run_progress
from store.words import FileState

N = 12
NUMBERS = count()
TEXT = "Engineers expect the work to cost four million pounds in all. " * 4
LEASE = timedelta(seconds=LIMITS.lease_seconds + 11)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    records = [{"title": f"T{n}", "text": f"{n}. {TEXT}"} for n in range(N)]
    path.write_text("".join(json.dumps(one) + "\n" for one in records) + "[]\n")
    return path


def claim(desk: Desk) -> ReadFiles:
    # Small messages, so that each holds two lines or three.
    limits = replace(LIMITS, max_bytes=7_000)
    with transaction(desk.engine) as session:
        (command,) = files.claim_files(
            session, now=desk.now, limits=limits, file_limits=FILE_LIMITS
        )
    return command


def save(desk: Desk, event: FilesRead) -> int:
    with transaction(desk.engine) as session:
        return reads.save_files(session, event, now=desk.now)


def assert_all_stored(desk: Desk) -> None:
    row = desk.one(RunFile)
    assert (row.state, row.outcome) == (FileState.DONE, "read")
    assert (row.n_seen, row.n_new) == (N, N)
    assert (row.place_member, row.place_piece) == (0, 0)
    assert f"line {N + 1}:" in row.error
    assert desk.count(Article) == desk.count(Entry) == N
    assert desk.count(FilePortion) == 0
    desk.enrich()
    desk.assert_balanced()


def test_a_large_file_is_stored_portion_by_portion(desk: Desk, lines: Path) -> None:
    run = desk.add_files(str(lines))
    events = list(read_files(claim(desk), now=desk.now))
    assert len(events) > 3
    for event in events:
        with transaction(desk.engine) as session:
            assert not run_progress(session, run).is_done
        desk.assert_balanced()
        assert save(desk, event) == 1
    assert_all_stored(desk)
    assert save(desk, events[0]) == 0


def test_a_file_is_read_on_from_where_its_worker_was_killed(
    desk: Desk, lines: Path
) -> None:
    desk.add_files(str(lines))
    sent = list(read_files(claim(desk), now=desk.now))
    # The second message is lost; the third came, and then the worker was killed.
    for event in (sent[0], sent[2]):
        save(desk, event)
    desk.now += LEASE
    again = claim(desk)
    assert again.files[0].place == sent[0].reads[0].end
    for event in read_files(again, now=desk.now):
        save(desk, event)
    assert_all_stored(desk)


def test_a_pause_is_no_failed_attempt_and_the_file_is_due_at_once(
    desk: Desk, lines: Path
) -> None:
    desk.add_files(str(lines))
    n_tasks = 0
    # A pause after each line: more of them than a file has attempts.
    while desk.one(RunFile).state == FileState.PENDING:
        command = claim(desk)
        assert command.files[0].attempt == 1
        for event in read_files(command, now=desk.now, is_over=lambda: True):
            save(desk, event)
        n_tasks += 1
    assert n_tasks == N + 1 > LIMITS.max_attempts
    assert_all_stored(desk)


def test_a_file_that_kills_its_workers_at_one_place_is_given_up(
    desk: Desk, lines: Path
) -> None:
    desk.add_files(str(lines))
    for _ in range(LIMITS.max_attempts):
        for event in islice(read_files(claim(desk), now=desk.now), 1):
            save(desk, replace(event, reads=event.reads[:1]))
        desk.now += LEASE * 2
    with transaction(desk.engine) as session:
        assert files.sweep_files(session, now=desk.now, max_attempts=3) == 1
    row = desk.one(RunFile)
    assert row.state == FileState.QUARANTINED
    assert FilePlace() < FilePlace(member=row.place_member, piece=row.place_piece)
    assert desk.count(Article) == row.n_seen > 0
    desk.enrich()
    desk.assert_balanced()


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_order_and_any_redelivery_end_in_the_same_rows(
    desk: Desk, lines: Path, data: st.DataObject
) -> None:
    path = lines.with_name(f"{next(NUMBERS)}.jsonl")
    path.write_bytes(lines.read_bytes())
    desk.add_files(str(path))
    sent = list(read_files(claim(desk), now=desk.now))
    doubled: Sequence[int] = data.draw(
        st.lists(st.integers(0, len(sent) - 1), max_size=len(sent))
    )
    order = data.draw(st.permutations([*range(len(sent)), *doubled]))
    for n in order:
        save(desk, sent[n])
    row = desk.one(RunFile, RunFile.path == str(path))
    assert (row.state, row.n_seen, row.n_new) == (FileState.DONE, N, N)
    assert desk.count(FilePortion) == 0
    assert desk.count(Entry, Entry.key.startswith(path.as_uri())) == N
    desk.assert_balanced()
