"""A confined parser: a process with a bound on its memory, killed when its time is up.

Parsing is done by loose code on hostile input, and a library that loops in C cannot be
interrupted from inside. Workers are killed by Celery; a command has this. Run as a
module it is the process itself, which imports ingest alone.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Self

from ingest.describe import Given, describe_feed, refused
from ingest.discovery import find_feeds, looks_like_html
from ingest.messages import PollOutcome, utc_now
from services.memory import limit_memory, peak_megabytes

MAX_SECONDS = 10.0
MAX_MEGABYTES = 300
MAX_FILE_BYTES = 10_000_000
CHUNK_BYTES = 1 << 16


class TookTooMuch(Exception):
    """The process did not answer; the message says why, in words for an operator."""


class ConfinedParser:
    """Describes files one by one; a process that was killed is replaced.

    - Never raises for what is in a file: the description has the reason.
    - One process serves many files, so that a file costs no start of Python.
    """

    def __init__(
        self, *, seconds: float = MAX_SECONDS, megabytes: int = MAX_MEGABYTES
    ) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start with nothing; the first file starts the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._kill()

    def describe(
        self, path: Path, *, url: str | None = None, content_type: str | None = None
    ) -> dict[str, Any]:
        """Return what `describe_feed` says of a file.

        A web page gets `candidates` as well: the feeds that it names. `peak_megabytes`
        is the most memory that the process had so far, `cpu_seconds` what this file
        took; it is missing where the process was killed.
        """
        asked = {"path": str(path), "url": url, "content_type": content_type}
        try:
            return self._answer(json.dumps(asked).encode() + b"\n")
        except TookTooMuch as error:
            self._kill()
            told = refused(PollOutcome.HOSTILE, str(error))
            return told | {"candidates": [], "peak_megabytes": self._megabytes}

    def _answer(self, asked: bytes) -> dict[str, Any]:
        process = self._process = self._process or self._start()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            process.stdin.write(asked)
            process.stdin.flush()
        except BrokenPipeError:
            raise TookTooMuch("the parser ended before it was asked") from None
        line = _read_line(process.stdout, seconds=self._seconds)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", __name__, str(self._megabytes)]
        process = subprocess.Popen(  # noqa: S603 - argv is our own
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if process.stdout is not None:
            # Importing takes its time, which no file has to answer for.
            _read_line(process.stdout, seconds=60.0)
        return process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()


def _read_line(stream: IO[bytes], *, seconds: float) -> bytes:
    """Return all up to a line end.

    Raises:
        TookTooMuch: It did not come in time, or the process died.
    """
    until = time.monotonic() + seconds
    read = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not read.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise TookTooMuch(f"it took the parser more than {seconds:g} seconds")
            chunk = os.read(stream.fileno(), CHUNK_BYTES)
            if not chunk:
                raise TookTooMuch("the parser died of it")
            read += chunk
    return bytes(read)


def serve(megabytes: int, asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer one line of JSON for each line that is asked, until there are no more."""
    limit_memory(megabytes)
    answers.write(b"ready\n")
    answers.flush()
    for line in asked:
        started = time.process_time()
        told = _described(json.loads(line), megabytes)
        told["cpu_seconds"] = time.process_time() - started
        answers.write(_line(told | {"peak_megabytes": peak_megabytes()}))
        answers.flush()


def _described(asked: dict[str, Any], megabytes: int) -> dict[str, Any]:
    try:
        return _described_file(**asked)
    except MemoryError:
        reason = f"it took the parser more than {megabytes} MB"
    except Exception as error:  # noqa: BLE001 - a file must not end the walk
        reason = f"it failed in an unforeseen way: {type(error).__name__}"
    return refused(PollOutcome.HOSTILE, reason) | {"candidates": []}


def _described_file(
    path: str, url: str | None, content_type: str | None
) -> dict[str, Any]:
    try:
        with Path(path).open("rb") as file:
            body = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return refused(PollOutcome.UNREACHABLE, f"it cannot be read: {reason}") | {
            "candidates": []
        }
    if len(body) > MAX_FILE_BYTES:
        reason = f"it is over {MAX_FILE_BYTES} bytes"
        return refused(PollOutcome.TOO_LARGE, reason) | {"candidates": []}
    given = Given(body=body, url=url, content_type=content_type)
    told = describe_feed(given, now=utc_now())
    if told["outcome"] == PollOutcome.NOT_A_FEED and looks_like_html(body):
        return told | {"candidates": find_feeds(body, base_url=url)}
    return told | {"candidates": []}


def _line(answer: dict[str, Any]) -> bytes:
    # In ASCII: whatever stands in a feed, it is one line.
    return json.dumps(answer).encode() + b"\n"


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
