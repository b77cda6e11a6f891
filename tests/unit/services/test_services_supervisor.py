"""The supervisor, with tiny real children: it restarts, stops and leaves nothing."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services import supervisor
from services.supervisor import Child, Event, Happening, next_delay, supervise

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 30.0


def child(code: str, *arguments: object, name: str = "child") -> Child:
    """Return a Python process that runs the code."""
    argv = (sys.executable, "-c", textwrap.dedent(code), *map(str, arguments))
    return Child(name=name, argv=argv)


WAITS = "import signal; signal.pause()"
DEAF = """
    import signal, sys, pathlib
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pathlib.Path(sys.argv[1]).touch()
    signal.pause()
"""


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # in a container nobody may reap what lost its parent


def send_to_self(signum: signal.Signals) -> None:
    os.kill(os.getpid(), signum)


def stop_after(events: Iterator[Event], what: Happening, times: int) -> list[Event]:
    """Interrupt the supervisor when it has told of something this often."""
    seen = []
    for event in events:
        seen.append(event)
        if event.what is what:
            times -= 1
            if times == 0:
                send_to_self(signal.SIGINT)
    return seen


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_children(signum: signal.Signals) -> None:
    children = [child(WAITS, name="one"), child(WAITS, name="two")]
    seen = []

    for event in supervise(children, grace_seconds=PATIENCE_SECONDS):
        seen.append(event)
        if len(seen) == 2:
            send_to_self(signum)

    what = [event.what for event in seen]
    assert what[:4] == [Happening.STARTED] * 2 + [Happening.STOPPING] * 2
    assert what[4:] == [Happening.STOPPED] * 2
    assert not any(is_running(event.pid) for event in seen)


def test_a_child_that_exits_is_started_again_after_a_delay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "POLL_SECONDS", 0.01)

    events = supervise([child("raise SystemExit(3)")], grace_seconds=5)
    seen = stop_after(events, Happening.EXITED, times=3)

    exits = [event for event in seen if event.what is Happening.EXITED]
    assert [event.code for event in exits] == [3, 3, 3]
    assert [event.delay_seconds for event in exits] == [0.01, 0.02, 0.04]
    assert len({event.pid for event in exits}) == 3


def test_a_child_that_does_not_listen_is_killed_after_the_grace_period(
    tmp_path: Path,
) -> None:
    ready = tmp_path / "ready"

    def interrupt() -> None:
        if ready.exists():
            send_to_self(signal.SIGTERM)

    seen = list(supervise([child(DEAF, ready)], grace_seconds=0.2, on_tick=interrupt))

    assert seen[-1].what is Happening.KILLED
    assert seen[-1].code == -signal.SIGKILL


def test_a_second_signal_ends_the_grace_period(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    started = time.monotonic()

    def interrupt() -> None:
        if ready.exists():
            send_to_self(signal.SIGINT)

    for event in supervise([child(DEAF, ready)], grace_seconds=600, on_tick=interrupt):
        if event.what is Happening.STOPPING:
            send_to_self(signal.SIGINT)

    assert time.monotonic() - started < PATIENCE_SECONDS


def test_what_a_child_left_behind_is_killed_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "POLL_SECONDS", 0.01)
    note = tmp_path / "pid"
    leaves_one = """
        import subprocess, sys, pathlib
        left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        pathlib.Path(sys.argv[1]).write_text(str(left.pid))
    """

    events = supervise([child(leaves_one, note)], grace_seconds=5)
    stop_after(events, Happening.EXITED, times=1)

    wait_for(lambda: not is_running(int(note.read_text())))


def test_a_child_that_is_stuck_is_killed_and_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "POLL_SECONDS", 0.01)
    ready = tmp_path / "ready"
    stuck = replace(child(DEAF, ready), is_hung=ready.exists)
    seen = []

    for event in supervise([stuck], grace_seconds=0.1):
        seen.append(event)
        if event.what is Happening.EXITED:
            ready.unlink()  # as `up` takes the signs of a dead process away
        if [one.what for one in seen].count(Happening.STARTED) == 3:
            send_to_self(signal.SIGTERM)

    told = [Happening.STARTED, Happening.HUNG, Happening.EXITED]
    assert [one.what for one in seen][:6] == told * 2
    exits = [one for one in seen if one.what is Happening.EXITED]
    assert {one.code for one in exits} == {-signal.SIGKILL}
    # Again and again, and each time after a longer wait.
    assert [one.delay_seconds for one in exits[:2]] == [0.01, 0.02]


def test_closing_the_iterator_kills_the_children() -> None:
    events = supervise([child(WAITS)], grace_seconds=600)
    started = next(iter(events))

    events.close()  # type: ignore[attr-defined]

    assert not is_running(started.pid)


def test_signal_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    stop_after(supervise([child(WAITS)], grace_seconds=5), Happening.STARTED, times=1)

    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must tell the child")
def test_no_child_survives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    tells = (
        "import os, pathlib, signal, sys;"
        "pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); signal.pause()"
    )
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT)!r})
        from services.supervisor import Child, supervise
        argv = (sys.executable, "-c", {tells!r}, {str(note)!r})
        list(supervise([Child(name="one", argv=argv)], grace_seconds=5))
    """
    boss = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    wait_for(lambda: note.exists() and bool(note.read_text()))
    pid = int(note.read_text())

    boss.kill()
    boss.wait()

    wait_for(lambda: not is_running(pid))


@pytest.mark.parametrize(
    ("last", "lived", "delay"),
    [(0.0, 0, 1.0), (1.0, 5, 2.0), (16.0, 5, 30.0), (30.0, 59, 30.0), (30.0, 60, 1.0)],
)
def test_the_delay_doubles_to_half_a_minute_and_forgets_after_a_healthy_minute(
    last: float, lived: float, delay: float
) -> None:
    assert next_delay(last, lived_seconds=lived) == delay
