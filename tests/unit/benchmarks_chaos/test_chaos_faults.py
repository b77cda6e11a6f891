"""The catalogue of faults, and what they need that is pure or stays in one process."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from random import Random

import pytest

from benchmarks.chaos.faults import CATALOGUE, messages
from benchmarks.chaos.faults.fault import frozen, send
from benchmarks.chaos.items import POISON_MARK, page_of
from benchmarks.chaos.poisoned import POISONS, poison_of, with_poison
from benchmarks.chaos.stages import STAGES, tags_of
from services.supervisor import Child

CHANCE = Random(1)  # noqa: S311  # no secret
EVERY_STAGE = [
    tags_of(name, broker=broker, mounts=True)
    for name in STAGES
    for broker in ("redis", "rabbitmq")
]


def test_each_kind_of_fault_is_there_once() -> None:
    kinds = Counter(fault.kind for fault in CATALOGUE)
    assert set(kinds.values()) == {1}


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.kind)
def test_each_fault_can_strike_somewhere_and_says_what_it_attacks(
    fault: object,
) -> None:
    assert isinstance(fault, type(CATALOGUE[0]))
    assert any(fault.needs <= tags for tags in EVERY_STAGE)
    assert fault.loses_nothing.endswith(".")


def message(number: int) -> bytes:
    return json.dumps(
        {
            "body": "W10=",
            "headers": {"task": "store.save_polls", "id": str(number)},
            "properties": {
                "delivery_tag": f"tag-{number}",
                "delivery_info": {"exchange": "wireroom", "routing_key": "store"},
            },
        }
    ).encode()


WAITING = [message(number) for number in range(5)]


def ids(found: list[bytes]) -> list[str]:
    return [json.loads(one)["headers"]["id"] for one in found]


def tags(found: list[bytes]) -> list[str]:
    return [json.loads(one)["properties"]["delivery_tag"] for one in found]


def test_a_message_that_comes_again_differs_by_the_label_of_its_delivery_alone() -> (
    None
):
    first, second = json.loads(WAITING[0]), json.loads(messages.again(WAITING[0]))
    assert first["properties"].pop("delivery_tag") != second["properties"].pop(
        "delivery_tag"
    )
    assert first == second


def test_doubling_keeps_every_message_and_adds_one_of_each() -> None:
    found = messages._double(CHANCE, WAITING)
    assert found[:5] == WAITING
    assert Counter(ids(found)) == Counter({str(n): 2 for n in range(5)})
    assert len(set(tags(found))) == 10


def test_shuffling_changes_the_order_alone() -> None:
    found = messages._shuffle(CHANCE, WAITING)
    assert found != WAITING
    assert sorted(found) == sorted(WAITING)


def test_one_message_is_lost_and_none_where_none_waits() -> None:
    found = messages._lose_one(CHANCE, WAITING)
    assert len(found) == 4
    assert set(found) < set(WAITING)
    assert messages._lose_one(CHANCE, []) == []


def test_an_old_message_goes_to_the_queue_it_came_from() -> None:
    assert messages.queue_of(WAITING[0]) == "store"


def test_spoilt_payloads_differ_so_that_each_is_a_case_of_its_own() -> None:
    spoilt = messages._spoilt(CHANCE)
    found = [next(spoilt) for _ in range(8)]
    assert len(set(found) - {"{"}) == 6


@pytest.mark.parametrize("kind", POISONS)
def test_a_page_of_the_campaign_carries_the_poison_that_it_is_meant_to(
    kind: str,
) -> None:
    assert poison_of(page_of(7, poison=kind)) == kind


def test_a_sound_page_and_an_unknown_mark_are_no_poison() -> None:
    assert poison_of(page_of(7)) is None
    assert poison_of(f"{POISON_MARK}nothing") is None


def test_the_children_of_a_poisoned_line_are_poisoned() -> None:
    argv = ("python", "-P", "-m", "services.cli", "worker", "--queues", "store")
    (child,) = with_poison(lambda: [Child(name="store", argv=argv)])()
    assert child.argv == tuple(
        "benchmarks.chaos.poisoned" if part == "services.cli" else part for part in argv
    )


SKEWED = """
import time
real = time.time()
from benchmarks.chaos import skewed
skewed.shift({seconds})
from datetime import UTC, datetime
import msgspec
from ingest.messages import utc_now
assert abs(time.time() - real - {seconds}) < 60
moved = (utc_now() - datetime.fromtimestamp(real, UTC)).total_seconds()
assert abs(moved - {seconds}) < 60
assert type(utc_now()) is datetime
assert msgspec.json.decode(msgspec.json.encode(utc_now()), type=datetime)
before = time.monotonic()
assert time.monotonic() - before < 60
"""


@pytest.mark.parametrize("seconds", [3_600, -3_600, 864_000, -864_000])
def test_a_skewed_process_lives_in_another_moment(seconds: int) -> None:
    script = SKEWED.format(seconds=seconds)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_frozen_processes_stand_still_and_go_on_afterwards() -> None:
    with subprocess.Popen(
        ["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as cat:
        assert cat.stdin
        assert cat.stdout
        with frozen([cat.pid]):
            state = os.waitid(os.P_PID, cat.pid, os.WSTOPPED | os.WNOWAIT)
            assert state is not None
            assert state.si_code == os.CLD_STOPPED
            cat.stdin.write(b"on\n")
        assert cat.stdout.readline() == b"on\n"


def test_a_signal_for_a_process_that_has_ended_is_no_error() -> None:
    with subprocess.Popen(["/bin/true"]) as done:
        done.wait()
    send(signal.SIGKILL, [done.pid])
