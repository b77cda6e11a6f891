"""Saves results as a store would, and is killed in the middle of a chosen decision.

Called as `python -m support.dying URL EVENTS DECISION NUMBER`: the NUMBER-th call of
the decision kills the process, its transaction open.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.factories import NOW

from enrich.messages import ArticlesEnriched
from services import wire
from services.judging import JUDGE
from store.engine import open_engine, transaction
from store.judge import Judge
from store.regroup import review_stories
from store.results import save_enrichment


def deadly(decide: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Return the decision, which kills this process at one of its calls."""
    calls = itertools.count(1)

    def decide_or_die(*args: Any) -> Any:
        if next(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return decide(*args)

    return decide_or_die


def judge_with(decision: str, number: int) -> Judge:
    """Return the judge of the line with one decision that kills."""
    stories = JUDGE.stories
    if hasattr(stories, decision):
        fatal: Any = {decision: deadly(getattr(stories, decision), number)}
        return replace(JUDGE, stories=replace(stories, **fatal))
    fatal = {decision: deadly(getattr(JUDGE, decision), number)}
    return replace(JUDGE, **fatal)


def save_all(url: str, events: list[ArticlesEnriched], judge: Judge) -> None:
    """Save each event in a transaction of its own, and review stories until done."""
    engine = open_engine(url)
    for event in events:
        with transaction(engine) as session:
            save_enrichment(session, event, judge=judge, now=NOW, max_attempts=3)
    is_done = False
    while not is_done:
        with transaction(engine) as session:
            step = review_stories(session, clusterer=judge.stories, now=NOW, most=3)
        is_done = step.is_done
    engine.dispose()


def main(url: str, file: str, decision: str, number: str) -> None:
    """Save the events of a file, one a line, until death."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    events = [wire.decode(ArticlesEnriched, line) for line in lines]
    save_all(url, events, judge_with(decision, int(number)))


if __name__ == "__main__":
    main(*sys.argv[1:])
