"""Writes docs/columns.md, the list of all tables and columns, from the models."""

from collections.abc import Iterator

from sqlalchemy import CheckConstraint, Column, Table, UniqueConstraint, make_url

from scripts.tree import ROOT
from store.models import Base

PAGE = ROOT / "docs" / "columns.md"
DIALECT = make_url("postgresql+psycopg://").get_dialect()()
HEAD = """# Tables and columns

Every table of the database, with the words that PostgreSQL shows as comments. This
page is made from the models by `make columns`. What a release may change here, it
changes: for queries that shall last there are the views, described in [SQL](sql.md).

Types are those of PostgreSQL; SQLite keeps moments as text in UTC and JSON as text.
There `poll`, `mention` and `audit_log` are plain tables; on PostgreSQL they are
partitioned by month, and the column that parts them belongs to the primary key as well
([decision 10](adr/0010-partitions-and-retention.md)).
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page as it should be."""
    tables = sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    return "\n".join([HEAD, *(line for table in tables for line in section(table))])


def section(table: Table) -> Iterator[str]:
    """Yield the lines about one table."""
    yield from (f"## {table.name}", "", f"{table.comment}.", "")
    yield from ("| column | type | key | meaning |", "|---|---|---|---|")
    for column in table.columns:
        kind = column.type.compile(dialect=DIALECT).lower()
        null = " or NULL" if column.nullable else ""
        meaning = (column.comment or "").replace("|", r"\|")
        keys = ", ".join(roles(column))
        yield f"| `{column.name}` | {kind}{null} | {keys} | {meaning} |"
    yield ""
    if rules := sorted(constraints(table)):
        yield from (*rules, "")


def roles(column: Column[object]) -> Iterator[str]:
    """Yield what a column is among the keys of its table."""
    if column.primary_key:
        yield "primary"
    for key in column.foreign_keys:
        yield f"`{key.target_fullname}`"


def constraints(table: Table) -> Iterator[str]:
    """Yield the rules that span columns or values."""
    for rule in table.constraints:
        if isinstance(rule, UniqueConstraint):
            names = ", ".join(f"`{column.name}`" for column in rule.columns)
            yield f"- Unique: {names}."
        elif isinstance(rule, CheckConstraint):
            yield f"- Check: `{rule.sqltext}`."


if __name__ == "__main__":
    main()
