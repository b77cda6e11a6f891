"""Runs the program so that marked articles kill, bloat or hang whoever enriches them.

The code under test holds no hook: the one function that sees an article is wrapped in
the process that is started in place of `python -m services.cli`.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

CRASH, HOG, HANG = "poison:crash", "poison:hog", "poison:hang"
BITE_BYTES = 8_000_000
# Far above the ceiling of any test: without one, the machine is not eaten either.
MOST_BYTES = 3_000_000_000


def main() -> int:
    """Poison this process and run the program."""
    from enrich import pipeline  # noqa: PLC0415  # before the program imports it
    from services.cli import main as run  # noqa: PLC0415

    pipeline._enrich_article = poisoned(pipeline._enrich_article)
    return run()


def poisoned(enrich: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with what a mark in the article asks for done before it."""

    def enrich_or_suffer(article: Any, *rest: Any) -> Any:
        if CRASH in article.text:
            os.kill(os.getpid(), signal.SIGKILL)
        if HOG in article.text:
            hog()
        if HANG in article.text:
            threading.Event().wait()
        return enrich(article, *rest)

    return enrich_or_suffer


def hog() -> None:
    """Take all memory that there is.

    Raises:
        RuntimeError: Nobody refused it.
    """
    taken: list[bytearray] = []
    while len(taken) * BITE_BYTES < MOST_BYTES:
        taken.append(bytearray(BITE_BYTES))
    raise RuntimeError("there is no ceiling")


if __name__ == "__main__":
    sys.exit(main())
