"""Stories reviewed: one event is one story, whatever came when, and its id stays."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from support.desk import Desk
from support.factories import NOW, article, body, enriched, entry

from enrich.messages import ArticlesEnriched, EnrichArticles, StoryFeatures
from enrich.stories.features import index_keys, unit_terms
from services.cli.output import ExitCode
from services.cli.program import main
from services.judging import JUDGE
from store import queries
from store.engine import reading, transaction
from store.judge import Clusterer
from store.maintenance import maintain
from store.models import Article, Story, StoryEvent, StoryKey, StoryMember, StoryVector
from store.night import Keep, Report
from store.readonly import run_sql
from store.regroup import review_stories
from store.words import MemberRole, StoryEventKind

# What articles are about, by the first letters of their titles.
ABOUT = {
    "storm": {"storm": 1.0},
    "trial": {"trial": 1.0, "court": 0.2},
    "both": {"storm": 0.7, "trial": 0.7, "court": 0.14},
    "gale": {"storm": 0.8, "trial": 0.6},
    "rain": {"rain": 0.98, "storm": 0.2},
    "stormy": {"storm": 0.7, "rain": 0.7},
}


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url, judge=JUDGE)
    yield made
    made.engine.dispose()


@pytest.fixture
def ask(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Run a command on the desk's database; return all that it prints."""
    monkeypatch.setenv("WIREROOM_DATABASE_URL", desk.url)

    def run(*argv: str, code: ExitCode = ExitCode.OK) -> str:
        assert main(list(argv)) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


def about(title: str) -> StoryFeatures:
    terms = unit_terms(ABOUT[title.split()[1].split("-", maxsplit=1)[0]], 60)
    return StoryFeatures(terms=terms, keys=index_keys(terms))


def described(command: EnrichArticles) -> ArticlesEnriched:
    titles = {one.article_id: one.title for one in command.articles}
    event = enriched(command)
    articles = (
        replace(one, features=about(titles[one.article_id])) for one in event.articles
    )
    return replace(event, articles=tuple(articles))


def bring(desk: Desk, *names: str, hours: int = 0, feed: str = "") -> None:
    """Store and enrich articles in one batch, an hour apart from each other."""
    entries = [
        entry(
            name,
            article=article(
                name,
                text=body(name),
                published_at=NOW + timedelta(hours=hours + number),
            ),
        )
        for number, name in enumerate(names)
    ]
    desk.poll(*entries, feed=feed or "-".join(names)[:40])
    for command in desk.claim_articles():
        desk.save_enrichment(described(command))


def review(desk: Desk, clusterer: Clusterer = JUDGE.stories, *, most: int = 20) -> int:
    """Review until nothing is left; return how many stories were changed."""
    total = 0
    for _ in range(50):
        with transaction(desk.engine) as session:
            step = review_stories(
                session,
                clusterer=clusterer,
                now=desk.now,
                most=most,
            )
        total += step.n_changed
        if step.is_done:
            return total
    raise AssertionError("reviews do not come to an end")


def stories(desk: Desk) -> dict[str, int]:
    """Return the story of each article by its name."""
    query = select(Article.title, StoryMember.story_id).join(
        StoryMember, StoryMember.article_id == Article.id
    )
    with reading(desk.engine) as session:
        rows = session.execute(query).all()
    return {title.removeprefix("Title "): story_id for title, story_id in rows}


def partition(desk: Desk) -> set[frozenset[str]]:
    found: dict[int, set[str]] = {}
    for name, story_id in stories(desk).items():
        found.setdefault(story_id, set()).add(name)
    return {frozenset(names) for names in found.values()}


def events(desk: Desk, kind: StoryEventKind) -> list[StoryEvent]:
    with reading(desk.engine) as session:
        query = select(StoryEvent).where(StoryEvent.kind == kind)
        return list(session.scalars(query.order_by(StoryEvent.id)))


def test_two_stories_become_one_when_it_shows_that_they_are(desk: Desk) -> None:
    bring(desk, "storm-a")
    bring(desk, "rain-b", hours=1)
    bring(desk, "stormy-c", hours=2)
    before = stories(desk)
    assert before["storm-a"] != before["rain-b"]
    assert review(desk) > 0
    after = set(stories(desk).values())
    assert len(after) == 1
    (kept,) = after
    (gone,) = set(before.values()) - after
    (event,) = events(desk, StoryEventKind.MERGED)
    assert (event.story_id, event.other_story_id) == (gone, kept)
    assert events(desk, StoryEventKind.MOVED) == []
    closed = desk.one(Story, Story.id == gone)
    assert (closed.merged_into, closed.n_articles) == (kept, 0)
    assert desk.count(StoryKey, StoryKey.story_id == gone) == 0
    story = desk.one(Story, Story.id == kept)
    assert (story.n_articles, story.title) == (3, "Title storm-a")
    with reading(desk.engine) as session:
        found = queries.find_story(session, gone)
        assert found is not None
        assert found.id == kept
        listed = queries.list_articles(session, story_id=gone)
    assert len(listed) == 3
    desk.assert_balanced()


