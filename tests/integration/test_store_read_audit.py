"""The audit balances over a store that works, and names what does not."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert, inspect, select, update
from support.desk import Desk
from support.factories import NOW, PIPELINES, entry, files_read, rejected

from enrich.messages import Pipeline, Stage
from store import audit_mentions, pending, quarantine
from store.audit import AuditReport, audit
from store.engine import Session, reading, transaction
from store.models import (
    ActivePipeline,
    Article,
    ArticleEntity,
    Duplicate,
    Enrichment,
    EnrichWork,
    Entry,
    Mention,
    Poll,
    Quarantine,
    Revision,
    RunFile,
    Story,
)
from store.queries import Standing, get_article
from store.reads import save_files

MENTIONS = "mentions with their entity"


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    desk = Desk(migrated_url)
    yield desk
    desk.engine.dispose()


def report(desk: Desk) -> AuditReport:
    with reading(desk.engine) as session:
        return audit(session)


def wrong(desk: Desk) -> dict[str, tuple[int, int]]:
    lines = report(desk).lines
    return {one.name: (one.expected, one.found) for one in lines if not one.balanced}


def standing(desk: Desk, article_id: int = 1) -> Standing:
    with reading(desk.engine) as session:
        return get_article(session, str(article_id)).work.standing


def detail(desk: Desk, name: str) -> str:
    return next(one.detail for one in report(desk).lines if one.name == name)


def test_an_empty_store_balances(desk: Desk) -> None:
    assert report(desk).balanced


def test_a_store_balances_at_every_step_of_the_line(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"), rejected())
    assert wrong(desk) == {}
    assert standing(desk) == Standing.WAITING
    desk.claim_articles()
    assert wrong(desk) == {}
    assert standing(desk) == Standing.RUNNING
    desk.now += timedelta(hours=1)
    desk.enrich()
    assert wrong(desk) == {}
    assert standing(desk) == Standing.ENRICHED
    desk.poll(entry("a"), entry("c"))
    desk.poll(entry("a"), feed="other")
    desk.enrich()
    assert wrong(desk) == {}
    assert "4 new" not in detail(desk, "entries in polls")
    assert detail(desk, "entries in polls") == (
        "3 new + 1 unchanged + 1 duplicate + 1 rejected"
    )


def test_files_balance_too(desk: Desk) -> None:
    run = desk.add_files("/news/a.txt", "/news/b.txt")
    with transaction(desk.engine) as session:
        event = files_read((1, "/news/a.txt", (entry("a"), entry("b"))))
        save_files(session, event, now=desk.now)
    assert run == 1
    assert wrong(desk) == {}
    assert detail(desk, "files with an end") == "1 done + 1 pending"


def test_an_entry_that_goes_through_at_last_was_counted_twice_and_balances(
    desk: Desk,
) -> None:
    bad = entry("a", link="broken\0link")
    feed_id = desk.poll(bad, entry("b"))
    quarantined = desk.count(Entry, Entry.outcome == "quarantined")
    assert wrong(desk) == {}
    with transaction(desk.engine) as session:
        quarantine.replay(session, None, now=desk.now)
    desk.poll(entry("a"), entry("b"))
    assert feed_id
    assert wrong(desk) == {}
    # SQLite stores a NUL, so that only PostgreSQL has something to replay.
    assert quarantined in {0, 1}


def test_a_file_read_again_after_a_replay_counts_each_entry_once(desk: Desk) -> None:
    desk.add_files("/news/a.txt")

    def read(*entries: object) -> None:
        event = files_read((1, "/news/a.txt", entries))  # type: ignore[arg-type]  # entries
        with transaction(desk.engine) as session:
            save_files(session, event, now=desk.now)

    def counts() -> tuple[int, ...]:
        row = desk.one(RunFile)
        return row.n_seen, row.n_new, row.n_unchanged, row.n_quarantined

    def replay() -> None:
        with transaction(desk.engine) as session:
            quarantine.replay(session, None, now=desk.now)

    broken = entry("a", link="broken\0link")
    read(broken, entry("b"), entry("c"))
    assert counts() == (3, 2, 0, 1)
    assert wrong(desk) == {}
    replay()
    read(broken, entry("b"), entry("c"))
    assert counts() == (3, 2, 0, 1)
    assert wrong(desk) == {}
    replay()
    # Mended by now, and with one more beside it.
    read(entry("a"), entry("b"), entry("c"), entry("d"))
    assert counts() == (4, 4, 0, 0)
    assert wrong(desk) == {}
    assert "4 stored" in detail(desk, "articles brought by files")


def test_articles_in_quarantine_are_accounted_for_until_they_are_replayed(
    desk: Desk,
) -> None:
    desk.poll(entry("a"))
    for attempt in range(3):
        desk.now += timedelta(hours=2 + attempt)
        desk.claim_articles()
        failure = pending.Failure(
            article_id=1, revision=1, error="ValueError", detail="odd text"
        )
        with transaction(desk.engine) as session:
            pending.fail_articles(session, [failure], now=desk.now, max_attempts=3)
    assert standing(desk) == Standing.QUARANTINED
    assert wrong(desk) == {}
    with transaction(desk.engine) as session:
        quarantine.discard(session, None, now=desk.now)
    assert standing(desk) == Standing.DISCARDED
    assert wrong(desk) == {}


def test_articles_that_a_new_version_has_not_seen_are_stale_not_stuck(
    desk: Desk,
) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    newer = Pipeline(stage=Stage.ENTITIES, name="test", version="2")
    desk.activate([newer])
    assert standing(desk) == Standing.STALE
    assert wrong(desk) == {}


def test_articles_stored_while_enrichment_is_off_wait_for_it(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        session.execute(delete(ActivePipeline))
    desk.poll(entry("a"))
    desk.claim_articles()
    assert standing(desk) == Standing.WAITING
    desk.activate(PIPELINES)
    desk.enrich()
    assert standing(desk) == Standing.ENRICHED
    assert wrong(desk) == {}


def test_articles_that_wait_for_nothing_are_off_and_then_stale_not_stuck(
    desk: Desk,
) -> None:
    with transaction(desk.engine) as session:
        session.execute(delete(ActivePipeline))
    desk.poll(entry("a"))
    with transaction(desk.engine) as session:
        lose_work(session)
    assert standing(desk) == Standing.OFF
    desk.now += timedelta(hours=1)
    desk.activate(PIPELINES)
    assert standing(desk) == Standing.STALE
    assert wrong(desk) == {}


def lose_work(session: Session) -> None:
    session.execute(delete(EnrichWork))


def lose_text(session: Session) -> None:
    session.execute(update(Article).values(current_revision=7))


def lose_entry(session: Session) -> None:
    other = {"article_id": 2, "outcome": "duplicate"}
    session.execute(update(Entry).where(Entry.key == "guid:a").values(other))


def lose_poll(session: Session) -> None:
    session.execute(update(Poll).values(n_new=Poll.n_new - 1))


def double_mention(session: Session) -> None:
    row = session.execute(select(*inspect(Mention).columns).limit(1)).mappings().one()
    session.execute(insert(Mention), [{**row, "position": 99}])


def lose_ledger(session: Session) -> None:
    session.execute(delete(Enrichment))


def chain_copies(session: Session) -> None:
    rows = [
        {
            "pipeline_id": 1,
            "article_id": copy,
            "original_id": original,
            "kind": "near",
            "containment": 1.0,
            "resemblance": 1.0,
            "settled_at": NOW,
        }
        for copy, original in ((1, 2), (2, 3))
    ]
    session.execute(insert(Duplicate), rows)


def mistake_entity(session: Session) -> None:
    session.execute(update(Mention).where(Mention.article_id == 1).values(entity_id=9))


def miscount_story(session: Session) -> None:
    session.execute(update(Story).where(Story.id == 1).values(n_articles=9))


FAULTS = [
    (lose_work, {"articles enriched or on their way": (3, 0)}),
    (lose_text, {"articles with their text": (3, 0)}),
    (
        lose_entry,
        {
            "articles brought by polls": (3, 2),
            "articles that an entry brought": (3, 2),
            "articles with an entry": (3, 2),
        },
    ),
    (
        lose_poll,
        {
            "entries in polls": (3, 2),
            "polls that add up": (1, 0),
            "articles brought by polls": (2, 3),
            "entries that no poll counted": (0, 1),
        },
    ),
]
ENRICHED_FAULTS = [
    (double_mention, {"mentions": (3, 4)}),
    (mistake_entity, {"mentions with their entity": (3, 2)}),
    (
        lose_ledger,
        {"articles enriched or on their way": (3, 0), "entities on the ledger": (3, 0)},
    ),
    (chain_copies, {"originals that are copies": (0, 1)}),
]
Fault = Callable[[Session], None]


@pytest.mark.unbalanced("it loses something")
@pytest.mark.parametrize(("fault", "lines"), FAULTS)
def test_what_is_lost_is_named(
    desk: Desk, fault: Fault, lines: dict[str, tuple[int, int]]
) -> None:
    desk.poll(entry("a"), entry("b"), entry("c"))
    with transaction(desk.engine) as session:
        fault(session)
    assert wrong(desk) == lines
    assert not report(desk).balanced


@pytest.mark.unbalanced("it spoils results")
@pytest.mark.parametrize(("fault", "lines"), ENRICHED_FAULTS)
def test_what_is_wrong_with_results_is_named(
    desk: Desk, fault: Fault, lines: dict[str, tuple[int, int]]
) -> None:
    desk.poll(entry("a"), entry("b"), entry("c"))
    desk.enrich()
    with transaction(desk.engine) as session:
        fault(session)
    assert wrong(desk) == lines


@pytest.mark.unbalanced("it spoils results")
@pytest.mark.parametrize("article_id", [1, 2, 4])
def test_a_mention_without_its_entity_is_found_when_its_part_has_its_turn(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, article_id: int
) -> None:
    monkeypatch.setattr(audit_mentions, "PART", 1)
    desk.poll(*(entry(key) for key in "abcd"))
    desk.enrich()
    with transaction(desk.engine) as session:
        spoilt = update(Mention).where(Mention.article_id == article_id)
        session.execute(spoilt.values(entity_id=99))

    def found(now: datetime | None) -> bool:
        with reading(desk.engine) as session:
            report = audit(session, now=now)
        (line,) = (one for one in report.lines if one.name == MENTIONS)
        assert line.expected == (4 if now is None else 3)
        return not line.balanced

    assert found(None)
    in_turn = [found(desk.now + n * timedelta(hours=1)) for n in range(2)]
    # The latest articles are looked at each time, and all others once in a round.
    assert sum(in_turn) == (2 if article_id == 4 else 1)


@pytest.mark.unbalanced("it miscounts")
def test_a_story_that_miscounts_its_members_is_named(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        miscount_story(session)
    assert wrong(desk) == {"stories with their members": (1, 0)}


@pytest.mark.unbalanced("it loses a record")
def test_a_quarantined_entry_without_record_is_named(desk: Desk) -> None:
    desk.poll(rejected())
    with transaction(desk.engine) as session:
        session.execute(update(Entry).values(outcome="quarantined"))
        session.execute(delete(Quarantine))
    assert wrong(desk) == {"quarantined entries on record": (1, 0)}


def test_all_lines_are_about_one_moment(desk: Desk) -> None:
    desk.poll(entry("a"))
    with reading(desk.engine) as session:
        before = audit(session)
        desk.poll(entry("b"), entry("c"))
        assert audit(session) == before
    assert report(desk) != before


@pytest.mark.unbalanced("it loses a text")
def test_texts_of_other_articles_do_not_stand_in(desk: Desk) -> None:
    desk.poll(entry("a"))
    with transaction(desk.engine) as session:
        session.execute(update(Revision).values(content_hash="0" * 64))
    assert wrong(desk) == {"articles with their text": (1, 0)}
    assert desk.count(ArticleEntity) == 0
