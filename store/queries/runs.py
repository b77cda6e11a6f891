"""How far a run has come."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from ingest.messages import PollOutcome
from store.errors import NotFound
from store.models import EnrichWork, Feed, Poll, Run, RunFile
from store.queries.rows import AnySelect, read
from store.tally import End
from store.words import FeedState, FileState, PollState

# How a poll may end without anybody having to look.
SUCCESSES = (PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED)
# What polls and files count their entries by; the first is the sum of the others.
ENDS = ("seen", *End)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """What a run was asked to do, and how much of it is done."""

    listed: bool  # all of its work has been written down
    n_files: int
    n_files_done: int  # read or given up
    n_polls: int  # feeds that it asked for
    n_polls_done: int  # of those, polled or no longer active
    n_waiting: int  # its articles that wait for enrichment
    file_outcomes: dict[str, int]  # of those that are done
    poll_outcomes: dict[str, int]  # likewise
    entries: dict[str, int]  # how many were seen, and how many ended how

    @property
    def outcomes(self) -> dict[str, int]:
        """How files and polls ended that are done."""
        both = Counter(self.file_outcomes) + Counter(self.poll_outcomes)
        return dict(sorted(both.items()))

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to wait for."""
        return (
            self.listed
            and self.n_files == self.n_files_done
            and self.n_polls == self.n_polls_done
            and self.n_waiting == 0
        )


def run_progress(session: Session, run_id: int) -> RunProgress:
    """Return how far a run has come.

    Raises:
        NotFound: There is no such run.
    """
    run = session.execute(select(Run.id, Run.listed_at).where(Run.id == run_id)).first()
    if run is None:
        raise NotFound("run", run_id)
    files = _counted(session, _files(run_id))
    polls = _counted(session, _polls(run_id))
    asked = _counted(session, _asked(run_id))
    open_polls = asked.pop(FeedState.ACTIVE, 0)
    open_files = files.pop(FileState.PENDING, 0)
    waiting = select(func.count()).where(EnrichWork.run_id == run_id)
    return RunProgress(
        listed=run.listed_at is not None,
        n_files=files.total() + open_files,
        n_files_done=files.total(),
        n_polls=polls.total() + asked.total() + open_polls,
        n_polls_done=polls.total() + asked.total(),
        n_waiting=session.scalar(waiting) or 0,
        file_outcomes=dict(sorted(files.items())),
        poll_outcomes=dict(sorted((polls + asked).items())),
        entries=_entries(session, run_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PollProblem:
    """A poll of a run that did not succeed, and why."""

    feed_id: int
    url: str
    outcome: str
    error: str | None


def list_poll_problems(
    session: Session, run_id: int, *, limit: int
) -> tuple[PollProblem, ...]:
    """Return the polls of a run that failed, in the order of their feeds."""
    query = (
        select(Feed.id.label("feed_id"), Feed.url, Poll.outcome, Poll.error)
        .join(Feed, Feed.id == Poll.feed_id)
        .where(Poll.run_id == run_id, Poll.state == PollState.DONE)
        .where(Poll.outcome.not_in(SUCCESSES))
        .order_by(Feed.id)
        .limit(limit)
    )
    return read(session, PollProblem, query)


def _counted(session: Session, query: AnySelect) -> Counter[str]:
    return Counter({str(name): number for name, number in session.execute(query)})


def _files(run_id: int) -> AnySelect:
    # Only what is done has an outcome; the state stands in for it elsewhere, also
    # where a file that was read before is to be read again.
    is_done = RunFile.state == FileState.DONE
    name = func.coalesce(case((is_done, RunFile.outcome)), RunFile.state)
    return select(name, func.count()).where(RunFile.run_id == run_id).group_by(name)


def _polls(run_id: int) -> AnySelect:
    # A poll that was given up is followed by another for the same feed.
    return (
        select(Poll.outcome, func.count())
        .where(Poll.run_id == run_id, Poll.state == PollState.DONE)
        .group_by(Poll.outcome)
    )


def _asked(run_id: int) -> AnySelect:
    """Count by state the feeds whose poll for this run has not come back."""
    return (
        select(Feed.state, func.count())
        .where(Feed.requested_run_id == run_id)
        .group_by(Feed.state)
    )


def _entries(session: Session, run_id: int) -> dict[str, int]:
    total: Counter[str] = Counter()
    for model in (RunFile, Poll):
        columns = [getattr(model, f"n_{name}") for name in ENDS]
        sums = [func.coalesce(func.sum(column), 0) for column in columns]
        row = session.execute(select(*sums).where(model.run_id == run_id)).one()
        total.update(dict(zip(ENDS, map(int, row), strict=True)))
    return dict(total)