def test_one_story_becomes_two_when_it_shows_that_it_holds_two(desk: Desk) -> None:
    bring(desk, "both-a")
    bring(desk, "storm-b", "trial-c", hours=1)
    assert len(set(stories(desk).values())) == 1
    (old,) = set(stories(desk).values())
    bring(desk, "storm-d", "trial-e", "storm-f", "trial-g", hours=3)
    review(desk)
    found = stories(desk)
    assert partition(desk) in (
        {
            frozenset(["both-a", "storm-b", "storm-d", "storm-f"]),
            frozenset(["trial-c", "trial-e", "trial-g"]),
        },
        {
            frozenset(["both-a", "trial-c", "trial-e", "trial-g"]),
            frozenset(["storm-b", "storm-d", "storm-f"]),
        },
    )
    assert old in found.values()
    (event,) = events(desk, StoryEventKind.SPLIT)
    assert event.other_story_id == old
    new = desk.one(Story, Story.id == event.story_id)
    first = desk.one(Article, Article.id == event.article_id)
    assert new.title == first.title
    roles = StoryMember.role == MemberRole.OPENER
    assert desk.count(StoryMember, roles) == 2
    desk.assert_balanced()


ARRIVALS = (
    *("storm-a", "gale-b", "trial-c", "storm-d", "trial-e", "rain-f", "storm-g"),
    *("trial-h", "rain-i"),
)
ON_ONE_EVENT = {
    frozenset(["storm-a", "gale-b", "storm-d", "storm-g"]),
    frozenset(["trial-c", "trial-e", "trial-h"]),
    frozenset(["rain-f", "rain-i"]),
}


@pytest.mark.parametrize("size", [1, 4, 9])
def test_the_order_of_arrival_does_not_matter_after_reviews(
    desk: Desk, size: int
) -> None:
    hours = {name: number for number, name in enumerate(ARRIVALS)}
    order = ["gale-b", *sorted(set(ARRIVALS) - {"gale-b"}, key=str.swapcase)]
    for start in range(0, len(order), size):
        for name in order[start : start + size]:
            bring(desk, name, hours=hours[name])
        review(desk)
    assert partition(desk) == ON_ONE_EVENT


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_within_a_batch_does_not_matter(desk: Desk, turned: bool) -> None:  # noqa: FBT001
    entries = [
        entry(
            name,
            article=article(
                name, text=body(name), published_at=NOW + timedelta(hours=hour)
            ),
        )
        for hour, name in enumerate(ARRIVALS)
    ]
    desk.poll(*entries)
    for command in desk.claim_articles():
        event = described(command)
        articles = event.articles[::-1] if turned else event.articles
        desk.save_enrichment(replace(event, articles=articles))
    # By time, the gale connects what the last trial and the last storm would not.
    rain = frozenset(["rain-f", "rain-i"])
    assert partition(desk) == {rain, frozenset(ARRIVALS) - rain}


def test_a_second_review_changes_nothing(desk: Desk) -> None:
    bring(desk, *ARRIVALS)
    review(desk)
    before = stories(desk)
    n_events = desk.count(StoryEvent)
    assert review(desk) == 0
    assert (stories(desk), desk.count(StoryEvent)) == (before, n_events)
    assert desk.count(Story, Story.is_due) == 0


def test_an_earlier_article_that_comes_late_opens_the_story(desk: Desk) -> None:
    bring(desk, "storm-late", hours=5)
    bring(desk, "storm-early")
    review(desk)
    opener = desk.one(StoryMember, StoryMember.role == MemberRole.OPENER)
    first = desk.one(Article, Article.title == "Title storm-early")
    assert opener.article_id == first.id
    assert desk.one(Story).title == first.title
    assert desk.one(Story).first_at == first.sort_at


def test_a_rewritten_article_goes_where_its_text_belongs(desk: Desk) -> None:
    bring(desk, "storm-a", "storm-b", "trial-c", "trial-d")
    story = stories(desk)
    changed = article("storm-b", title="Title trial-now", text=body("another text"))
    desk.poll(entry("storm-b", article=changed), feed="storm-a-storm-b-trial-c-trial-d")
    for command in desk.claim_articles():
        desk.save_enrichment(described(command))
    assert stories(desk)["trial-now"] == story["storm-b"]
    review(desk)
    assert stories(desk)["trial-now"] == story["trial-c"]
    (event,) = events(desk, StoryEventKind.MOVED)
    assert (event.story_id, event.other_story_id) == (
        story["trial-c"],
        story["storm-b"],
    )
    desk.assert_balanced()


