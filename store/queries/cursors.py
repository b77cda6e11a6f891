"""Cursors: where a page of articles ended, so that the next one starts there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from store.errors import BadQuery
from store.models import Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The time and id of the last article of a page."""

    sort_at: datetime
    id: int

    def __str__(self) -> str:
        """Return it as one word that `parse_cursor` reads."""
        return f"{self.sort_at.isoformat().replace('+00:00', 'Z')}_{self.id}"


def parse_cursor(text: str) -> Cursor:
    """Return the cursor that a page ended with.

    Raises:
        BadQuery: It is not one.
    """
    moment, _, number = text.rpartition("_")
    try:
        cursor = Cursor(sort_at=datetime.fromisoformat(moment), id=int(number))
    except ValueError:
        cursor = None
    if cursor is None or cursor.sort_at.utcoffset() != timedelta(0):
        raise BadQuery(f"{text!r} is not where a page ended")
    return cursor


def is_before(
    cursor: Cursor, moment: Any = Article.sort_at, key: Any = Article.id
) -> ColumnElement[bool]:
    """Return the condition that an article comes after this in newest-first order.

    Args:
        cursor: Where the last page ended.
        moment: The column that holds the article's time.
        key: The column that holds its id.
    """
    # Not a row comparison: SQLite cannot use the index for one in mixed expressions,
    # while this plain bound on the leading column serves both engines.
    return and_(moment <= cursor.sort_at, or_(moment < cursor.sort_at, key < cursor.id))
