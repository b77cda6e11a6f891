"""Enrichment: claimed, answered exactly once, swept, quarantined, replayed."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from support.desk import Desk
from support.factories import LIMITS, NOW, PIPELINES, article, body, enriched, entry

from enrich.messages import ArticleFailed, Lane, Pipeline, Stage
from store import pending, quarantine, replay
from store.engine import transaction
from store.models import (
    Article,
    ArticleEntity,
    Duplicate,
    Enrichment,
    EnrichWork,
    Job,
    Mention,
    Quarantine,
    Story,
    StoryMember,
)

# The wait of what was lost before is part of it.
LEASE = timedelta(seconds=LIMITS.lease_seconds + 11)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def copy_of(name: str, original: str, **changes: object) -> object:
    return entry(name, article=article(name, text=body(original), **changes))


def test_a_stored_article_is_enriched_by_every_active_pipeline(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    assert desk.count(Enrichment) == len(PIPELINES)
    assert desk.count(EnrichWork) == 0
    assert desk.one(Article).language == "en"
    assert desk.count(Mention) == desk.count(ArticleEntity) == 1
    desk.assert_balanced()


def test_a_second_delivery_of_results_changes_nothing(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    (command,) = desk.claim_articles()
    event = enriched(command)
    assert desk.save_enrichment(event).n_saved == 2
    again = desk.save_enrichment(event)
    assert (again.n_saved, again.n_repeated) == (0, 2)
    assert desk.count(Mention) == 2
    assert desk.count(StoryMember) == 2
    desk.assert_balanced()


def test_results_for_a_text_that_has_changed_are_not_used(desk: Desk) -> None:
    desk.poll(entry("a"))
    (command,) = desk.claim_articles()
    desk.poll(entry("a", article=article("a", title="New title")))
    assert desk.save_enrichment(enriched(command)).n_superseded == 1
    assert desk.count(EnrichWork) == 1
    desk.enrich()
    assert desk.count(Enrichment, Enrichment.revision == 2) == len(PIPELINES)
    desk.assert_balanced()


def test_work_under_way_is_not_handed_out_again_before_its_lease_ends(
    desk: Desk,
) -> None:
    desk.poll(entry("a"))
    assert desk.claim_articles()
    assert not desk.claim_articles()
    desk.now += LEASE
    assert desk.claim_articles()


def test_what_was_tried_before_goes_alone(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    assert [len(one.articles) for one in desk.claim_articles()] == [2]
    desk.now += LEASE
    assert [len(one.articles) for one in desk.claim_articles()] == [1, 1]


def test_work_waits_while_no_pipeline_is_active(migrated_url: str) -> None:
    desk = Desk(migrated_url, pipelines=())
    desk.poll(entry("a"))
    assert desk.claim_articles() == []
    assert desk.count(EnrichWork) == 1
    desk.activate(PIPELINES)
    desk.enrich()
    assert desk.count(Enrichment) == len(PIPELINES)
    desk.engine.dispose()


def test_no_more_is_under_way_than_allowed(desk: Desk) -> None:
    desk.poll(*[entry(f"n{n}") for n in range(60)])
    commands = desk.claim_articles()
    assert sum(len(one.articles) for one in commands) == LIMITS.max_items
    assert len(commands) == LIMITS.max_batches
    assert not desk.claim_articles()


def test_a_batch_is_bounded_by_bytes_too(desk: Desk) -> None:
    long = "word " * 60_000
    desk.poll(*[entry(f"n{n}", article=article(f"n{n}", text=long)) for n in range(6)])
    commands = desk.claim_articles()
    assert [len(one.articles) for one in commands] == [3, 3]


def test_an_article_that_kills_its_workers_is_quarantined_and_can_be_replayed(
    desk: Desk,
) -> None:
    desk.poll(entry("poison"))
    for _ in range(LIMITS.max_attempts):
        assert desk.claim_articles()
        desk.now += LEASE
    assert not desk.claim_articles()
    with transaction(desk.engine) as session:
        n_swept = pending.sweep_articles(session, now=desk.now, max_attempts=3)
    assert n_swept == 1
    case = desk.one(Quarantine)
    assert (case.error, case.attempts, case.state) == ("NoAnswer", 3, "open")
    assert desk.count(EnrichWork) == 0
    desk.assert_balanced()
    with transaction(desk.engine) as session:
        assert quarantine.replay(session, [case.id], now=desk.now) == [case.id]
    desk.enrich()
    assert desk.count(Enrichment) == len(PIPELINES)
    desk.assert_balanced()


def test_a_failure_waits_before_the_next_attempt_and_keeps_its_reason(
    desk: Desk,
) -> None:
    desk.poll(entry("a"), entry("b"))
    (command,) = desk.claim_articles()
    event = enriched(command)
    bad, good = command.articles
    failed = ArticleFailed(
        article_id=bad.article_id, revision=1, error="ValueError", detail="at x.py:1"
    )
    results = tuple(one for one in event.articles if one.article_id == good.article_id)
    saved = desk.save_enrichment(replace(event, articles=results, failed=(failed,)))
    assert (saved.n_saved, saved.n_failed) == (1, 1)
    work = desk.one(EnrichWork)
    assert work.error == "ValueError: at x.py:1"
    assert work.due_at > desk.now
    assert not desk.claim_articles()


def test_a_copy_points_to_the_earliest_even_if_that_arrives_last(desk: Desk) -> None:
    late = article("late", text=body("wire"))
    desk.poll(entry("late", article=late), feed="one")
    desk.enrich()
    early = article("early", text=body("wire"), published_at=NOW - timedelta(days=1))
    desk.poll(entry("early", article=early), feed="two")
    desk.enrich()
    verdict = desk.one(Duplicate)
    assert desk.one(Article, Article.id == verdict.original_id).title == "Title early"
    assert verdict.kind == "identical"
    assert desk.one(Story).n_articles == 1
    desk.assert_balanced()


def test_a_copy_that_is_rewritten_is_a_copy_no_more(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b", article=article("b", text=body("a"))))
    desk.enrich()
    assert desk.count(Duplicate) == 1
    desk.poll(entry("b", article=article("b", text=body("something else"))))
    desk.enrich()
    assert desk.count(Duplicate) == 0
    desk.assert_balanced()


def test_articles_on_one_event_are_a_story(desk: Desk) -> None:
    for name in ("storm", "flood"):
        desk.poll(
            entry(f"{name}1", article=article(f"{name}1", title=f"One {name}")),
            entry(f"{name}2", article=article(f"{name}2", title=f"Two {name}")),
        )
    desk.enrich()
    assert desk.count(Story) == 2
    assert desk.count(Story, Story.n_articles == 2) == 2
    desk.assert_balanced()


def test_a_new_version_makes_articles_stale_and_a_job_redoes_them(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    desk.enrich()
    newer = Pipeline(stage=Stage.ENTITIES, name="test", version="2")
    others = [one for one in PIPELINES if one.stage is not Stage.ENTITIES]
    desk.activate([*others, newer])
    with transaction(desk.engine) as session:
        ordered = replay.order_job(session, stages=None, since=None, now=desk.now)
        assert replay.advance_jobs(session, now=desk.now, max_waiting=100) == 2
    (command,) = desk.claim_articles(Lane.BULK)
    assert command.pipelines == (newer,)
    desk.save_enrichment(enriched(command))
    with transaction(desk.engine) as session:
        replay.advance_jobs(session, now=desk.now, max_waiting=100)
        progress = replay.job_progress(session, ordered.job_id)
    assert (progress.state, progress.n_stale, progress.n_waiting) == ("done", 2, 0)
    assert desk.one(Job).finished_at is not None
    desk.assert_balanced()


def test_a_job_with_nothing_stale_is_done_at_once(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    with transaction(desk.engine) as session:
        replay.order_job(session, stages=None, since=None, now=desk.now)
        assert replay.advance_jobs(session, now=desk.now, max_waiting=100) == 0
    assert desk.one(Job).state == "done"


def test_a_job_for_one_stage_leaves_the_others_alone(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    desk.activate([Pipeline(stage=stage, name="test", version="2") for stage in Stage])
    with transaction(desk.engine) as session:
        replay.order_job(session, stages=[Stage.LANGUAGE], since=None, now=desk.now)
        replay.advance_jobs(session, now=desk.now, max_waiting=100)
    (command,) = desk.claim_articles(Lane.BULK)
    assert [one.stage for one in command.pipelines] == [Stage.LANGUAGE]


N_WORKERS = 8


def test_eight_workers_at_once_settle_one_original(desk: Desk) -> None:
    """Each brings one copy of the same text; the barrier makes them meet."""
    names = [f"copy{n}" for n in range(N_WORKERS)]
    for name in names:
        copied = copy_of(name, "wire", title="Title of the wire")
        desk.poll(copied, feed=name)  # type: ignore[arg-type]  # entry
    claimed = desk.claim_articles()
    commands = [
        replace(one, articles=(each,)) for one in claimed for each in one.articles
    ]
    assert len(commands) == N_WORKERS
    barrier = threading.Barrier(N_WORKERS)
    errors: list[BaseException] = []

    def work(n: int) -> None:
        try:
            barrier.wait(timeout=60)
            desk.save_enrichment(enriched(commands[n]))
            desk.save_enrichment(enriched(commands[(n + 1) % N_WORKERS]))
        except BaseException as error:  # noqa: BLE001  # shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(N_WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not errors
    assert desk.count(Duplicate) == N_WORKERS - 1
    assert desk.count(Mention) == desk.count(StoryMember) == N_WORKERS
    assert desk.one(Story).n_articles == 1
    assert desk.count(EnrichWork) == 0
    desk.assert_balanced()
