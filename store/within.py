"""Which part of the archive a search looks at: from when, until when, what language."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self, TypeAlias

from sqlalchemy import ColumnElement

from store.queries.cursors import Cursor, is_before

Conditions: TypeAlias = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """Bounds of a search; None is no bound."""

    since: datetime | None = None  # from then on
    until: datetime | None = None  # before then
    before: Cursor | None = None  # where the last page ended
    language: str | None = None

    @property
    def newest(self) -> datetime | None:
        """The time that no article can be after."""
        bounds = [self.until, self.before.sort_at if self.before else None]
        return min((one for one in bounds if one is not None), default=None)

    def narrowed(self, *, since: datetime | None, until: datetime | None) -> Self:
        """Return this with narrower bounds; a wider one changes nothing."""
        starts = [one for one in (self.since, since) if one is not None]
        ends = [one for one in (self.until, until) if one is not None]
        return replace(
            self, since=max(starts, default=None), until=min(ends, default=None)
        )


def in_time(within: Within, moment: Any, key: Any) -> Conditions:
    """Return the conditions on the columns that hold time and id of an article."""
    conditions: list[ColumnElement[bool]] = []
    if within.since is not None:
        conditions.append(moment >= within.since)
    if within.until is not None:
        conditions.append(moment < within.until)
    if within.before is not None:
        conditions.append(is_before(within.before, moment, key))
    return conditions
