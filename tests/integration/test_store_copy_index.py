"""The index of copies: it follows from the fingerprints, and has an end in time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, text
from support.desk import Desk
from support.factories import JUDGE, NOW, PIPELINES, article, body, entry

from enrich.messages import Pipeline, Stage
from services.cli.output import ExitCode
from services.cli.program import main
from store import copy_index, maintenance, retention, schema
from store.copy_index import Rebuilt
from store.engine import reading, transaction
from store.models import Article, Duplicate, Fingerprint, FingerprintKey
from store.night import Keep
from store.retention import Scope

DAY = timedelta(days=1)
KEEP = Keep(polls_days=90, audit_log_days=90, story_days=30, index_days=90)
Rows = set[tuple[int, int, int]]


@pytest.fixture
def desk(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(copy_index, "BATCH", 2)
    monkeypatch.setattr(copy_index, "ROWS", 7)
    made = Desk(migrated_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def store(desk: Desk, *names: str, **texts: str) -> None:
    """Store and enrich articles with texts of their own, or with these."""
    texts = {name: body(name) for name in names} | texts
    entries = [
        entry(name, article=article(name, text=text)) for name, text in texts.items()
    ]
    desk.poll(*entries)
    desk.enrich()


def edited(name: str) -> str:
    """Return the text of an article with a word at its end that it has not."""
    return f"{body(name)} Amended"


def index(desk: Desk) -> Rows:
    query = select(
        FingerprintKey.pipeline_id, FingerprintKey.key, FingerprintKey.article_id
    )
    with reading(desk.engine) as session:
        return {(row[0], row[1], row[2]) for row in session.execute(query)}


def indexed(desk: Desk) -> set[str]:
    """Return the articles whose fingerprint says that they are in the index."""
    query = (
        select(Article.title)
        .join(Fingerprint, Fingerprint.article_id == Article.id)
        .where(Fingerprint.indexed_at.is_not(None))
    )
    with reading(desk.engine) as session:
        return {title.removeprefix("Title ") for title in session.scalars(query)}


def copies(desk: Desk) -> set[str]:
    query = select(Article.title).join(Duplicate, Duplicate.article_id == Article.id)
    with reading(desk.engine) as session:
        return {title.removeprefix("Title ") for title in session.scalars(query)}


def rebuild(
    desk: Desk, *, before: datetime | None = None, after: int = 0
) -> list[Rebuilt]:
    steps = copy_index.rebuild(
        desk.engine, before=before, after=after, choose_keys=JUDGE.choose_keys
    )
    return list(steps)


def prune(desk: Desk, before: datetime) -> int:
    chosen = JUDGE.choose_keys
    return sum(copy_index.prune(desk.engine, before=before, choose_keys=chosen))


def lose(desk: Desk) -> None:
    with transaction(desk.engine) as session:
        session.execute(delete(FingerprintKey))


def test_a_rebuilt_index_has_the_rows_that_it_had(desk: Desk) -> None:
    store(desk, "a", "b", "c", copy=edited("a"))
    before = index(desk)
    lose(desk)
    steps = [Rebuilt(last_id=number, n_in=2, n_out=0) for number in (2, 4)]
    assert rebuild(desk) == steps
    assert index(desk) == before
    assert rebuild(desk) == steps
    assert index(desk) == before


def test_a_rebuild_goes_on_where_it_stopped_and_new_articles_find_their_originals(
    desk: Desk,
) -> None:
    store(desk, "a", "b", "c")
    before = index(desk)
    lose(desk)
    steps = copy_index.rebuild(desk.engine, before=None, choose_keys=JUDGE.choose_keys)
    last_id = next(steps).last_id
    rebuild(desk, after=last_id)
    assert index(desk) == before
    store(desk, news=edited("a"))
    assert copies(desk) == {"news"}


def test_an_index_that_is_emptied_loses_what_no_fingerprint_accounts_for(
    desk: Desk,
) -> None:
    store(desk, "a")
    before = index(desk)
    ((pipeline_id, *_), *_) = before
    with transaction(desk.engine) as session:
        copy_index.put_in(session, [(pipeline_id, 5, 1), (pipeline_id, 6, 999)])
    store(desk, news=edited("a"))  # the article that is not there is no candidate
    n_rows = len(index(desk))
    assert sum(copy_index.empty(desk.engine)) == n_rows
    assert index(desk) == set()
    rebuild(desk)
    assert before < index(desk)
    assert {article_id for _, _, article_id in index(desk)} == {1, 2}


def test_a_new_text_takes_the_place_of_the_old_one(desk: Desk) -> None:
    store(desk, "a")
    before = index(desk)
    store(desk, a=body("other"))
    now = index(desk)
    assert now
    assert now.isdisjoint(before)
    lose(desk)
    rebuild(desk)
    assert index(desk) == now


def test_the_index_forgets_after_its_days_and_exact_copies_are_still_found(
    desk: Desk,
) -> None:
    store(desk, "old")
    desk.now += 91 * DAY
    store(desk, "young")
    young = {row for row in index(desk) if row[2] != 1}
    assert maintenance.foresee(desk.engine, keep=KEEP, now=desk.now).unindexed == 1
    report = maintenance.maintain(desk.engine, keep=KEEP, judge=JUDGE, now=desk.now)
    assert report.unindexed == 1
    assert (index(desk), indexed(desk)) == (young, {"young"})
    store(desk, edit=edited("old"))
    assert copies(desk) == set()
    store(desk, same=body("old"))
    assert copies(desk) == {"edit", "same"}  # by the new article, which is its copy
    assert prune(desk, desk.now - 90 * DAY) == 0


def test_pruning_is_done_in_steps_and_a_rebuild_takes_back_what_is_young_enough(
    desk: Desk,
) -> None:
    store(desk, "a", "b", "c")
    before = index(desk)
    chosen = JUDGE.choose_keys
    steps = copy_index.prune(desk.engine, before=NOW + DAY, choose_keys=chosen)
    assert list(steps) == [2, 1]
    assert (index(desk), indexed(desk)) == (set(), set())
    assert rebuild(desk, before=NOW + DAY)[0].n_out == 2
    assert index(desk) == set()
    rebuild(desk, before=NOW)
    assert (index(desk), indexed(desk)) == (before, {"a", "b", "c"})
    rebuild(desk, before=NOW + DAY)
    assert (index(desk), indexed(desk)) == (set(), set())


def test_an_index_can_be_without_end_and_work_ends_when_its_time_is_up(
    desk: Desk,
) -> None:
    store(desk, "a", "b", "c")
    desk.now += 5000 * DAY
    keep = replace(KEEP, index_days=0)
    report = maintenance.maintain(desk.engine, keep=keep, judge=JUDGE, now=desk.now)
    assert (report.unindexed, indexed(desk)) == (0, {"a", "b", "c"})
    report = maintenance.maintain(
        desk.engine, keep=KEEP, judge=JUDGE, now=desk.now, is_over=lambda: True
    )
    assert (report.unindexed, report.unfinished) == (2, True)
    assert maintenance.foresee(desk.engine, keep=KEEP, now=desk.now).unindexed == 1


def test_the_index_of_a_version_that_counts_no_more_goes(desk: Desk) -> None:
    store(desk, "a", "b")
    assert index(desk)
    news = Pipeline(stage=Stage.COPIES, name="test", version="2")
    desk.activate([news if one.stage is Stage.COPIES else one for one in PIPELINES])
    maintenance.maintain(desk.engine, keep=KEEP, judge=JUDGE, now=desk.now)
    assert index(desk) == set()


def test_deleted_articles_leave_the_index(desk: Desk) -> None:
    store(desk, "a", "b")
    with transaction(desk.engine) as session:
        retention.set_policy(session, Scope(), 30, now=desk.now)
    desk.now += 31 * DAY
    maintenance.maintain(desk.engine, keep=KEEP, judge=JUDGE, now=desk.now)
    assert desk.count(Article) == 0
    assert index(desk) == set()


def test_what_another_transaction_holds_stays_until_the_next_time(
    postgres_url: str,
) -> None:
    schema.upgrade(postgres_url)
    desk = Desk(postgres_url)
    store(desk, "a", "b")
    with desk.engine.connect() as other:
        query = "SELECT 1 FROM fingerprint WHERE article_id = 1 FOR UPDATE"
        other.execute(text(query))
        assert prune(desk, NOW + DAY) == 1
    assert prune(desk, NOW + DAY) == 1
    desk.engine.dispose()


def test_operators_rebuild_the_index(
    desk: Desk,
    migrated_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", migrated_url)
    monkeypatch.setenv("WIREROOM_COPY_INDEX_DAYS", "0")
    store(desk, "a", "b", "c")
    before = index(desk)
    lose(desk)
    assert main(["--json", "db", "reindex-copies", "--empty"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told == {"indexed": 3, "too_old": 0, "last_id": 3}
    assert index(desk) == before
    assert main(["--json", "db", "reindex-copies", "--after", "2"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["indexed"] == 1
    assert main(["--json", "log", "--action", "db.reindex-copies"]) == ExitCode.OK
    assert len(json.loads(capsys.readouterr().out)) == 2
