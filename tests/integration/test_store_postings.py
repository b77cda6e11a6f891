"""Posting lists: bounded however common a key is."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from support.rows import writing

from enrich.messages import Stage
from store.models import FingerprintKey, StoryKey
from store.postings import Index, _on_sqlite, read_postings

RARE, COMMON, UNKNOWN = -(2**63), 2**63 - 1, 5


@pytest.mark.unbalanced("its rows are made by hand")
@pytest.mark.parametrize("newest", [False, True], ids=["oldest", "newest"])
def test_of_a_common_key_only_the_entries_at_one_end_are_read(
    migrated_url: str, *, newest: bool
) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        ids = [rows.article(feed).id for _ in range(6)]
        here = rows.pipeline(Stage.COPIES, version="1").id
        there = rows.pipeline(Stage.COPIES, version="2").id
        keys = [(here, COMMON, one) for one in ids[:5]]
        keys += [(here, RARE, ids[0]), (there, COMMON, ids[5])]
        for pipeline_id, key, article_id in keys:
            rows.session.add(
                FingerprintKey(pipeline_id=pipeline_id, key=key, article_id=article_id)
            )
        rows.session.flush()
        index = Index(model=FingerprintKey, entry="article_id", most=3, newest=newest)
        found = read_postings(
            rows.session, index, [RARE, COMMON, UNKNOWN], pipeline_id=here
        )
    kept = ids[2:5] if newest else ids[:3]
    assert {key: sorted(some) for key, some in found.items()} == {
        RARE: [ids[0]],
        COMMON: kept,
    }


@pytest.mark.parametrize(
    ("model", "entry", "newest"),
    [(FingerprintKey, "article_id", False), (StoryKey, "story_id", True)],
)
def test_sqlite_looks_each_key_up_and_reads_no_whole_index(
    sqlite_template: Path, tmp_path: Path, model: Any, entry: str, *, newest: bool
) -> None:
    copied = shutil.copy(sqlite_template, tmp_path / "wireroom.db")
    index = Index(model=model, entry=entry, most=3, newest=newest)
    values = {"keys": "[1]", "pipeline_id": 1, "most": 3}
    with writing(f"sqlite+pysqlite:///{copied}") as rows:
        query = text(f"EXPLAIN QUERY PLAN {_on_sqlite(index)}")
        plan = [row.detail for row in rows.session.execute(query, values)]
    (looked_up,) = [step for step in plan if model.__tablename__ in step]
    assert "PRIMARY KEY (pipeline_id=? AND key=?)" in looked_up.replace(
        "COVERING INDEX sqlite_autoindex_story_key_1", "PRIMARY KEY"
    )
