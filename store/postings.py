"""Posting lists: of each key of an index its first or last entries, and no more.

A key that a template has put into a hundred thousand texts costs no more than any
other. A window function would read its whole list and throw most of it away.
"""

import json
from collections.abc import Sequence
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
    session: Session, index: Index, keys: Sequence[int], *, pipeline_id: int
) -> list[tuple[int, int]]:
    """Return (key, id) for the entries of each of these keys, in no order."""
    query = _on_postgresql(index) if is_postgresql(session) else _on_sqlite(index)
    connection = session.connection()
    pairs: list[tuple[int, int]] = []
    for some in chunks(keys):
        wanted = some if is_postgresql(session) else json.dumps(some)
        values = {"keys": wanted, "pipeline_id": pipeline_id, "most": index.most}
        found = connection.execute(query, values)
        pairs += [(row[0], row[1]) for row in found.all()]
    return pairs


def _on_postgresql(index: Index) -> TextClause:
    table, entry, order = _names(index)
    return text(f"""
        SELECT wanted.key, few.{entry}
        FROM unnest(CAST(:keys AS bigint[])) AS wanted (key)
        CROSS JOIN LATERAL (
            SELECT {entry} FROM {table}
            WHERE pipeline_id = :pipeline_id AND key = wanted.key
            ORDER BY {entry} {order} LIMIT :most
        ) AS few
        """)  # noqa: S608  # names of ours


def _on_sqlite(index: Index) -> TextClause:
    # There is no LATERAL: the last entry that counts is looked up first. CROSS JOIN
    # keeps the order of the tables; else the whole index was read first, and every row
    # of it compared with every key: 16 s in place of 10 ms at 170,000 rows.
    table, entry, order = _names(index)
    within = ">=" if index.newest else "<="
    aggregate = "min" if index.newest else "max"
    return text(f"""
        SELECT wanted.value, listed.{entry}
        FROM json_each(:keys) AS wanted
        CROSS JOIN {table} AS listed
          ON listed.pipeline_id = :pipeline_id AND listed.key = wanted.value
         AND listed.{entry} {within} (
            SELECT {aggregate}({entry}) FROM (
                SELECT {entry} FROM {table}
                WHERE pipeline_id = :pipeline_id AND key = wanted.value
                ORDER BY {entry} {order} LIMIT :most
            )
         )
        """)  # noqa: S608  # names of ours


def _names(index: Index) -> tuple[str, str, str]:
    order = "DESC" if index.newest else "ASC"
    return index.model.__tablename__, index.entry, order