def test_copies_go_where_their_originals_are(desk: Desk) -> None:
    bring(desk, "rain-a")
    bring(desk, "storm-b", hours=1)
    bring(desk, "storm-copy", hours=2)
    copied = article("rain-wire", text=body("rain-a"), published_at=NOW + timedelta(5))
    desk.poll(entry("rain-wire", article=copied), feed="papers")
    for command in desk.claim_articles():
        desk.save_enrichment(described(command))
    found = stories(desk)
    assert found["rain-wire"] == found["rain-a"]
    bring(desk, "stormy-c", hours=3)
    review(desk)
    found = stories(desk)
    assert found["rain-wire"] == found["rain-a"] == found["storm-b"]
    assert desk.one(Story, Story.merged_into.is_(None)).n_articles == 4
    desk.assert_balanced()


def test_a_large_story_is_moved_as_a_whole(desk: Desk) -> None:
    whole = replace(JUDGE.stories, max_taken_apart=2)
    bring(desk, "storm-a", "storm-b", "storm-c")
    bring(desk, "rain-d", hours=4)
    bring(desk, "stormy-e", hours=5)
    kept = stories(desk)["storm-a"]
    review(desk, whole)
    assert set(stories(desk).values()) == {kept}
    story = desk.one(Story, Story.id == kept)
    assert (story.n_articles, story.title) == (5, "Title storm-a")
    assert desk.count(StoryMember, StoryMember.role == MemberRole.OPENER) == 1
    desk.assert_balanced()


def test_what_an_article_is_about_may_be_gone(desk: Desk) -> None:
    bring(desk, "storm-a", "storm-b")
    bring(desk, "rain-c", hours=3)
    with transaction(desk.engine) as session:
        session.query(StoryVector).delete()
    bring(desk, "stormy-d", hours=4)
    review(desk)
    assert len(set(stories(desk).values())) == 1
    desk.assert_balanced()


def test_steps_are_small_and_lead_to_the_same_end(desk: Desk) -> None:
    bring(desk, *ARRIVALS)
    review(desk, most=1)
    assert partition(desk) == ON_ONE_EVENT


def close(desk: Desk) -> Report:
    keep = Keep(polls_days=90, audit_log_days=90, story_days=30, index_days=90)
    return maintain(desk.engine, keep=keep, judge=JUDGE, now=desk.now)


def test_a_story_without_a_change_for_long_is_closed(desk: Desk) -> None:
    bring(desk, "storm-a", "storm-b", feed="one")
    review(desk)
    (old,) = set(stories(desk).values())
    desk.now += timedelta(days=29)
    bring(desk, "trial-c", feed="one")
    desk.now += timedelta(days=2)
    report = close(desk)
    assert (report.stories, report.vectors) == (1, 2)
    assert desk.count(StoryVector) == 1
    bring(desk, "storm-d", hours=4, feed="one")
    found = stories(desk)
    assert found["storm-a"] == found["storm-b"] == old != found["storm-d"]
    again = close(desk)
    assert (again.stories, again.vectors) == (0, 0)
    desk.assert_balanced()


def test_a_story_is_shown_with_its_articles_and_what_happened(
    desk: Desk, ask: Callable[..., str]
) -> None:
    bring(desk, "storm-a")
    bring(desk, "rain-b", hours=1)
    bring(desk, "stormy-c", hours=2)
    gone = set(stories(desk).values())
    review(desk)
    (kept,) = set(stories(desk).values())
    (gone_id,) = gone - {kept}
    shown = json.loads(ask("story", str(gone_id), "--json"))
    assert (shown["id"], shown["n_articles"]) == (kept, 3)
    assert [one["kind"] for one in shown["turns"]] == [
        *("merged", "joined", "opened", "opened")
    ]
    assert len(shown["articles"]) == 3
    told = ask("story", str(kept))
    assert "Title storm-a" in told
    assert "merged" in told
    assert "no story 999" in ask("story", "999", code=ExitCode.PROBLEMS)
    first = json.loads(ask("explain", str(shown["articles"][-1]["id"]), "--json"))
    assert [one["kind"] for one in first["story"]["turns"]] == ["merged", "opened"]


def test_events_are_rows_that_operators_can_ask_for(desk: Desk) -> None:
    bring(desk, "storm-a", "storm-b")
    asked = "SELECT kind, story_id, article_id FROM v_story_events ORDER BY id"
    found = run_sql(desk.url, asked, time_limit_seconds=15, row_limit=10)
    (story,) = set(stories(desk).values())
    assert [row[:2] for row in found.rows] == [("opened", story), ("joined", story)]
