"""Retention: old articles go, the books balance, and nothing returns as new."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from support.desk import Desk
from support.factories import HOUR, JUDGE, NOW, article, body, entry, polled, rejected

from store import retention
from store.engine import reading, transaction
from store.errors import NotFound
from store.forget import Forgotten
from store.models import (
    Article,
    ArticleEntity,
    Document,
    Duplicate,
    EnrichWork,
    EntityHour,
    Entry,
    Feed,
    IngestHour,
    Mention,
    Poll,
    Revision,
    Story,
    StoryMember,
    Tombstone,
)
from store.retention import Due, Scope
from store.search import search

DAY = timedelta(days=1)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def keep(desk: Desk, days: int | None, **scope: object) -> None:
    with transaction(desk.engine) as session:
        retention.set_policy(session, Scope(**scope), days, now=desk.now)  # type: ignore[arg-type]  # a feed or a tag


def plan(desk: Desk) -> list[Due]:
    with reading(desk.engine) as session:
        return retention.plan(session, now=desk.now)


def forget(desk: Desk) -> Forgotten:
    gone = retention.apply(desk.engine, plan(desk), judge=JUDGE, now=desk.now)
    return sum(gone, Forgotten())


def later(desk: Desk, days: int) -> None:
    """Let time pass in which no feed becomes due."""
    desk.now += days * DAY
    with transaction(desk.engine) as session:
        session.execute(update(Feed).values(next_poll_at=desk.now + 1000 * DAY))


def tag(desk: Desk, feed_id: int, *tags: str) -> None:
    with transaction(desk.engine) as session:
        session.execute(update(Feed).where(Feed.id == feed_id).values(tags=list(tags)))


def test_without_a_policy_everything_stays(desk: Desk) -> None:
    desk.poll(entry("a"))
    later(desk, 1000)
    assert plan(desk) == []


def test_a_plan_counts_and_deletes_nothing(desk: Desk) -> None:
    feed_id = desk.poll(entry("a"), entry("b"))
    keep(desk, 30)
    later(desk, 31)
    (due,) = plan(desk)
    assert (due.feed_id, due.scope, due.n_articles) == (feed_id, "all", 2)
    assert desk.count(Article) == 2


def test_an_old_article_that_came_today_stays(desk: Desk) -> None:
    desk.poll(entry("a", article=article("a", published_at=NOW - 9000 * DAY)))
    keep(desk, 30)
    later(desk, 29)
    assert plan(desk) == []


def test_what_is_past_its_time_goes_with_all_that_was_made_of_it(desk: Desk) -> None:
    desk.poll(entry("a"), entry("b"))
    desk.poll(rejected(), feed="other")
    desk.enrich()
    keep(desk, 30)
    later(desk, 31)
    assert forget(desk) == Forgotten(n_articles=2, n_entries=2, n_documents=1)
    for model in (
        Article,
        Revision,
        Mention,
        ArticleEntity,
        EntityHour,
        IngestHour,
        StoryMember,
        EnrichWork,
    ):
        assert desk.count(model) == 0, model
    assert desk.count(Entry) == 1  # the rejected one, which has no article
    assert forget(desk) == Forgotten()


def test_the_document_of_a_rejected_entry_stays(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.poll(rejected(), feed="other")
    keep(desk, 30)
    later(desk, 31)
    assert forget(desk).n_documents == 1
    assert desk.count(Document) == 1
    assert desk.count(Poll, Poll.document_sha256.is_not(None)) == 1


def test_deleted_entries_never_return_as_new(desk: Desk) -> None:
    feed_id = desk.poll(entry("a"))
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    desk.poll(entry("a"), entry("new"))
    assert desk.count(Article) == 1
    last = desk.one(Poll, Poll.feed_id == feed_id, Poll.n_seen == 2)
    assert (last.n_new, last.n_unchanged) == (1, 1)


@pytest.mark.parametrize(
    "again",
    [
        # another key, the same link
        entry("a", key="guid:other"),
        # a text that has changed since
        entry("a", article=article("a", text=body("changed"))),
        # the same page under keys that were never seen
        entry("a", key="guid:other", aliases=()),
    ],
    ids=["by-alias", "changed", "by-page"],
)
def test_they_are_known_by_whatever_they_come_with(desk: Desk, again: object) -> None:
    desk.poll(entry("a"))
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    desk.poll(again)  # type: ignore[arg-type]  # an entry
    assert desk.count(Article) == 0


def test_the_same_page_from_another_feed_does_not_return_either(desk: Desk) -> None:
    desk.poll(entry("a"))
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    desk.poll(entry("x", article=article("a")), feed="other")
    assert desk.count(Article) == 0


def test_a_key_of_one_feed_is_no_key_of_another(desk: Desk) -> None:
    desk.poll(entry("a"))
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    desk.poll(entry("a", article=article("elsewhere")), feed="other")
    assert desk.count(Article) == 1


def test_the_most_specific_policy_counts(desk: Desk) -> None:
    short, long = desk.poll(entry("a")), desk.poll(entry("b"), feed="long")
    own, other = desk.poll(entry("c"), feed="own"), desk.poll(entry("d"), feed="other")
    tag(desk, short, "daily")
    tag(desk, long, "daily", "archive")
    tag(desk, own, "archive")
    keep(desk, 60)
    keep(desk, 30, tag="daily")
    keep(desk, None, tag="archive")
    keep(desk, 10, feed_id=own)
    later(desk, 31)
    scopes = {one.feed_id: one.scope for one in plan(desk)}
    assert scopes == {short: "tag:daily", own: f"feed:{own}"}
    later(desk, 30)
    assert {one.feed_id for one in plan(desk)} == {short, own, other}


def test_the_copies_of_a_deleted_original_get_another_one(desk: Desk) -> None:
    text = body("same")
    first = desk.poll(entry("a", article=article("a", title="T", text=text)))
    for name, hours in (("b", 1), ("c", 2)):
        copy = article(name, title="T", text=text, published_at=NOW + hours * HOUR)
        desk.poll(entry(name, article=copy), feed=name)
    desk.enrich()
    assert desk.count(Duplicate) == 2
    keep(desk, 30, feed_id=first)
    later(desk, 31)
    forget(desk)
    left = desk.one(Duplicate)
    with reading(desk.engine) as session:
        ids = list(session.scalars(select(Article.id).order_by(Article.sort_at)))
    assert (left.original_id, left.article_id) == tuple(ids)
    assert desk.count(StoryMember, StoryMember.role == "copy") == 1


def test_a_story_shrinks_and_an_empty_one_takes_nobody_in(desk: Desk) -> None:
    first = desk.poll(entry("a", article=article("a", title="One storm")))
    other = article("b", title="Two storm", published_at=NOW + HOUR)
    second = desk.poll(entry("b", article=other), feed="second")
    desk.enrich()
    story = desk.one(Story)
    assert story.n_articles == 2
    keep(desk, 30, feed_id=first)
    later(desk, 31)
    forget(desk)
    shrunk = desk.one(Story)
    assert (shrunk.n_articles, shrunk.first_at) == (1, NOW + HOUR)
    keep(desk, 30, feed_id=second)
    forget(desk)
    desk.poll(entry("c", article=article("c", title="Three storm")), feed="third")
    desk.enrich()
    assert desk.one(StoryMember).story_id != story.id


def test_search_forgets_too(desk: Desk) -> None:
    desk.poll(entry("a"))
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    with reading(desk.engine) as session:
        assert not search(session, "title", now=desk.now, limit=10)


def test_results_that_come_for_a_deleted_article_are_not_used(desk: Desk) -> None:
    from support.factories import enriched  # noqa: PLC0415  # one test needs it

    desk.poll(entry("a"))
    (command,) = desk.claim_articles()
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    assert desk.save_enrichment(enriched(command)).n_superseded == 1
    assert desk.count(ArticleEntity) == 0


def test_a_redelivered_poll_of_deleted_articles_changes_nothing(desk: Desk) -> None:
    feed_id = desk.poll(entry("a"))
    poll = desk.one(Poll)
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    assert not desk.save_poll(polled(poll.id, feed_id, entry("a")))
    assert desk.count(Tombstone, Tombstone.outcome.is_not(None)) == 1


def test_the_number_of_a_deleted_article_is_not_given_again(desk: Desk) -> None:
    desk.poll(entry("a"))
    before = desk.one(Article).id
    keep(desk, 30)
    later(desk, 31)
    forget(desk)
    desk.poll(entry("b"))
    assert desk.one(Article).id > before


def test_a_policy_can_be_changed_and_taken_back(desk: Desk) -> None:
    keep(desk, 30)
    keep(desk, 60)
    with transaction(desk.engine) as session:
        (policy,) = retention.list_policies(session)
        assert (policy.scope, policy.keep_days) == ("all", 60)
        retention.remove_policy(session, Scope())
        assert retention.list_policies(session) == []
        with pytest.raises(NotFound):
            retention.remove_policy(session, Scope())


def test_a_policy_for_a_feed_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        keep(desk, 30, feed_id=99)
    with pytest.raises(ValueError, match="no number of days"):
        keep(desk, 0)
