"""What ingest accepts and emits about pages: the texts behind entries that only tease.

As in `ingest/messages.py`: a command carries everything that its worker needs.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ingest.messages import Article, Document, require_utc
from ingest.pagewords import PageOutcome

# Between two pages of a host: of one command for ingest to keep, of two for the store.
# Readers are no quicker, and no site has to brace itself.
PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLimits:
    """What one page may cost."""

    timeout_seconds: float
    connect_timeout_seconds: float
    max_body_bytes: int  # decoded
    max_message_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToFetch:
    """The page of one article, with what its entry says."""

    article_id: int
    ask: int  # which of the times it is wanted; an answer to an earlier one is void
    attempt: int  # of this ask
    url: str  # canonical: the identity of the article
    source: str
    title: str
    text: str  # what the page must better; its beginning where it is very long
    byline: str | None
    language: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPages:
    """Command: get the texts of these pages. One event for each comes back."""

    SCHEMA: ClassVar[str] = "ingest.fetch_pages"
    VERSION: ClassVar[int] = 1

    pages: tuple[PageToFetch, ...]
    limits: PageLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFetched:
    """What one page gave; the article and its bytes where it was accepted."""

    article_id: int
    ask: int
    attempt: int
    url: str  # as asked for
    outcome: PageOutcome
    fetched_at: datetime
    elapsed_ms: int = 0
    http_status: int | None = None
    final_url: str | None = None  # after redirects
    retry_after_seconds: int | None = None
    error: str | None = None  # one sentence for the operator
    n_words: int = 0  # of its text, accepted or not
    n_words_said: int = 0  # of the text of the entry
    article: Article | None = None
    document: Document | None = None
    packed_lines: bytes = b""  # of all of it, with kinds (`packedlines.py`); may lack

    def __post_init__(self) -> None:
        """Reject naive times, and an accepted page without its text."""
        require_utc(self.fetched_at, "fetched_at")
        if (self.article is not None) != (self.outcome is PageOutcome.ACCEPTED):
            raise ValueError("an accepted page has an article, and no other has")


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesFetched:
    """Event: pages have been fetched, or it is known why not."""

    SCHEMA: ClassVar[str] = "ingest.pages_fetched"
    VERSION: ClassVar[int] = 1

    pages: tuple[PageFetched, ...]
