"""The nightly work: what it goes by, what it did, and its steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from store.engine import Engine, transaction
from store.judge import Judge

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long things are kept that nobody deletes by hand, in days."""

    polls_days: int
    audit_log_days: int
    story_days: int  # without a change, until a story is closed
    index_days: int  # articles in the index of copies; 0: for ever


@dataclass(slots=True, kw_only=True)
class Report:
    """What was done, or would be."""

    partitions_made: list[str] = field(default_factory=list)
    partitions_dropped: list[str] = field(default_factory=list)
    polls: int = 0  # deleted
    audit_log: int = 0  # rows of it deleted
    articles: int = 0
    unindexed: int = 0  # articles that left the index of copies
    entries: int = 0
    documents: int = 0
    rollups: int = 0  # rows that were wrong
    learned: int = 0  # lines newly known as furniture
    furnished: int = 0  # sources whose marks were looked at for furniture
    stories: int = 0  # closed
    vectors: int = 0  # of articles whose stories are not reviewed any more, deleted
    left: list[str] = field(default_factory=list)  # what could not be done, and why
    unfinished: bool = False  # articles are left, and the time is up
    unmeasured: int = 0  # tables whose statistics are left to the next night


@dataclass(frozen=True, slots=True)
class Night:
    """What the steps of a night work with."""

    engine: Engine
    judge: Judge
    now: datetime
    report: Report
    is_over: Callable[[], bool]

    def step(self, name: str, work: Callable[[Session], None]) -> None:
        """Do one step in one transaction; a lock in the way leaves it undone."""
        try:
            with transaction(self.engine) as session:
                work(session)
        except OperationalError as error:
            self._leave(name, error)

    def steps(self, name: str, batches: Iterator[T]) -> Iterator[T]:
        """Yield what each batch did, a transaction each, as far as the time goes.

        A lock in the way leaves the rest undone.
        """
        while not self.report.unfinished:
            try:
                done = next(batches)
            except StopIteration:
                return
            except OperationalError as error:
                self._leave(name, error)
                return
            yield done
            self.report.unfinished = self.is_over()

    def _leave(self, name: str, error: OperationalError) -> None:
        self.report.left.append(f"{name}: {error.orig}".strip())
