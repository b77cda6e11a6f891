"""A confinement: a process with a bound on its memory, killed when its time is up.

Parsing is done by loose code on hostile input, and a library that loops in C cannot be
interrupted from inside. Workers are killed by Celery; commands have this. Both sides
speak in lines of JSON.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import IO, Any, BinaryIO, Self

from services.memory import limit_memory

CHUNK_BYTES = 1 << 16
START_SECONDS = 60.0  # importing takes its time, which no file has to answer for


class TookTooMuch(Exception):
    """The process did not answer; the message says why, in words for an operator."""


class Confinement:
    """A module run as a process of its own, which answers until it has to be killed.

    Each kind of it adds what it is asked. The next question after that starts another
    one, and so does the first: one process serves many files, so that a file costs no
    start of Python.
    """

    def __init__(self, module: str, *, seconds: float, megabytes: int) -> None:
        self._module = module
        self._seconds = seconds  # for one answer
        self.megabytes = megabytes
        self._process: subprocess.Popen[bytes] | None = None
        self._read = bytearray()  # behind the last answer

    def __enter__(self) -> Self:
        """Start with nothing; the first question starts the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.kill()

    def ask(self, asked: Mapping[str, Any]) -> None:
        """Put a question.

        Raises:
            TookTooMuch: The process has died.
        """
        process = self._process = self._process or self._start()
        if process.stdin is None:
            raise RuntimeError("the process was started without pipes")
        try:
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise TookTooMuch("the parser ended before it was asked") from None

    def answer(self) -> dict[str, Any]:
        """Return the next answer.

        Raises:
            TookTooMuch: It did not come in time, or the process died.
        """
        answer: dict[str, Any] = json.loads(self._line(seconds=self._seconds))
        return answer

    def kill(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        self._read.clear()
        if process is None:
            return
        process.kill()
        process.communicate()

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", self._module, str(self.megabytes)]
        self._process = subprocess.Popen(  # noqa: S603 - argv is our own
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._line(seconds=START_SECONDS)
        return self._process

    def _line(self, *, seconds: float) -> bytes:
        """Return all up to a line end; what is behind it is kept."""
        stream = None if self._process is None else self._process.stdout
        if stream is None:
            raise RuntimeError("the process was started without pipes")
        until = time.monotonic() + seconds
        searched = 0
        while (end := self._read.find(b"\n", searched)) < 0:
            searched = len(self._read)
            self._read += _chunk(stream, until, seconds)
        line = bytes(self._read[: end + 1])
        del self._read[: end + 1]
        return line


def _chunk(stream: IO[bytes], until: float, seconds: float) -> bytes:
    left = until - time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if left <= 0 or not selector.select(left):
            raise TookTooMuch(f"it took the parser more than {seconds:g} seconds")
    chunk = os.read(stream.fileno(), CHUNK_BYTES)
    if not chunk:
        raise TookTooMuch("the parser died of it")
    return chunk


Answers = Callable[[dict[str, Any]], Iterable[Mapping[str, Any]]]


def serve(
    megabytes: int, asked: BinaryIO, answers: BinaryIO, *, answer: Answers
) -> None:
    """Be the process: answer each line that is asked, until there are no more."""
    limit_memory(megabytes)
    answers.write(b"ready\n")
    answers.flush()
    for line in asked:
        for told in answer(json.loads(line)):
            # In ASCII: whatever stands in a document, it is one line.
            answers.write(json.dumps(told).encode() + b"\n")
            answers.flush()
