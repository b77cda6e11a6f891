"""`feeds why` says when a feed is due and what decided that."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.rhythm import observe
from ingest.schedule import REASONS, Cause
from services.cli.why import because, explain
from store.queries.schedule import FeedSchedule

NOW = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def feed(**changes: Any) -> FeedSchedule:
    values: dict[str, Any] = dict.fromkeys(FeedSchedule.__dataclass_fields__)
    values |= {
        "id": 7,
        "url": "https://a.test/rss",
        "state": "active",
        "liveness": "live",
        "cause": "pace",
        "next_poll_at": NOW + HOUR,
        "interval_seconds": 5_000,
        "last_polled_at": NOW - HOUR / 2,
        "n_errors": 0,
        "n_unchanged": 0,
        "attempts": 0,
    }
    return FeedSchedule(**values | changes)


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_its_sentence(cause: Cause) -> None:
    assert because(feed(cause=cause), now=NOW) == REASONS[cause]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"last_polled_at": None}, "it was never polled"),
        ({"lease_until": NOW + HOUR}, "a poll of it is under way"),
        ({"requested_run_id": 3}, "run 3 has asked for it"),
        (
            {"attempts": 2, "lease_until": NOW - HOUR},
            "2 polls of it were never answered; it is tried again",
        ),
        ({"cause": None}, "an operator made it due, or an older version of wireroom"),
        (
            {"state": "gone", "reason": "410"},
            "it is not polled, because it is gone: 410",
        ),
    ],
)
def test_what_goes_on_beside_the_schedule_comes_first(
    changes: dict[str, Any], sentence: str
) -> None:
    assert because(feed(**changes), now=NOW) == sentence


def test_a_feed_that_is_not_polled_has_no_time_to_be_due() -> None:
    assert explain(feed(state="paused"), now=NOW)["due_at"] is None
    assert explain(feed(), now=NOW)["due_at"] == NOW + HOUR


def test_dice_are_told_apart_from_the_plan_and_from_what_was_asked() -> None:
    assert explain(feed(), now=NOW)["jitter_seconds"] == 400
    assert explain(feed(cause="server"), now=NOW)["jitter_seconds"] is None


def test_the_rhythm_says_what_is_usual_and_when_more_is_to_be_expected() -> None:
    at = NOW.timestamp()
    published = [at - n * 7_200.0 - 60 for n in range(84)]
    rhythm = observe(None, published=published, window=50, now=at)
    facts = explain(feed(rhythm=rhythm.as_json()), now=NOW)
    assert facts["entries_a_week"] == pytest.approx(84, rel=0.1)
    assert facts["next_entry_expected_at"] - NOW == pytest.approx(
        2 * HOUR, abs=HOUR / 4
    )
    assert facts["newest_entry_at"] == NOW - timedelta(seconds=60)
    assert facts["document_holds"] == 50
    assert sum(facts["usual_entries_by_hour_of_week"]) == pytest.approx(
        facts["entries_a_week"], abs=1
    )


def test_what_the_publisher_asks_for_is_told_in_words() -> None:
    hints = {"min_interval_seconds": 900, "skip_hours": [3], "skip_days": [5, 6]}
    facts = explain(feed(hints=hints), now=NOW)
    assert facts["publisher_seconds"] == 900
    assert (facts["skip_hours"], facts["skip_days"]) == ([3], ["saturday", "sunday"])
