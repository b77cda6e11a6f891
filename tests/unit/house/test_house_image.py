"""What the image promises: hashed parts, no installer, no root."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "Dockerfile"
TEXT = DOCKERFILE.read_text()
FINAL_STAGE = TEXT[TEXT.rindex("\nFROM ") :]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    check = subprocess.run(
        [str(hadolint), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout


def test_whatever_is_fetched_is_held_to_a_hash() -> None:
    fetching = [line for line in TEXT.splitlines() if "pip install" in line]
    assert len(fetching) == 3
    for line in fetching:
        assert "--require-hashes" in line or "--no-deps /dist/" in line


def test_the_image_runs_as_an_ordinary_user() -> None:
    assert "\nUSER 10001:10001\n" in FINAL_STAGE
    assert "apt-get" not in TEXT


def test_signals_reach_the_worker_itself() -> None:
    assert '\nENTRYPOINT ["wireroom"]\n' in FINAL_STAGE
    assert "\nSTOPSIGNAL SIGTERM\n" in FINAL_STAGE


def test_only_named_paths_reach_the_build() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    for allowed in (rule[1:] for rule in rules if rule.startswith("!")):
        assert (ROOT / allowed).exists(), allowed
    # The build stage alone copies from the context; the other takes what it made.
    for line in TEXT.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            sources = line.split()[1:-1]
            assert {f"!{source}" for source in sources} <= set(rules)
