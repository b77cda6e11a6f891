"""The base of all tables: naming convention, key and time types, column shorthand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

# Constraint names that do not depend on the engine, so that a migration can name
# what it drops on both.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite gives automatic row ids to INTEGER keys only.
BigId = BigInteger().with_variant(Integer, "sqlite")

# Nothing is NULL in SQL and not the word `null` in JSON, so that IS NULL finds it.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; a naive one is an error, not a guess.

    PostgreSQL keeps `timestamptz`. SQLite keeps text without a zone, which this type
    writes in UTC and reads back as aware.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Refuse naive times; hand SQLite the UTC reading."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"naive datetime {value!r}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Give back an aware time in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite" and value.utcoffset() is None:
            return value.replace(tzinfo=UTC)
        return value if value.utcoffset() == timedelta(0) else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of the house."""

    metadata = MetaData(naming_convention=NAMING)


def col(*args: Any, comment: str, **options: Any) -> MappedColumn[Any]:
    """Return a column that cannot go without its sentence."""
    return mapped_column(*args, comment=comment, **options)


def one_of(column: str, values: type) -> str:
    """Return the text of a check that a column holds a member of an enumeration."""
    members = ", ".join(f"'{member.value}'" for member in values)  # type: ignore[attr-defined]  # any StrEnum
    return f"{column} IN ({members})"
