"""The program as an operator meets it: commands, exit codes, forms of output."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services import health
from services.cli import main
from services.cli.output import ExitCode, Output

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_health_of_a_running_home_is_ok(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    health.start_beating(home, "worker-ingest")

    code = main(["--home", str(home), "--json", "health"])

    (row,) = json.loads(capsys.readouterr().out)
    assert code == ExitCode.OK
    assert (row["role"], row["healthy"]) == ("worker-ingest", True)


def test_health_of_a_silent_home_is_a_problem(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--home", str(home), "health"])

    assert code == ExitCode.PROBLEMS
    assert "no process of this home is running" in capsys.readouterr().err


def test_health_of_a_stale_process_is_a_problem(home: Path) -> None:
    health.start_beating(home, "beat")

    code = main(["--home", str(home), "health", "--max-age=-1"])

    assert code == ExitCode.PROBLEMS


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["worker", "--queues", "ingst"],
        ["worker", "--queues", ""],
        ["worker", "--pool", "gevent"],
        ["worker", "--concurrency", "0"],
        ["--log-level", "LOUD", "health"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_apart(
    home: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--home", str(home), *arguments])

    assert code == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: ")


def test_a_broker_out_of_reach_is_told_apart(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIREROOM_BROKER_URL", "redis://:s3cret@127.0.0.1:1/0")

    code = main(["--home", str(home), "up"])

    assert code == ExitCode.UNREACHABLE
    assert "s3cret" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_a_process_does_not_wait_for_a_redis_that_nobody_starts(
    home: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["--home", str(home), command])

    assert code == ExitCode.UNREACHABLE
    assert "wireroom up" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--help"])

    shown = capsys.readouterr().out
    assert code == ExitCode.OK
    for name in ("up", "worker", "beat", "health"):
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("queues", ["ingest", "ingest.bulk", "enrich.live,enrich.bulk"])
def test_what_meets_hostile_input_never_loads_sql(queues: str) -> None:
    code = f"""
import sys
from services.cli import program, run
from services.process import make_worker_app
from services.settings import Settings
app = make_worker_app(Settings(broker_url="memory://"), {queues.split(",")})
app.finalize()
sql = ("sqlalchemy", "alembic", "psycopg", "store.models", "store.engine")
print([name for name in sys.modules if name.startswith(sql)])
"""

    said = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert (said.stdout.strip(), said.stderr) == ("[]", "")


ROWS: list[dict[str, Any]] = [
    {"name": "a\ttitle\x1b[31m", "count": 3, "at": datetime(2026, 1, 2, tzinfo=UTC)},
    {"name": None, "count": 12345, "at": None},
]


def test_off_a_terminal_rows_are_plain_and_free_of_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output(as_json=False).rows(ROWS, columns=("name", "count", "at"))

    assert capsys.readouterr().out.splitlines() == [
        "name          count  at",
        "a title [31m  3      2026-01-02 00:00:00Z",
        "-             12345  -",
    ]


def test_json_keeps_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).rows(ROWS, columns=("name", "count", "at"))

    assert json.loads(capsys.readouterr().out) == [
        {
            "name": "a\ttitle\x1b[31m",
            "count": 3,
            "at": "2026-01-02T00:00:00+00:00",
        },
        {"name": None, "count": 12345, "at": None},
    ]


def test_facts_stand_in_one_column(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).facts({"articles": 3, "up": True})

    assert capsys.readouterr().out == "articles  3\nup        yes\n"


def test_what_a_command_says_leaves_its_results_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(as_json=False)
    output.say("working")
    output.warn("slow [disk]")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "working\nwarning: slow [disk]\n"
