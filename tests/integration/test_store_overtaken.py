"""Watched files that are written faster than they are read: the later state stands."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from support.desk import Desk
from support.factories import LIMITS
from support.watched import Watched, text_of

from ingest.filemessages import FilesRead
from ingest.files import read_files
from services.planning import plan_poll
from store import reads
from store.engine import transaction
from store.models import Article, Revision, RunFile
from store.overtaken import OVERTAKEN

TOPICS = ("harbour", "bridge", "storm")


# A worker may take its time: polls are an hour apart here.
SLOW = replace(LIMITS, lease_seconds=86_400)


def folder(desk: Desk, path: Path) -> Watched:
    path.mkdir()
    return Watched(desk, path, limits=SLOW)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url, plan=plan_poll)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def answers(watched: Watched) -> list[FilesRead]:
    """Poll, and return what a worker reads of it; nothing of that is stored."""
    watched.poll()
    return [
        event
        for command in watched.claim()
        for event in read_files(command, now=watched.desk.now)
    ]


def save(watched: Watched, events: Sequence[FilesRead]) -> int:
    n_saved = 0
    for event in events:
        with transaction(watched.desk.engine) as session:
            n_saved += reads.save_files(session, event, now=watched.desk.now)
    return n_saved


def test_a_reading_that_comes_late_leaves_the_later_state(
    desk: Desk, tmp_path: Path
) -> None:
    watched = folder(desk, tmp_path / "inbox")
    watched.write("a.txt", "harbour")
    watched.look()
    watched.write("a.txt", "bridge")
    early = answers(watched)
    watched.write("a.txt", "storm")
    assert watched.look() == ["a.txt"]
    assert save(watched, early) == 1
    assert watched.articles() == [("Title of storm", 2)]
    assert desk.count(Revision) == 2
    row = desk.one(RunFile, RunFile.error == OVERTAKEN)
    assert (row.state, row.outcome) == ("done", "read")
    assert (row.n_seen, row.n_unchanged, row.n_revised) == (1, 1, 0)
    assert save(watched, early) == 0


def test_a_reading_is_kept_while_the_later_one_has_not_come(
    desk: Desk, tmp_path: Path
) -> None:
    watched = folder(desk, tmp_path / "inbox")
    path = watched.write("a.txt", "harbour")
    first = answers(watched)
    watched.write("a.txt", "bridge")
    second = answers(watched)
    watched.write("a.txt", "storm")
    watched.poll()
    path.unlink()
    watched.read()  # it is away when its last state is to be read
    assert save(watched, second) == 1
    assert save(watched, first) == 1
    assert watched.articles() == [("Title of bridge", 1)]


def test_portions_that_come_late_leave_the_later_state(
    desk: Desk, tmp_path: Path
) -> None:
    watched = folder(desk, tmp_path / "inbox")
    watched.limits = replace(SLOW, max_bytes=20_000)

    def write(topic: str) -> None:
        path = watched.write("a.jsonl", "")
        path.write_text("\n".join(text_of(f"{topic} {n:02}") for n in range(20)))
        os.utime(path, (desk.now.timestamp(), desk.now.timestamp()))

    write("harbour")
    early = answers(watched)
    assert sum(len(event.reads) for event in early) > 1
    write("storms")
    later = answers(watched)
    # Of the later state one portion is there, and then all of the earlier one comes.
    save(watched, later[:1])
    save(watched, early)
    save(watched, later[1:])
    assert [title for title, _ in watched.articles()] == [
        f"Title of storms {n:02}" for n in range(20)
    ]
    assert desk.count(Article) == 20


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_readings_in_any_order_leave_the_last_state(
    sqlite_template: Path, tmp_path: Path, order: Sequence[int]
) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "wireroom.db")
    desk = Desk(f"sqlite+pysqlite:///{file}", plan=plan_poll)
    watched = folder(desk, tmp_path / "inbox")
    events = []
    for topic in TOPICS:
        watched.write("a.txt", topic)
        watched.write(f"{topic}.txt", f"beside {topic}")
        events.append(answers(watched))
    for number in (*order, *reversed(order)):
        save(watched, events[number])
    assert watched.articles()[0][0] == "Title of beside bridge"
    titles = [title for title, _ in watched.articles() if "beside" not in title]
    assert titles == ["Title of storm"]
    assert desk.count(Article) == 4
    desk.assert_balanced()
    desk.engine.dispose()
