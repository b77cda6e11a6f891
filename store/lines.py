"""Lines of pages: kept beside the text that was found among them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from ingest.filemessages import is_of_plain_text
from store.batches import insert_rows
from store.clauses import chunks
from store.models import Article, RevisionLines


class PageLines(NamedTuple):
    """The lines of the page of one text; empty where they are not worth keeping."""

    article_id: int
    number: int  # of the revision
    source: str  # the publisher its file was filed under
    packed: bytes
    extractor: str  # that has read them

    @property
    def name(self) -> tuple[int, int]:
        """What no other text is called."""
        return self.article_id, self.number


def keep_lines(session: Session, pages: Iterable[PageLines]) -> None:
    """Write the lines of texts that are new in this transaction."""
    rows = [_row(page) for page in pages if page.packed]
    insert_rows(session, RevisionLines, rows)


def _row(page: PageLines) -> dict[str, Any]:
    # The others are kept for people to look at.
    teaches = is_of_plain_text(page.extractor)
    return {
        "article_id": page.article_id,
        "number": page.number,
        "source": page.source,
        "packed": page.packed,
        "is_new": teaches,
        "teaches": teaches,
    }


def replace_lines(session: Session, pages: Iterable[PageLines]) -> None:
    """Write the lines of texts that are known; what was kept of them goes."""
    pages = list(pages)
    name = tuple_(RevisionLines.article_id, RevisionLines.number)
    for some in chunks((page.name for page in pages), size=500):
        gone = delete(RevisionLines).where(name.in_(some))
        session.execute(gone.execution_options(synchronize_session=False))
    keep_lines(session, pages)


def find_lines(session: Session, article_id: int) -> bytes:
    """Return the packed lines of the current text; empty where none are kept."""
    query = (
        select(RevisionLines.packed)
        .join(Article, Article.id == RevisionLines.article_id)
        .where(Article.id == article_id)
        .where(Article.current_revision == RevisionLines.number)
    )
    return session.scalar(query) or b""
