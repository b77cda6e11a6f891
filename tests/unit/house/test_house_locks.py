"""The lock files pin every package to a hash and name no place to fetch it from."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text()))


def test_there_is_a_lock_for_each_use() -> None:
    assert [lock.name for lock in LOCKS] == [
        "requirements-build.lock",
        "requirements-dev.lock",
        "requirements-train.lock",
        "requirements-uv.lock",
        "requirements.lock",
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_line_is_a_pin_with_a_hash_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.partition("make lock\n")[2].strip())
    for entry in entries:
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry


def test_the_tools_meet_the_versions_that_run_in_production() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()
    assert (
        pins("requirements-build.lock").items() <= pins("requirements-dev.lock").items()
    )


def test_training_brings_what_no_worker_has() -> None:
    for heavy in ("torch", "onnx"):
        assert heavy in pins("requirements-train.lock")
        assert heavy not in pins("requirements-dev.lock")
    assert "onnxruntime" in pins("requirements-dev.lock")
    assert "onnxruntime" not in pins("requirements.lock")
