"""What the workers tell the store of their work: it goes on, or it has failed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from ingest.messages import require_utc


class WorkKind(StrEnum):
    """What the ids of work count; an event knows of no attempt and says 0."""

    POLL = "poll"  # ids of polls
    FILE = "file"  # "file_id:attempt"
    ARTICLE = "article"  # "article_id:revision:attempt"
    PAGE = "page"  # "article_id:ask:attempt"
    MESSAGE = "message"  # no ids: the message itself could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFailed:
    """Event: a task ended without a result for these pieces of work."""

    SCHEMA: ClassVar[str] = "services.work_failed"
    VERSION: ClassVar[int] = 1

    task: str  # name of the task, "ingest.poll"
    kind: WorkKind
    ids: tuple[str, ...]  # only those that had not been reported before the failure
    error: str  # class of the exception
    detail: str  # one sentence, without article text
    permanent: bool  # True: trying again cannot help
    failed_at: datetime
    retry_after_seconds: int | None = None  # earliest time for the next attempt
    payload: str | None = None  # of an unreadable message, for the quarantine

    def __post_init__(self) -> None:
        """Reject naive times at the border."""
        require_utc(self.failed_at, "failed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkContinues:
    """Event: a worker still has these pieces of work in hand."""

    SCHEMA: ClassVar[str] = "services.work_continues"
    VERSION: ClassVar[int] = 1

    kind: WorkKind
    ids: tuple[str, ...]
    at: datetime  # when the worker had them, by its own clock

    def __post_init__(self) -> None:
        """Reject naive times at the border."""
        require_utc(self.at, "at")
