"""Runs the program so that marked articles kill, hang or bloat whoever enriches them.

The code under test holds no hooks: the one function that sees an article is wrapped
here, in the process that is started in place of `python -m services.cli`.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from support.poisoned import hog

from benchmarks.chaos.items import POISON_MARK
from enrich import pipeline
from enrich.messages import ArticleToEnrich
from services.cli import up
from services.supervisor import Child

PROGRAM, POISONED = "services.cli", "benchmarks.chaos.poisoned"
FOR_EVER_SECONDS = 3_600.0


def main() -> None:
    """Poison this process and, where it is `up`, its children; run the program."""
    pipeline._enrich_article = poisoned(pipeline._enrich_article)  # noqa: SLF001
    up._children = with_poison(up._children)  # noqa: SLF001
    from services.cli import main as run  # noqa: PLC0415  # after the change

    run()


def poisoned(enrich: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function, with what a mark in the article asks for done before it."""

    @wraps(enrich)
    def enrich_or_suffer(article: ArticleToEnrich, *rest: Any) -> Any:
        kind = poison_of(article.text)
        if kind:
            POISONS[kind]()
        return enrich(article, *rest)

    return enrich_or_suffer


def poison_of(text: str) -> str | None:
    """Return which poison a text holds, None for a healthy one."""
    _, mark, rest = text.partition(POISON_MARK)
    if not mark:
        return None
    return next((kind for kind in POISONS if rest.startswith(kind)), None)


def with_poison(children: Callable[..., list[Child]]) -> Callable[..., list[Child]]:
    """Return the function, with this program in place of the one that it starts."""

    @wraps(children)
    def poisoned_children(*arguments: Any) -> list[Child]:
        return [
            replace(one, argv=tuple(POISONED if a == PROGRAM else a for a in one.argv))
            for one in children(*arguments)
        ]

    return poisoned_children


def crash() -> None:
    """End as a parser does that writes where it must not."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    """Never return, deaf to the soft time limit, as a regular expression may be."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    time.sleep(FOR_EVER_SECONDS)


def dawdle() -> None:
    """Never return, until the soft time limit interrupts it."""
    time.sleep(FOR_EVER_SECONDS)


POISONS: dict[str, Callable[[], None]] = {
    "crash": crash,
    "hang": hang,
    "dawdle": dawdle,
    "hog": hog,
}


if __name__ == "__main__":
    main()
