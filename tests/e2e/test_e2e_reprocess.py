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
    aliases = tmp_path / "aliases.tsv"
    aliases.write_text("footpath\tMISC\tmisc:footpath\ten\n", encoding="utf-8")
    line.env = {"WIREROOM_ENTITY_ALIASES": str(aliases)}
    # Entities changed, and with them the stories that are made of them.
    assert line.json("reprocess", "--wait")["stale"] == N_PAGES
    assert len(line.json("articles", "--entity", "misc:footpath")) == N_PAGES
    assert line.json("reprocess", "--wait")["stale"] == 0
    assert line.json("audit")["balanced"] is True
