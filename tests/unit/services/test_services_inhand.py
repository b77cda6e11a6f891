"""What a worker has in hand: it speaks up in time, and not for short tasks."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ingest.filemessages import FilesRead, FileToRead, ReadFiles
from services import wire
from services.inhand import InHand, Request
from services.messages import WorkContinues, WorkKind
from services.routes import route_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = 60.0


@dataclass
class Received:
    """A message as Celery hands it to the worker."""

    id: str
    name: str = "ingest.read"
    args: Any = field(default=("{broken",))


def reading(*file_ids: int) -> Request:
    files = (FileToRead(file_id=n, path="/", source="s", attempt=2) for n in file_ids)
    command = ReadFiles(files=tuple(files), max_file_bytes=1, max_message_bytes=1)
    return Received(id=str(file_ids), args=(wire.encode(command),))


def due(in_hand: InHand, now: float, *requests: Request) -> list[WorkContinues]:
    return in_hand.due(requests, now=now, at=AT)


def test_a_short_task_costs_no_message() -> None:
    in_hand = InHand(LEASE)

    assert due(in_hand, 0, reading(1)) == []
    assert due(in_hand, 10) == []
    # Another message; the time of the first one is not held against it.
    assert due(in_hand, 25, reading(2)) == []


def test_a_long_task_is_spoken_for_in_each_third_of_its_lease() -> None:
    in_hand, one = InHand(LEASE), reading(1, 2)

    said = [now for now in range(0, 121, 10) if due(in_hand, now, one)]

    assert said == [20, 40, 60, 80, 100, 120]


def test_all_that_waits_is_named_with_its_attempt_in_one_message() -> None:
    in_hand = InHand(LEASE)
    due(in_hand, 0, reading(1, 2), reading(3))

    (event,) = due(in_hand, 20, reading(1, 2), reading(3))

    assert event == WorkContinues(kind=WorkKind.FILE, ids=("1:2", "2:2", "3:2"), at=AT)


def test_events_scheduled_tasks_and_broken_messages_have_no_lease() -> None:
    in_hand = InHand(LEASE)
    held = [
        Received("a", name=route_of(FilesRead).task),
        Received("b", name="store.tick", args=()),
        Received("c"),
        Received("d", args=()),
    ]
    due(in_hand, 0, *held)

    assert due(in_hand, 30, *held) == []
