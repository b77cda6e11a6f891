"""The work in a message: what each piece is called when it fails, ends or goes on.

A command names its pieces with the attempt that it is, so that a late word on one
attempt never touches the next one.
"""

from typing import NamedTuple, Self

from enrich.messages import ArticlesEnriched, EnrichArticles
from ingest.filemessages import FilesRead, ReadFiles
from ingest.messages import FeedsPolled, PollFeeds
from ingest.pagemessages import FetchPages, PagesFetched
from services.messages import WorkKind
from services.wire import Message

KINDS: dict[type[Message], WorkKind] = {
    PollFeeds: WorkKind.POLL,
    ReadFiles: WorkKind.FILE,
    FetchPages: WorkKind.PAGE,
    EnrichArticles: WorkKind.ARTICLE,
    FeedsPolled: WorkKind.POLL,
    FilesRead: WorkKind.FILE,
    PagesFetched: WorkKind.PAGE,
    ArticlesEnriched: WorkKind.ARTICLE,
}


class Item(NamedTuple):
    """One attempt at one piece of work."""

    id: int  # of the poll, the file or the article
    revision: int = 0  # of articles; of pages, which of the times they are wanted
    attempt: int = 0  # 0: not told, as in events; a poll is an attempt itself

    @classmethod
    def parse(cls, kind: WorkKind, text: str) -> Self:
        """Read an id of a message back.

        Raises:
            ValueError: It is not made of numbers.
        """
        numbers = [int(one) for one in text.split(":")]
        match kind, numbers:
            case WorkKind.FILE, [file_id, attempt]:
                return cls(file_id, attempt=attempt)
            case _:
                return cls(*numbers)

    def text(self, kind: WorkKind) -> str:
        """Return the id as messages carry it."""
        match kind:
            case WorkKind.FILE:
                parts: tuple[int, ...] = (self.id, self.attempt)
            case WorkKind.ARTICLE | WorkKind.PAGE:
                parts = (self.id, self.revision, self.attempt)
            case _:
                parts = (self.id,)
        return ":".join(map(str, parts))

    @property
    def piece(self) -> tuple[int, int]:
        """The piece of work, whichever attempt it is."""
        return self.id, self.revision


def work_of(message: Message) -> tuple[Item, ...]:
    """Return the work that a command asks for, or that an event ends."""
    match message:
        case PollFeeds():
            return tuple(Item(feed.poll_id) for feed in message.feeds)
        case ReadFiles():
            return tuple(Item(f.file_id, attempt=f.attempt) for f in message.files)
        case FetchPages():
            return tuple(
                Item(page.article_id, page.ask, page.attempt) for page in message.pages
            )
        case EnrichArticles():
            return tuple(
                Item(one.article_id, one.revision, one.attempt)
                for one in message.articles
            )
        case _:
            return _ended_by(message)


def _ended_by(event: Message) -> tuple[Item, ...]:
    match event:
        case FeedsPolled():
            # A poll ends with its last part; saving an earlier one may fail too, and
            # then the lease brings the poll back.
            last = (one for one in event.polls if one.part == one.n_parts - 1)
            return tuple(Item(one.poll_id) for one in last)
        case FilesRead():
            # A file ends with its last portion, as a poll with its last part.
            ended = (read for read in event.reads if not read.goes_on)
            return tuple(Item(read.file_id) for read in ended)
        case PagesFetched():
            return tuple(Item(page.article_id, page.ask) for page in event.pages)
        case ArticlesEnriched():
            good = (Item(one.article_id, one.revision) for one in event.articles)
            bad = (Item(one.article_id, one.revision) for one in event.failed)
            return (*good, *bad)
        case _:
            return ()
