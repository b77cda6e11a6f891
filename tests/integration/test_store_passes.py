"""Passes: names come at once, better ones take their place, and nothing goes back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from support.desk import Desk
from support.factories import LIMITS, NOW, PIPELINES, article, enriched, entities, entry

from enrich.messages import (
    ArticleFailed,
    ArticlesEnriched,
    EnrichArticles,
    Lane,
    Pipeline,
    Stage,
)
from enrich.pipeline import EnrichOptions, Tools, enrich, make_tools
from store import claims, quarantine, replay
from store.engine import reading, transaction
from store.limits import Limits
from store.models import (
    Article,
    ArticleEntity,
    Base,
    Enrichment,
    EnrichWork,
    Entity,
    EntityHour,
    Mention,
    Outbox,
    Quarantine,
    StoryMember,
)
from store.queries import get_article, status

TWICE = Pipeline(stage=Stage.ENTITIES, name="test+better", version="1", n_passes=2)
WITH_SECOND = tuple(TWICE if one.stage is Stage.ENTITIES else one for one in PIPELINES)
on_sqlite = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url, pipelines=WITH_SECOND)
    yield made
    made.engine.dispose()


def answer(command: EnrichArticles) -> ArticlesEnriched:
    """Answer as a worker whose second pass finds the last word of the title."""
    event = enriched(command)
    if command.pass_number == 1:
        return event
    titles = {one.article_id: one.title for one in command.articles}
    better = tuple(
        replace(one, entities=entities(titles[one.article_id].rsplit(maxsplit=1)[-1]))
        for one in event.articles
    )
    return replace(event, articles=better)


def work_through(desk: Desk) -> list[EnrichArticles]:
    """Have all that waits answered; return what was asked for."""
    asked = []
    for lane in Lane:
        while commands := desk.claim_articles(lane):
            asked += commands
            for command in commands:
                desk.save_enrichment(answer(command))
    return asked


def reprocess(desk: Desk) -> int:
    """Order what is stale; return how many articles are."""
    with transaction(desk.engine) as session:
        replay.order_job(session, stages=None, since=None, now=desk.now)
        return replay.advance_jobs(session, now=desk.now, max_waiting=1_000)


def found(desk: Desk) -> dict[str, Any]:
    """Return all that is stored of names, by words."""
    of_entity = Entity.id == ArticleEntity.entity_id
    queries = {
        "ledger": select(
            Enrichment.article_id,
            Enrichment.revision,
            Enrichment.pipeline_id,
            Enrichment.status,
            Enrichment.pass_number,
        ),
        "sums": select(
            ArticleEntity.article_id, ArticleEntity.revision, Entity.key
        ).join(Entity, of_entity),
        "mentions": select(
            Mention.article_id, Mention.revision, Mention.position, Mention.surface
        ),
        "hours": select(EntityHour.hour, Entity.key, EntityHour.n_articles)
        .join(Entity, Entity.id == EntityHour.entity_id)
        .where(EntityHour.n_articles > 0),
        "stories": select(StoryMember.article_id, StoryMember.story_id),
    }
    with reading(desk.engine) as session:
        return {
            name: sorted(map(tuple, session.execute(query)))
            for name, query in queries.items()
        }


def test_names_come_with_the_first_pass_and_better_ones_with_a_job(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    (first,) = work_through(desk)
    assert (first.lane, first.pass_number, len(first.pipelines)) == ("live", 1, 4)
    before = found(desk)
    assert {surface for *_, surface in before["mentions"]} == {"Title"}
    assert reprocess(desk) == 2
    (second,) = work_through(desk)
    assert (second.lane, second.pass_number) == ("bulk", 2)
    assert second.pipelines == (TWICE,)
    after = found(desk)
    assert {surface for *_, surface in after["mentions"]} == {"a", "b"}
    assert [key for _, _, key in after["sums"]] == ["org:a", "org:b"]
    assert {key for _, key, _ in after["hours"]} == {"org:a", "org:b"}
    assert after["stories"] == before["stories"]
    assert desk.count(Enrichment) == 2 * len(PIPELINES)
    assert desk.count(Enrichment, Enrichment.pass_number == 2) == 2
    assert desk.count(Outbox) == 0
    desk.assert_balanced()
    assert reprocess(desk) == 0


def test_a_late_first_pass_takes_no_better_names_away(desk: Desk) -> None:
    desk.poll(entry("a"))
    (first,) = work_through(desk)
    reprocess(desk)
    (second,) = work_through(desk)
    end = found(desk)
    for command in (first, second, first):
        saved = desk.save_enrichment(answer(command))
        assert (saved.n_saved, saved.n_repeated) == (0, 1)
        assert found(desk) == end
    assert desk.count(EnrichWork) == 0


@on_sqlite
def test_a_late_first_pass_is_no_answer_to_work_on_the_second(desk: Desk) -> None:
    desk.poll(entry("a"))
    (first,) = work_through(desk)
    reprocess(desk)
    (second,) = desk.claim_articles(Lane.BULK)
    desk.save_enrichment(answer(first))
    assert desk.one(EnrichWork).leased
    assert desk.claim_articles(Lane.BULK) == []
    desk.save_enrichment(answer(second))
    assert desk.count(EnrichWork) == 0


@on_sqlite
def test_a_new_text_begins_with_the_first_pass(desk: Desk) -> None:
    desk.poll(entry("a"))
    work_through(desk)
    reprocess(desk)
    work_through(desk)
    desk.poll(entry("a", article=article("a", title="New b")))
    (command,) = work_through(desk)
    assert (command.lane, command.pass_number) == ("live", 1)
    assert [surface for *_, surface in found(desk)["mentions"]] == ["New"]
    desk.assert_balanced()
    assert reprocess(desk) == 1
    work_through(desk)
    assert [row[1:] for row in found(desk)["mentions"]] == [(2, 0, "b")]
    desk.assert_balanced()


@on_sqlite
def test_a_text_that_changes_before_its_second_pass_gets_the_first_at_once(
    desk: Desk,
) -> None:
    desk.poll(entry("a"))
    work_through(desk)
    reprocess(desk)
    (late,) = desk.claim_articles(Lane.BULK)
    desk.poll(entry("a", article=article("a", title="New b")))
    assert desk.save_enrichment(answer(late)).n_superseded == 1
    (command,) = work_through(desk)
    assert (command.lane, command.pass_number) == ("live", 1)


@on_sqlite
def test_an_archive_gets_the_names_of_a_new_second_tier_in_one_go(
    migrated_url: str,
) -> None:
    desk = Desk(migrated_url)
    desk.poll(entry("a"))
    work_through(desk)
    desk.activate(WITH_SECOND)
    assert reprocess(desk) == 1
    (command,) = work_through(desk)
    assert (command.pass_number, command.pipelines) == (2, (TWICE,))
    assert reprocess(desk) == 0
    desk.activate(PIPELINES)
    assert reprocess(desk) == 0  # what the first tier found is there still
    desk.assert_balanced()
    desk.engine.dispose()


@on_sqlite
def test_without_a_second_tier_nothing_is_done_twice(migrated_url: str) -> None:
    desk = Desk(migrated_url)
    desk.poll(entry("a"))
    work_through(desk)
    assert reprocess(desk) == 0
    newer = replace(PIPELINES[0], version="2")
    desk.activate([newer, *PIPELINES[1:]])
    assert reprocess(desk) == 1
    (command,) = work_through(desk)
    assert (command.pass_number, command.pipelines) == (1, (newer,))
    assert desk.count(Enrichment, Enrichment.pass_number > 1) == 0
    desk.engine.dispose()


@on_sqlite
def test_what_failed_in_the_second_pass_is_replayed_in_it(desk: Desk) -> None:
    desk.poll(entry("a"))
    work_through(desk)
    before = found(desk)
    reprocess(desk)
    for _ in range(LIMITS.max_attempts):
        (command,) = desk.claim_articles(Lane.BULK)
        failed = ArticleFailed(
            article_id=command.articles[0].article_id,
            revision=1,
            error="ValueError",
            detail="at x.py:1",
        )
        desk.save_enrichment(replace(answer(command), articles=(), failed=(failed,)))
        desk.now += timedelta(hours=2)
    case = desk.one(Quarantine)
    assert found(desk) == before  # and what the first pass found is there still
    desk.assert_balanced()
    assert reprocess(desk) == 0
    with transaction(desk.engine) as session:
        quarantine.replay(session, [case.id], now=desk.now)
    (command,) = work_through(desk)
    assert (command.lane, command.pass_number) == ("bulk", 2)
    assert reprocess(desk) == 0


@on_sqlite
def test_messages_of_a_second_pass_hold_less(desk: Desk) -> None:
    desk.poll(*[entry(f"n{n}", article=article(f"n{n}", text=TEXT)) for n in range(4)])
    limits = replace(LIMITS, max_bytes=5 * len(TEXT))
    assert [len(one.articles) for one in claim(desk, Lane.LIVE, limits)] == [4]
    desk.now += timedelta(hours=1)
    work_through(desk)
    reprocess(desk)
    assert [len(one.articles) for one in claim(desk, Lane.BULK, limits)] == [1] * 4


def claim(desk: Desk, lane: Lane, limits: Limits) -> list[EnrichArticles]:
    with transaction(desk.engine) as session:
        return claims.claim_articles(session, lane=lane, now=desk.now, limits=limits)


def test_operators_see_which_pass_an_article_has_been_through(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    work_through(desk)
    assert seen(desk) == (1, 2, 2)
    reprocess(desk)
    work_through(desk)
    assert seen(desk) == (2, 2, 0)


def seen(desk: Desk) -> tuple[int, int, int]:
    """Return pass and passes of one article, and how many wait for their last one."""
    article_id = desk.one(Article, Article.title == "Title a").id
    with reading(desk.engine) as session:
        page = get_article(session, str(article_id))
        whole = status(session, now=desk.now)
    (line,) = (one for one in page.pipelines if one.stage == Stage.ENTITIES)
    (counted,) = (one for one in whole.pipelines if one.stage == Stage.ENTITIES)
    assert (counted.n_articles, counted.n_missing) == (2, 0)
    return line.pass_number, line.n_passes, counted.n_to_pass_again


STEPS = st.lists(st.sampled_from(["first", "second", "work", "order"]), max_size=6)


@on_sqlite
@given(steps=STEPS)
@example(steps=["second", "first", "order", "first", "work"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_in_whatever_order_ends_with_the_names_of_the_second_pass(
    desk: Desk, steps: list[str]
) -> None:
    clear(desk)
    desk.poll(entry("a"), entry("b"))
    (first,) = desk.claim_articles()
    events = {
        "first": answer(first),
        "second": answer(replace(first, pass_number=2)),
    }
    best = 0
    for step in [*steps, "work", "order", "work"]:
        desk.now += timedelta(hours=1)
        match step:
            case "order":
                reprocess(desk)
            case "work":
                work_through(desk)
            case _:
                desk.save_enrichment(events[step])
        # Nothing ever goes back to an earlier pass.
        now = max((row[-1] for row in found(desk)["ledger"]), default=0)
        assert now >= best
        best = now
    assert desk.count(Enrichment, Enrichment.pass_number == 2) == 2
    assert desk.count(Enrichment) == 2 * len(PIPELINES)
    end = found(desk)
    assert [surface for *_, surface in end["mentions"]] == ["a", "b"]
    assert [key for *_, key in end["sums"]] == ["org:a", "org:b"]
    assert desk.count(EnrichWork) == 0
    desk.assert_balanced()


def clear(desk: Desk) -> None:
    """Leave no rows: each example starts with an empty store."""
    kept = {"pipeline", "active_pipeline"}
    with transaction(desk.engine) as session:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in kept:
                session.execute(delete(table))
    desk.now = NOW


TEXT = (
    "Ada Brandt of the Harbour Trust opened the new bridge over the river on Tuesday"
    " in France, where the council had agreed with Siemens to rebuild it after the"
    " storms. Brandt said that the work by the engineers of Northwind Systems in"
    " Latakia had cost less than Der Spiegel had reported."
)


@cache
def tools() -> Tools:
    return make_tools(EnrichOptions(entity_tier="rules", entity_second_tier="crf"))


def test_what_is_stored_in_the_end_is_what_the_second_tier_finds(
    migrated_url: str,
) -> None:
    desk = Desk(migrated_url, pipelines=tools().pipelines)
    desk.poll(entry("a", article=article("a", title="Brandt opens bridge", text=TEXT)))
    mentions = []
    for lane, reorder in ((Lane.LIVE, False), (Lane.BULK, True)):
        if reorder:
            assert reprocess(desk) == 1
        (command,) = desk.claim_articles(lane)
        event = enrich(command, tools(), now=NOW)
        desk.save_enrichment(event)
        (answered,) = event.articles
        assert answered.entities is not None
        stored = [surface for *_, surface in found(desk)["mentions"]]
        assert stored == [one.surface for one in answered.entities.mentions]
        mentions.append(answered.entities.mentions)
    assert mentions[0] != mentions[1]
    assert desk.count(EnrichWork) == 0
    desk.assert_balanced()
    desk.engine.dispose()
