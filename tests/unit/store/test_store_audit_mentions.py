"""Which mentions the audit of an hour looks at: all of them, in turn."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from store.audit_mentions import PART, parts_of

NOW = datetime(2026, 11, 22, 12, 34, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("top", [0, 1, PART, PART + 1, 2 * PART])
def test_a_small_archive_is_looked_at_as_a_whole(top: int) -> None:
    assert parts_of(top, now=NOW) is None


@pytest.mark.parametrize("top", [2 * PART + 1, 7 * PART, 7 * PART + 1, 30 * PART - 1])
def test_each_article_has_its_turn_and_the_latest_has_it_always(top: int) -> None:
    hours = [parts_of(top, now=NOW + n * HOUR) or () for n in range(1 + top // PART)]
    seen = {one for parts in hours for one in parts}
    covered = sorted((one.start, one.stop) for one in seen)
    assert covered[0][0] == 1
    assert all(one[1] == two[0] for one, two in pairwise(covered))
    assert covered[-1][1] > top
    assert all(top in parts[-1] for parts in hours)


def test_no_hour_looks_at_more_than_three_parts() -> None:
    parts = parts_of(1_000 * PART, now=NOW)
    assert parts is not None
    assert [len(one) for one in parts] == [PART, 2 * PART]
