"""The ingest worker: polls feeds and reads files, and reports what it found."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from celery import Celery

from ingest.fetch import FetchOptions, open_fetch
from ingest.filemessages import ReadFiles
from ingest.files import read_files
from ingest.folders import poll_folder
from ingest.messages import FeedsPolled, PollFeeds, utc_now
from ingest.poll import poll_feeds
from ingest.robots import Robots
from services.guarded import Report, register_guarded
from services.publish import queue_length
from services.routes import STORE_BULK
from services.settings import Settings

# How long one task may wait for the store, all in all. The wait is an ordinary pause
# and not a message put back: that one would travel in circles past its lease and be
# sent twice. After it the task goes on, because the store dispatches few batches at
# once, which bounds what can pile up.
MAX_WAIT_SECONDS = 20.0
LOOK_SECONDS = 0.5
# Of the time that a task has beside its last poll, for all feeds of one host together.
HOST_SHARE = 0.8
# Of the time of a task, for files that are read bit by bit; then they are put back.
SHARE_OF_TASK = 0.5
# Where it took long to get to what is new: of the time of a task, from there on.
LEAST_SHARE = 0.25
MOST_SHARE = 0.9  # what is left is for the last message


def register(app: Celery, settings: Settings) -> None:
    """Give the application the tasks of ingest."""
    options = fetch_options(settings)
    robots = Robots(settings.user_agent) if settings.feed_robots else None
    waiting = partial(queue_length, app, STORE_BULK)

    def brake() -> Brake:
        return Brake(waiting, high_water=settings.store_queue_high_water)

    def poll(command: PollFeeds, report: Report) -> None:
        web = tuple(feed for feed in command.feeds if feed.folder is None)
        if web:
            asyncio.run(_poll(replace(command, feeds=web), report, options, robots))
        list_folders(command, report, brake())

    def read(command: ReadFiles, report: Report) -> None:
        held = brake()
        clock = TaskClock(settings.task_soft_time_limit)
        for event in read_files(command, now=utc_now(), is_over=clock.is_over):
            held.hold()
            report(event)

    register_guarded(app, PollFeeds, poll)
    register_guarded(app, ReadFiles, read)


def list_folders(command: PollFeeds, report: Report, brake: "Brake") -> None:
    """Poll the folders among the feeds of a command; their parts wait for the store."""
    for feed in command.feeds:
        if feed.folder is None:
            continue
        for event in poll_folder(feed, command.limits, scan=os.scandir, now=utc_now):
            if event.listing is not None:
                brake.hold()
            report(FeedsPolled(polls=(event,)))


def fetch_options(settings: Settings) -> FetchOptions:
    """Return what holds for every request of a poll."""
    # Whatever a host is asked for last may take a whole poll, and the task must end.
    room = settings.task_soft_time_limit - settings.poll_timeout_seconds
    return FetchOptions(
        user_agent=settings.user_agent,
        allow_networks=settings.allow_networks,
        host_seconds=room * HOST_SHARE,
        proxy=settings.http_proxy,
    )


async def _poll(
    command: PollFeeds, report: Report, options: FetchOptions, robots: Robots | None
) -> None:
    async with open_fetch(options) as fetch:
        obedient = robots.obeyed_by(fetch) if robots else fetch
        await poll_feeds(command, fetch=obedient, now=utc_now, emit=report)


class TaskClock:
    """Says when a task has read enough of a file, to be put back and go on later."""

    def __init__(
        self, limit_seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit_seconds
        self._clock = clock
        self._begun = clock()
        self._first: float | None = None  # when the first new member had been read

    def is_over(self) -> bool:
        """Say so; asked for the first time when one new member has been read.

        Getting to it may take most of a task, as in what is compressed. A task that
        then stopped at once would hardly get ahead, so it has a quarter from there.
        """
        passed = self._clock() - self._begun
        if self._first is None:
            self._first = passed
        enough = max(
            SHARE_OF_TASK * self._limit, self._first + LEAST_SHARE * self._limit
        )
        return passed > min(enough, MOST_SHARE * self._limit)


class Brake:
    """Holds a reader of files while the store has enough to do."""

    def __init__(
        self,
        waiting: Callable[[], int],
        *,
        high_water: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._waiting = waiting
        self._high_water = high_water
        self._sleep = sleep
        self._looks_left = int(MAX_WAIT_SECONDS / LOOK_SECONDS)

    def hold(self) -> None:
        """Wait until there is room, or until the patience of this task is used up."""
        while self._looks_left and self._waiting() > self._high_water:
            self._looks_left -= 1
            self._sleep(LOOK_SECONDS)
