"""A watched folder in the hands of a test: written, polled, read, as workers would."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from support.desk import POLL_LIMITS, Desk
from support.factories import LIMITS, body

from ingest.filemessages import ReadFiles
from ingest.files import read_files
from ingest.folders import poll_folder
from ingest.messages import FeedPolled, FeedToPoll
from store import feeds, files, reads
from store.engine import reading, transaction
from store.limits import FileLimits, Limits
from store.models import Article, Entry, Feed, FolderFile
from store.words import FeedKind

AGO = timedelta(minutes=5)
SIZES = FileLimits(whole=100_000, streamed=100_000)


def text_of(topic: str) -> str:
    """Return the text of a file that is an article."""
    return json.dumps({"title": f"Title of {topic}", "text": body(topic)})


@dataclass
class Watched:
    """A folder and the store that watches it; the clock is the desk's."""

    desk: Desk
    path: Path
    max_message_bytes: int = POLL_LIMITS.max_message_bytes
    sizes: FileLimits = SIZES
    limits: Limits = LIMITS
    feed_id: int = field(init=False)

    def __post_init__(self) -> None:
        url = feeds.folder_url(str(self.path))
        new = feeds.NewFeed(
            url=url, url_key=url[-64:], kind=FeedKind.FOLDER, every_seconds=60
        )
        with transaction(self.desk.engine) as session:
            (self.feed_id,) = feeds.add_feeds(session, [new], now=self.desk.now)

    def write(self, name: str, topic: str, *, ago: timedelta = AGO) -> Path:
        """Write a file, so long ago by the clock of the desk."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(topic))
        when = (self.desk.now - ago).timestamp()
        os.utime(path, (when, when))
        return path

    def asked(self) -> FeedToPoll:
        """Claim the poll of the folder, an hour later."""
        self.desk.now += timedelta(hours=1)
        (asked,) = self.desk.claim_feeds()
        return asked

    def listed(self, asked: FeedToPoll) -> list[FeedPolled]:
        """Return what the ingest worker would answer."""
        limits = replace(POLL_LIMITS, max_message_bytes=self.max_message_bytes)
        now = self.desk.now
        return list(poll_folder(asked, limits, scan=os.scandir, now=lambda: now))

    def poll(self) -> list[FeedPolled]:
        """Poll the folder and store what was found; nothing is read."""
        events = self.listed(self.asked())
        for event in events:
            assert self.desk.save_poll(event)
        return events

    def claim(self) -> list[ReadFiles]:
        with transaction(self.desk.engine) as session:
            return files.claim_files(
                session, now=self.desk.now, limits=self.limits, file_limits=self.sizes
            )

    def read(self, *, order: int = 1) -> list[str]:
        """Read all files that are due; return their names.

        With an order of -1 the last of what they gave comes first.
        """
        names: list[str] = []
        while commands := self.claim():
            for command in commands:
                names += [Path(one.path).name for one in command.files]
                for event in list(read_files(command, now=self.desk.now))[::order]:
                    with transaction(self.desk.engine) as session:
                        reads.save_files(session, event, now=self.desk.now)
        return sorted(names)

    def look(self) -> list[str]:
        """Poll and read; return the names of what was read."""
        self.poll()
        return self.read()

    @property
    def feed(self) -> Feed:
        """The row of the folder's feed."""
        row = self.desk.one(Feed, Feed.id == self.feed_id)
        assert isinstance(row, Feed)
        return row

    def known(self, name: str) -> FolderFile:
        row = self.desk.one(FolderFile, FolderFile.path == str(self.path / name))
        assert isinstance(row, FolderFile)
        return row

    def articles(self) -> Sequence[tuple[str, int]]:
        """Return the titles of the articles of this folder, and their revisions."""
        query = (
            select(Article.title, Article.current_revision)
            .join(Entry, Entry.article_id == Article.id)
            .where(Entry.feed_id == self.feed_id)
            .order_by(Article.title)
        )
        with reading(self.desk.engine) as session:
            return [(row.title, row.current_revision) for row in session.execute(query)]
