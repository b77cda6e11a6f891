"""What was seen: one entry of a feed or file, with what it came with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from enrich.messages import Lane
from ingest.messages import REVIEW_BELOW, KeyMode
from ingest.messages import Article as Draft
from ingest.messages import Entry as NewEntry
from ingest.pagewords import Fullness
from store.page_rules import TEASERS, PageRules
from store.words import Review

Name = tuple[int, str]  # of an entry: its feed, and its key there


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """When a batch of entries was seen, and what else their documents held."""

    now: datetime
    lane: Lane
    # Of a feed, further items of its document, known and not among the entries.
    n_known: Mapping[int, int] = field(default_factory=dict)
    pages: PageRules | None = None  # None: no pages are wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One entry, with the feed, the document and the run that it came with."""

    entry: NewEntry
    feed_id: int
    document_sha256: str | None = None
    run_id: int | None = None
    file_id: int | None = None
    # Hash of what the entry said before, or of what a page was found better than. Such
    # a text it replaces, however short it is itself.
    replaces: str | None = None

    @property
    def name(self) -> Name:
        """What no other entry is called."""
        return self.feed_id, self.entry.key

    @property
    def draft(self) -> Draft:
        """The article it holds; only asked of entries that hold one."""
        if self.entry.article is None:
            raise ValueError(f"entry {self.entry.key} was rejected")
        return self.entry.article

    @property
    def review(self) -> Review | None:
        """Whether somebody should look at its text.

        Of files alone: what a feed trusts little is a teaser, and stays one.
        """
        is_trusted = self.draft.confidence >= REVIEW_BELOW
        return Review.OPEN if self.is_file and not is_trusted else None

    @property
    def is_file(self) -> bool:
        """Whether a file held it, and with that all there is of the article."""
        return self.entry.key_mode is KeyMode.FILE

    @property
    def is_teaser(self) -> bool:
        """Whether its text is known to be a part of the article."""
        return self.entry.fullness in TEASERS

    @property
    def seems_full(self) -> bool:
        """Whether its text passes for the article because a feed gave so much."""
        return self.entry.fullness is Fullness.WHOLE and not self.is_file

    @property
    def teases(self) -> bool | None:
        """Whether its text is a teaser; None: of an odd link nobody knows."""
        if self.is_file:
            return False
        return None if self.entry.fullness is None else self.is_teaser
