"""The schedule in the store: what polls teach is kept with the cursor, and once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.desk import Desk
from support.factories import NOW, article, entry, polled, rejected

from ingest.messages import Entry, PollOutcome
from services.cli.program import main
from services.planning import plan_poll
from store.cursor import Planner
from store.engine import transaction
from store.feeds import request_polls, set_state
from store.files import start_run
from store.models import Feed, Outbox, PollPart
from store.polling import fail_polls
from store.words import FeedState, RunKind

HOUR = timedelta(hours=1)


@dataclass
class Line(Desk):
    """A store whose feeds are planned as in the line."""

    plan: Planner = plan_poll

    def look(self, feed_id: int, *entries: Entry, **changes: object) -> None:
        """Poll a feed now."""
        with transaction(self.engine) as session:
            run = start_run(session, RunKind.POLL, "test", now=self.now)
            request_polls(session, [feed_id], run_id=run, now=self.now)
        (asked,) = self.claim_feeds()
        self.save_poll(
            polled(asked.poll_id, feed_id, *entries, polled_at=self.now, **changes)
        )

    def feed(self) -> Any:
        return self.one(Feed)


@pytest.fixture
def line(migrated_url: str) -> Iterator[Line]:
    made = Line(migrated_url)
    yield made
    made.engine.dispose()


def news(name: str, at: datetime | None) -> Entry:
    return entry(name, article=article(name, published_at=at))


def hourly(n: int, *, until: datetime = NOW) -> list[Entry]:
    return [news(f"h{n}", until - n * HOUR) for n in range(1, n + 1)]


def test_all_parts_of_a_poll_teach_and_each_of_them_once(line: Line) -> None:
    feed_id = line.add_feed()
    (asked,) = line.claim_feeds()
    whole = polled(asked.poll_id, feed_id, n_parts=2)
    first = replace(whole, entries=(news("a", NOW - HOUR), rejected()))
    second = replace(whole, part=1, document=None, entries=(news("b", NOW - 9 * HOUR),))
    for part in (second, second):
        line.save_poll(part)
        assert line.feed().rhythm is None
    line.save_poll(first)
    taught = line.feed().rhythm
    assert (taught["entries"], taught["window"]) == (2, 3)
    assert taught["seconds"] == 9 * 3600
    for part in (first, second):
        assert not line.save_poll(part)
    assert line.feed().rhythm == taught
    assert line.count(PollPart, PollPart.news.is_not(None)) == 2


def test_known_entries_and_new_texts_teach_nothing(line: Line) -> None:
    feed_id = line.add_feed()
    line.look(feed_id, *hourly(20))
    before = line.feed().rhythm
    line.now += HOUR / 2
    revised = entry("h1", article=article("h1", title="Another", published_at=line.now))
    line.look(feed_id, revised, *hourly(20)[1:])
    after = line.feed()
    assert after.rhythm["entries"] == pytest.approx(before["entries"], rel=0.01)
    assert after.rhythm["newest_at"] == before["newest_at"]
    assert after.n_unchanged == 0
    assert after.cause is not None


def test_a_lost_rhythm_is_learned_anew_from_stored_articles(line: Line) -> None:
    feed_id = line.add_feed()
    line.look(feed_id, *hourly(30))
    for lost in (None, {"format": -1}):
        with transaction(line.engine) as session:
            session.get_one(Feed, feed_id).rhythm = lost
        line.now += HOUR
        line.look(feed_id, outcome=PollOutcome.NOT_MODIFIED, document=None)
        assert line.feed().rhythm["entries"] == pytest.approx(30, rel=0.01)


def test_a_quiet_feed_is_flagged_once_and_its_news_end_that(line: Line) -> None:
    feed_id = line.add_feed()
    line.look(feed_id, *hourly(100))
    assert line.feed().unusual is None
    since = line.now + 40 * HOUR
    for hours in (40, 8):
        line.now += hours * HOUR
        line.look(feed_id, outcome=PollOutcome.NOT_MODIFIED, document=None)
        assert (line.feed().unusual, line.feed().unusual_since) == ("quiet", since)
    assert "entries were to be expected" in line.feed().unusual_reason
    line.now += HOUR
    line.look(feed_id, news("back", line.now - HOUR / 2))
    assert (line.feed().unusual, line.feed().unusual_reason) == (None, None)
    kinds = ["feed.unusual", "feed.usual"]
    for kind in kinds:
        event = line.one(Outbox, Outbox.kind == kind)
        assert (event.key, event.payload["flag"]) == (f"feed:{feed_id}", "quiet")


def test_a_dead_feed_is_probed_weekly_and_comes_back_by_itself(line: Line) -> None:
    feed_id = line.add_feed()
    for n in range(1, 31):
        line.look(feed_id, outcome=PollOutcome.NOT_FOUND, document=None)
        assert line.feed().n_errors == n
        assert line.feed().state == FeedState.ACTIVE
    feed = line.feed()
    assert (feed.liveness, feed.cause) == ("dead", "probe")
    assert 6 < (feed.next_poll_at - line.now).days + 1 <= 7
    line.now = feed.next_poll_at
    (asked,) = line.claim_feeds()
    line.save_poll(polled(asked.poll_id, feed_id, news("a", line.now - HOUR)))
    back = line.feed()
    assert (back.liveness, back.n_errors) == ("live", 0)
    assert back.next_poll_at - line.now <= timedelta(days=1)


def test_a_feed_that_is_gone_says_so_until_an_operator_resumes_it(line: Line) -> None:
    feed_id = line.add_feed()
    line.look(feed_id, outcome=PollOutcome.GONE, document=None)
    assert (line.feed().state, line.feed().liveness) == ("gone", "gone")
    with transaction(line.engine) as session:
        set_state(session, [feed_id], FeedState.ACTIVE, reason=None, now=line.now)
    assert (line.feed().liveness, line.feed().next_poll_at) == ("live", line.now)


def test_why_tells_what_decided(
    line: Line, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", line.url)

    def why(*options: str) -> str:
        assert main([*options, "feeds", "why", "https://feed.example/feed"]) == 0
        return capsys.readouterr().out

    feed_id = line.add_feed()
    assert json.loads(why("--json"))["because"] == "it was never polled"
    line.look(feed_id, *hourly(60), skip_days=(6,), min_interval_seconds=20 * 3600)
    facts = json.loads(why("--json"))
    assert (facts["cause"], facts["asked_seconds"]) == ("publisher", 20 * 3600)
    assert facts["skip_days"] == ["sunday"]
    assert len(facts["usual_entries_by_hour_of_week"]) == 168
    assert [one["n_new"] for one in facts["polls"]] == [60]
    shown = why()
    assert "its publisher asks for that distance" in shown
    assert "monday" in shown
    (asked,) = (_due(line, feed_id),)
    with transaction(line.engine) as session:
        fail_polls(session, [asked], error="Crash: out of memory", now=line.now)
    facts = json.loads(why("--json"))
    assert facts["because"] == "1 polls of it were never answered; it is tried again"


def _due(line: Line, feed_id: int) -> int:
    line.now = line.feed().next_poll_at
    (asked,) = line.claim_feeds()
    assert asked.feed_id == feed_id
    return asked.poll_id
