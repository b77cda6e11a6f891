"""Statements that are made once find the same index as others, on both engines."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Dialect, bindparam, create_engine, event, select
from sqlalchemy.orm import Session

from store.clauses import Listed
from store.models import Base, CopyPair, Fingerprint

SQLITE = create_engine("sqlite://").dialect
POSTGRESQL = create_engine("postgresql+psycopg://").dialect
TWINS = select(Fingerprint.article_id).where(Listed(Fingerprint.text_hash, "hashes"))
PAIRS = select(CopyPair.low_id).where(Listed(CopyPair.low_id, "ids"))


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine, [CopyPair.__table__, Fingerprint.__table__])  # type: ignore[list-item]  # tables they are
    with Session(engine) as made:
        yield made
    engine.dispose()


@pytest.mark.parametrize("n_values", [0, 1, 700])
def test_sqlite_searches_an_index(session: Session, n_values: int) -> None:
    plans: list[str] = []

    def explain(
        connection: Connection, _: Any, statement: str, given: Any, *__: Any
    ) -> None:
        asked = connection.connection.cursor().execute(
            f"EXPLAIN QUERY PLAN {statement}", given
        )
        plans.extend(row[3] for row in asked)

    event.listen(session.get_bind(), "before_cursor_execute", explain)
    for query, values in (
        (TWINS, {"hashes": [b"a"] * n_values}),
        (PAIRS, {"ids": list(range(n_values))}),
    ):
        assert session.execute(query, values).all() == []
    assert len([one for one in plans if one.startswith("SEARCH")]) >= 2
    assert not [
        one for one in plans if one.startswith(("SCAN fingerprint", "SCAN copy_pair"))
    ]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (SQLITE, "WHERE copy_pair.low_id IN (__[POSTCOMPILE_ids])"),
        (POSTGRESQL, "WHERE copy_pair.low_id = ANY (%(ids)s::BIGINT[])"),
    ],
)
def test_it_is_one_plain_comparison(dialect: Dialect, expected: str) -> None:
    assert str(PAIRS.compile(dialect=dialect)).endswith(expected)


def test_values_go_by_their_name() -> None:
    query = PAIRS.where(CopyPair.pipeline_id == bindparam("pipeline_id"))
    names = query.compile(dialect=POSTGRESQL).params
    assert set(names) == {"ids", "pipeline_id"}
