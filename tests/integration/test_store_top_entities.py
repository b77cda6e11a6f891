"""The top entities are exact, though most sums are never added up."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert
from support.rows import NOW, Rows, writing

from enrich.messages import EntityKind, Stage
from store.models import EntityHour
from store.queries import list_entities

pytestmark = pytest.mark.unbalanced("its rows are made by hand")

HOUR = timedelta(hours=1)
N_ENTITIES, N_HOURS = 60, 30

Counts = dict[tuple[datetime, int], int]


def fill(rows: Rows, *, seed: int) -> Counts:
    """Let few entities come often, and one of them rarely but in every hour."""
    draw = random.Random(seed)  # noqa: S311 - the same news in every run
    pipeline_id = rows.active(Stage.ENTITIES).id
    kinds = list(EntityKind)
    for number in range(1, N_ENTITIES + 1):
        rows.entity(f"org:{number}", f"Name {number}", kinds[number % len(kinds)])
    weights = [1 / (number + 3) for number in range(N_ENTITIES)]
    counts: Counts = {}
    for age in range(N_HOURS):
        drawn = Counter(draw.choices(range(1, N_ENTITIES + 1), weights, k=80))
        drawn[N_ENTITIES] = 3
        counts |= {(NOW - age * HOUR, one): n for one, n in drawn.items()}
    rows.session.execute(
        insert(EntityHour),
        [
            {
                "hour": hour,
                "pipeline_id": pipeline_id,
                "entity_id": entity,
                "n_articles": n,
                "n_mentions": 2 * n,
            }
            for (hour, entity), n in counts.items()
        ],
    )
    return counts


def expected(
    counts: Counts, since: datetime | None, kind: EntityKind | None
) -> list[str]:
    kinds = list(EntityKind)
    sums: Counter[int] = Counter()
    for (hour, entity), n in counts.items():
        of_kind = kind is None or kinds[entity % len(kinds)] == kind
        if of_kind and (since is None or hour >= since):
            sums[entity] += n
    best = sorted(sums, key=lambda one: (-sums[one], one))
    return [f"org:{one}" for one in best]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [None, EntityKind.PER])
def test_the_top_is_what_all_sums_would_say(
    migrated_url: str, seed: int, kind: EntityKind | None
) -> None:
    with writing(migrated_url) as rows:
        counts = fill(rows, seed=seed)
        for since in (None, NOW - 23 * HOUR, NOW - 2 * HOUR, NOW + HOUR):
            for limit in (1, 3, 10, 100):
                top = list_entities(rows.session, kind=kind, since=since, limit=limit)
                best = sorted(top, key=lambda one: (-one.n_articles, int(one.key[4:])))
                keys = [one.key for one in best]
                assert keys == expected(counts, since, kind)[:limit], (since, limit)


@pytest.mark.parametrize("minutes", [0, 20, 40])
def test_the_hour_that_is_cut_counts_in_part(migrated_url: str, minutes: int) -> None:
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    since = hour - 2 * HOUR + timedelta(minutes=minutes)
    with writing(migrated_url) as rows:
        feed = rows.feed()
        often, late, early = (rows.entity(f"org:{name}", name) for name in "abc")
        counts: Counter[str] = Counter()
        # Of the cut hour, one entity has its articles before the cut, one after it.
        for entity, ages in (
            (often, (10, 70, 75, 80, 85, 90, 95, 100, 105)),
            (late, (61, 62, 63, 64, 65, 66)),
            (early, (115, 116, 117, 118, 119, 5, 6)),
        ):
            for age in ages:
                at = hour - timedelta(minutes=age)
                rows.names(rows.article(feed, sort_at=at), entity, times=2)
                counts[entity.key] += at >= since
        found = list_entities(rows.session, since=since, limit=1)
        assert {one.key: one.n_articles for one in found} == dict(counts.most_common(1))
        found = list_entities(rows.session, since=since, limit=3)
        assert {one.key: one.n_articles for one in found} == +counts
        assert [one.n_mentions for one in found] == [
            2 * one.n_articles for one in found
        ]


def test_the_top_adds_up_few_entities(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        fill(rows, seed=1)
        asked: list[Any] = []

        def note(*call: Any) -> None:
            asked.append(call[3])

        event.listen(rows.session.get_bind(), "before_cursor_execute", note)
        list_entities(rows.session, since=NOW - 23 * HOUR, limit=3)
        event.remove(rows.session.get_bind(), "before_cursor_execute", note)
    values = asked[-1].values() if isinstance(asked[-1], dict) else asked[-1]
    n_numbers = sum(isinstance(value, int) for value in values)
    assert 3 < n_numbers < 2 * N_ENTITIES / 3
