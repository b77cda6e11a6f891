"""The checker of the chaos campaign says what is wrong, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import delete, insert, select, update
from support.desk import Desk
from support.factories import article, enriched, entry

from benchmarks.chaos import books, checker
from benchmarks.chaos.checker import Findings
from benchmarks.chaos.items import Item
from store import pending
from store.engine import reading, transaction
from store.models import (
    Article,
    ArticleEntity,
    Enrichment,
    EnrichWork,
    Entry,
    Fingerprint,
    Mention,
)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def known(name: str, *, n_entries: int = 1, poison: str | None = None) -> Item:
    """The item that an entry of this name is made from."""
    return Item(
        name=entry(name).link or "",
        title=f"Title {name}",
        n_entries=n_entries,
        poison=poison,
    )


def check(desk: Desk, *items: Item, at_end: bool = True) -> Findings:
    with reading(desk.engine) as session:
        return checker.check(session, items, at_end=at_end)


def unfinished(desk: Desk, *items: Item) -> list[Item]:
    with reading(desk.engine) as session:
        return books.unfinished(session, items)


def test_nothing_is_wrong_with_items_that_are_through(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    desk.enrich()
    assert check(desk, known("a"), known("b")).is_clean
    assert not unfinished(desk, known("a"), known("b"))


def test_an_item_without_an_article_is_lost(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    findings = check(desk, known("a"), known("b"))
    assert findings == Findings(lost=(known("b").name,))
    assert unfinished(desk, known("a"), known("b")) == [known("b")]


def test_an_item_that_waits_is_stuck_and_says_for_what(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.claim_articles()
    findings = check(desk, known("a"))
    (sentence,) = findings.stuck
    assert sentence.startswith(f"{known('a').name}: enrichment 1, True, ")
    assert findings == Findings(stuck=findings.stuck)


def test_an_item_that_one_of_its_feeds_has_not_brought_is_not_through(
    desk: Desk,
) -> None:
    both = known("a", n_entries=2)
    desk.poll(entry("a"))
    desk.enrich()
    assert unfinished(desk, both) == [both]
    desk.poll(entry("a"), feed="other")
    desk.enrich()
    assert not unfinished(desk, both)
    assert check(desk, both).is_clean


def test_two_articles_of_one_item_are_told(desk: Desk) -> None:
    desk.poll(entry("a"))
    other = article("other", title="Title a")
    desk.poll(entry("a", key="guid:2", aliases=(), article=other), feed="other")
    desk.enrich()
    findings = check(desk, known("a", n_entries=2))
    assert any("articles ['1', '2']" in one for one in findings.doubled)
    assert any("2 articles are called Title a" in one for one in findings.doubled)


def test_a_second_entry_of_one_item_is_told(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.poll(entry("a"), feed="other")
    desk.enrich()
    assert check(desk, known("a")).doubled == (f"{known('a').name}: 2 entries",)


@pytest.mark.unbalanced("it doubles a row")
def test_a_mention_that_stands_there_twice_is_told(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        columns = list(Mention.__table__.columns)
        row = dict(session.execute(select(*columns)).mappings().one())
        session.execute(insert(Mention).values(row | {"position": 7}))
    findings = check(desk, known("a"))
    assert findings.doubled == ("article 1: a mention stands there twice",)
    assert findings.unbalanced  # the audit sees that too


@pytest.mark.unbalanced("it loses a pass")
def test_an_article_without_one_of_its_passes_is_half_enriched(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(delete(Enrichment).where(Enrichment.pipeline_id == 1))
    assert check(desk, known("a")).half_enriched == (
        f"{known('a').name}: passes are missing",
    )


@pytest.mark.unbalanced("it loses results")
@pytest.mark.parametrize(
    ("rows", "stage"), [(Fingerprint, "copies"), (Mention, "entities")]
)
def test_a_pass_without_its_results_is_half_enriched(
    desk: Desk, rows: type, stage: str
) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(delete(rows))
    assert check(desk, known("a")).half_enriched == (
        f"{known('a').name}: {stage} is done and its results are missing",
    )


def test_a_language_that_was_not_kept_is_half_enriched(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(update(Article).values(language=None))
    (sentence,) = check(desk, known("a")).half_enriched
    assert "language is done" in sentence


@pytest.mark.unbalanced("it miscounts")
def test_a_line_of_the_audit_that_does_not_balance_is_told(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(update(ArticleEntity).values(n_mentions=5))
    assert "mentions: 5, 1" in check(desk, known("a")).unbalanced


def test_poison_has_to_end_in_quarantine_and_nothing_else_may(desk: Desk) -> None:
    desk.poll(entry("a"), entry("bad"))
    poisoned = known("bad", poison="crash")
    (command,) = desk.claim_articles()
    good = tuple(one for one in command.articles if one.title == "Title a")
    desk.save_enrichment(enriched(replace(command, articles=good)))
    assert check(desk, known("a"), poisoned, at_end=False).is_clean
    assert check(desk, known("a"), poisoned).stuck
    with transaction(desk.engine) as session:
        session.execute(update(EnrichWork).values(attempts=3, due_at=desk.now))
        pending.sweep_articles(session, now=desk.now, max_attempts=3)
    assert check(desk, known("a"), poisoned).is_clean
    innocent = check(desk, known("a"), known("bad"))
    assert [one.partition(": ")[0] for one in innocent.quarantined] == [
        f"article {known('bad').name}"
    ]


@pytest.mark.unbalanced("it loses an article")
def test_an_entry_that_lost_its_article_makes_its_item_lost(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        session.execute(update(Entry).values(outcome="rejected", article_id=None))
    findings = check(desk, known("a"))
    assert findings.lost == (known("a").name,)
    assert findings.unbalanced
