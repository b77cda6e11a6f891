"""Lines of pages: kept beside the text that was found among them."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from store.batches import insert_rows
from store.clauses import chunks
from store.models import Article, RevisionLines


class PageLines(NamedTuple):
    """The lines of the page of one text; empty where they are not worth keeping."""

    article_id: int
    number: int  # of the revision
    source: str  # the publisher its file was filed under
    packed: bytes

    @property
    def name(self) -> tuple[int, int]:
        """What no other text is called."""
        return self.article_id, self.number


def keep_lines(session: Session, pages: Iterable[PageLines]) -> None:
    """Write the lines of texts that are new in this transaction."""
    rows = [{**page._asdict(), "is_new": True} for page in pages if page.packed]
    insert_rows(session, RevisionLines, rows)


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
