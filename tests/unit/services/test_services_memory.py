"""The ceiling on memory, in processes of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MB = 1_000_000


def run(code: str) -> subprocess.CompletedProcess[str]:
    prefix = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    prefix += "from services.memory import limit_memory\n"
    return subprocess.run(
        [sys.executable, "-c", prefix + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="others may count less")
def test_what_wants_more_gets_an_error_and_the_process_goes_on() -> None:
    done = run(
        "limit_memory(200)\n"
        "small = bytearray(50_000_000)\n"
        "try:\n"
        "    bytearray(400_000_000)\n"
        "except MemoryError:\n"
        "    del small\n"
        "    print(len(bytearray(50_000_000)))\n"
    )
    assert done.stdout.strip() == str(50 * MB), done.stderr


def test_a_ceiling_that_is_there_already_is_never_lifted() -> None:
    done = run(
        "import resource\n"
        "limit_memory(200)\n"
        "limit_memory(900)\n"
        "print(resource.getrlimit(resource.RLIMIT_DATA))\n"
    )
    assert done.stdout.strip() == f"({200 * MB}, {200 * MB})", done.stderr
