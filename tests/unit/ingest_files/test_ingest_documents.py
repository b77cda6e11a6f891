import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents import DamagedDocumentError, pack, unpack


@given(st.binary(max_size=300))
def test_what_was_packed_comes_back(body: bytes) -> None:
    document = pack(body, "text/plain")
    assert unpack(document) == body
    assert document.n_bytes == len(body)


@pytest.mark.parametrize(
    "damage",
    [
        {"codec": "zstd"},
        {"n_bytes": 3},
        {"n_bytes": -1},
        {"n_bytes": 10**12},
        {"n_bytes": 100},
        {"sha256": "0" * 64},
        {"body": b"no zlib"},
        {"body": pack(b"other", "text/plain").body},
    ],
)
def test_damage_is_found(damage: dict[str, Any]) -> None:
    with pytest.raises(DamagedDocumentError, match="is damaged"):
        unpack(replace(pack(b"body", "text/plain"), **damage))


def test_a_bomb_costs_no_more_than_it_declares() -> None:
    bomb = replace(pack(bytes(50_000_000), "text/plain"), n_bytes=10)
    with pytest.raises(DamagedDocumentError, match="size"):
        unpack(bomb)


def test_the_error_survives_the_way_between_processes() -> None:
    error = copy.copy(DamagedDocumentError("ab" * 32, "why"))
    assert (error.sha256, error.reason) == ("ab" * 32, "why")
