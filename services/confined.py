"""A confined parser of feeds; run as a module it is the process that parses.

That process imports ingest alone.
"""

import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ingest.describe import Given, describe_feed, refused
from ingest.discovery import find_feeds, looks_like_html
from ingest.messages import PollOutcome, utc_now
from services.confinement import Confinement, TookTooMuch, serve
from services.memory import peak_megabytes

MAX_SECONDS = 10.0
MAX_MEGABYTES = 300
MAX_FILE_BYTES = 10_000_000


class ConfinedParser(Confinement):
    """Describes files one by one; a process that was killed is replaced.

    Never raises for what is in a file: the description has the reason.
    """

    def __init__(
        self, *, seconds: float = MAX_SECONDS, megabytes: int = MAX_MEGABYTES
    ) -> None:
        super().__init__(__name__, seconds=seconds, megabytes=megabytes)

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
            self.ask(asked)
            return self.answer()
        except TookTooMuch as error:
            self.kill()
            told = refused(PollOutcome.HOSTILE, str(error))
            return told | {"candidates": [], "peak_megabytes": self.megabytes}


def _answer(asked: dict[str, Any], *, megabytes: int) -> Iterator[dict[str, Any]]:
    started = time.process_time()
    told = _described(asked, megabytes)
    told["cpu_seconds"] = time.process_time() - started
    yield told | {"peak_megabytes": peak_megabytes()}


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


if __name__ == "__main__":
    bound = int(sys.argv[1])
    answer = partial(_answer, megabytes=bound)
    serve(bound, sys.stdin.buffer, sys.stdout.buffer, answer=answer)
