"""Reprocessing: what a new version makes stale is enriched again from the store."""

from pathlib import Path

import pytest
from support.line import Line
from support.pages import write_pages

pytestmark = pytest.mark.e2e
N_PAGES = 12


def test_new_names_reach_old_articles_and_a_second_order_finds_nothing(
    tmp_path: Path,
) -> None:
    pages = tmp_path / "pages"
    write_pages(pages, N_PAGES)
    line = Line(tmp_path / "home")
    line.json("ingest", str(pages), "--wait")
    for page in pages.iterdir():
        page.unlink()  # reprocessing reads what is stored
    told = ("footpath", "misc:footpath", "--type", "MISC", "--language", "en")
    line.json("entities", "alias", *told)
    line.env = {"WIREROOM_ENTITY_SECOND_TIER": "crf"}
    # Entities changed, and with them the stories that are made of them. What is done
    # again is done by the second tier at once.
    assert line.json("reprocess", "--wait")["stale"] == N_PAGES
    assert len(line.json("articles", "--entity", "misc:footpath")) == N_PAGES
    assert line.json("reprocess", "--wait")["stale"] == 0
    (names,) = (
        one for one in line.json("status")["pipelines"] if one["stage"] == "entities"
    )
    assert (names["name"], names["n_missing"]) == ("rules+crf", 0)
    assert names["n_to_pass_again"] == 0
    assert line.json("audit")["balanced"] is True
