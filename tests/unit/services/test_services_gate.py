"""The gate: a message of ours passes, anything else is named and refused."""

import bz2
import zlib

import pytest
from kombu import compression

from services.gate import (
    JSON,
    MAX_BODY_BYTES,
    TooLarge,
    guard_unpacking,
    inflate,
    why_refused,
)

TASKS = {"ingest.poll"}
HEADERS = {"task": "ingest.poll"}


def test_a_message_of_ours_passes() -> None:
    assert why_refused(HEADERS, JSON, MAX_BODY_BYTES, tasks=TASKS) is None


@pytest.mark.parametrize(
    ("headers", "content_type", "n_bytes", "reason"),
    [
        (None, JSON, 1, "names no task"),
        ({}, JSON, 1, "names no task"),
        ({"task": 7}, JSON, 1, "names no task"),
        ({"task": "celery.chain"}, JSON, 1, "no such task"),
        (HEADERS, "application/x-python-serialize", 1, "not JSON"),
        (HEADERS, None, 1, "not JSON"),
        (HEADERS, JSON, MAX_BODY_BYTES + 1, "above the limit"),
    ],
)
def test_what_is_no_message_of_ours_is_refused_with_its_reason(
    headers: object, content_type: object, n_bytes: int, reason: str
) -> None:
    said = why_refused(headers, content_type, n_bytes, tasks=TASKS)

    assert said is not None
    assert reason in said


def test_what_we_pack_is_unpacked() -> None:
    guard_unpacking()
    packed, kind = compression.compress(b"a story", "zlib")

    assert compression.decompress(packed, kind) == b"a story"


def test_a_few_bytes_never_unpack_to_more_than_a_message() -> None:
    bomb = zlib.compress(bytes(MAX_BODY_BYTES + 1))

    assert len(bomb) < 100_000
    with pytest.raises(TooLarge):
        inflate(bomb)


def test_what_is_packed_in_another_way_is_not_unpacked() -> None:
    guard_unpacking()

    with pytest.raises(ValueError, match="never use"):
        compression.decompress(bz2.compress(b"a story"), "bzip2")
