"""The full-text index of the engine: conditions on articles in its own words.

Only `Words`, `AnyOf`, `AllOf` and `Not` come here, and only as bound values: on SQLite
each one is quoted for FTS5, on PostgreSQL the lexemes of its own parser are.
"""

from collections.abc import Iterable
from typing import TypeAlias

from sqlalchemy.orm import Session

from store.engine import is_postgresql
from store.query_language import Words
from store.text_postgresql import PostgresqlIndex
from store.text_sqlite import SqliteIndex

TextIndex: TypeAlias = SqliteIndex | PostgresqlIndex


def text_index(
    session: Session, words: Iterable[Words], *, language: str | None = None
) -> TextIndex:
    """Return the index of the engine that the session talks to.

    Args:
        session: To read with.
        words: All that the query looks for.
        language: The only one that is asked for; None for all.
    """
    if is_postgresql(session):
        return PostgresqlIndex(session, words, language)
    return SqliteIndex(session)
