"""Posting lists: of each key of an index its first or last entries, and no more.

A key that a template has put into a hundred thousand texts costs no more than any
other. A window function would read its whole list and throw most of it away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from store.clauses import chunks
from store.engine import is_postgresql


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A table whose primary key is a pipeline, a key, and the id of what has it."""

    model: Any
    entry: str  # the column of that id
    most: int  # so many entries of a key are read
    newest: bool = False  # those with the highest ids, not with the lowest


def read_postings(
    session: Session, index: Index, keys: Iterable[int], *, pipeline_id: int
) -> dict[int, list[int]]:
    """Return key -> the ids of its entries, in no order, for keys that have any."""
    on_postgresql = is_postgresql(session)
    query = _on_postgresql(index) if on_postgresql else _on_sqlite(index)
    connection = session.connection()
    postings: dict[int, list[int]] = {}
    for some in chunks(keys):
        listed = ",".join(map(str, some))
        wanted = f"{{{listed}}}" if on_postgresql else f"[{listed}]"
        values = {"keys": wanted, "pipeline_id": pipeline_id, "most": index.most}
        for key, ids in connection.execute(query, values).all():
            if ids:
                postings[key] = [int(one) for one in ids.split(",")]
    return postings


# Ids come as one text for each key: thousands of rows would cost more than they hold.
def _on_postgresql(index: Index) -> TextClause:
    table, entry, order = _names(index)
    return text(f"""
        SELECT wanted.key, string_agg(few.{entry}::text, ',')
        FROM unnest(CAST(:keys AS bigint[])) AS wanted (key)
        CROSS JOIN LATERAL (
            SELECT {entry} FROM {table}
            WHERE pipeline_id = :pipeline_id AND key = wanted.key
            ORDER BY {entry} {order} LIMIT :most
        ) AS few
        GROUP BY wanted.key
        """)  # noqa: S608  # names of ours


def _on_sqlite(index: Index) -> TextClause:
    table, entry, order = _names(index)
    return text(f"""
        SELECT wanted.value, (
            SELECT group_concat({entry}) FROM (
                SELECT {entry} FROM {table}
                WHERE pipeline_id = :pipeline_id AND key = wanted.value
                ORDER BY {entry} {order} LIMIT :most
            )
        )
        FROM json_each(:keys) AS wanted
        """)  # noqa: S608  # names of ours


def _names(index: Index) -> tuple[str, str, str]:
    order = "DESC" if index.newest else "ASC"
    return index.model.__tablename__, index.entry, order
