"""The simulator counts what a rule does, and tells other rules as they are."""

from random import Random
from typing import Any

import pytest

from benchmarks.simulate import RULES, figures, is_better, run_some, total
from benchmarks.simulate_clock import Tally, watch
from benchmarks.simulate_feeds import DAY, EPOCH, HOUR, MINUTE, SimulatedFeed, make_feed
from benchmarks.simulate_rules import Answer, DuplicateShare, EntryFrequency, Fixed
from ingest.messages import PollOutcome


class NoDice(Random):
    """Dice that never show an error."""

    def random(self) -> float:
        return 1.0


def feed(**changes: Any) -> SimulatedFeed:
    values: dict[str, Any] = {
        "number": 0,
        "kind": "steady",
        "host": 0,
        "published": [EPOCH + n * HOUR + 15.0 * MINUTE for n in range(48)],
        "window": 10,
        "dated": True,
        "unchanged": PollOutcome.NOT_MODIFIED,
        "min_interval": None,
        "throttles_below": 0,
        "outages": [],
        "gone_at": None,
        "first_poll_at": float(EPOCH),
    }
    return SimulatedFeed(**{**values, **changes})


def watched(rule: Any, days: int = 2, **changes: Any) -> Tally:
    tally = Tally()
    watch(feed(**changes), rule, tally, end=EPOCH + days * DAY, rng=NoDice())
    return tally


def answer(**changes: Any) -> Answer:
    values: dict[str, Any] = {
        "now": float(EPOCH),
        "outcome": PollOutcome.FETCHED,
        "found": [],
        "n_entries": 10,
        "retry_after": None,
        "min_interval": None,
    }
    return Answer(**{**values, **changes})


def test_hourly_polls_find_each_entry_after_the_rest_of_its_hour() -> None:
    tally = watched(Fixed())
    assert (tally.requests, tally.found, tally.missed) == (48, 48, 0)
    assert tally.quantile(0.5) == pytest.approx(45 * MINUTE, abs=5)


def test_entries_that_left_the_document_before_a_poll_are_missed() -> None:
    published = [EPOCH + 60.0 + n for n in range(25)]
    tally = watched(Fixed(), published=published)
    assert (tally.found, tally.missed) == (10, 15)


def test_an_outage_delays_what_is_published_in_it() -> None:
    tally = watched(
        Fixed(), published=[EPOCH + 100.0], outages=[(EPOCH, EPOCH + 5.5 * HOUR)]
    )
    assert tally.quantile(0.95) == pytest.approx(6 * HOUR - 100, abs=5)


def test_a_feed_that_is_given_up_loses_what_it_publishes_later() -> None:
    published = [EPOCH + n * HOUR - 7 * DAY + 900.0 for n in range(9 * 24)]
    outage = [(EPOCH + 3.5 * HOUR, EPOCH + 9 * HOUR)]
    tally = watched(EntryFrequency(), published=published, outages=outage, window=200)
    assert tally.stopped == 1
    assert (tally.found, tally.missed) == (3, 45)


def test_miniflux_divides_a_week_by_the_entries_of_the_last_one() -> None:
    rule = EntryFrequency()
    week = [EPOCH - n * HOUR - 1.0 for n in range(20, 0, -1)]
    assert rule.wait(answer(found=week)) == 504 * MINUTE
    assert rule.wait(answer(min_interval=12 * HOUR)) == 12 * HOUR
    assert rule.wait(answer(now=EPOCH + 8.0 * DAY)) == 24 * HOUR
    busy = [EPOCH + 8.0 * DAY + n for n in range(5_000)]
    assert rule.wait(answer(now=EPOCH + 8.1 * DAY, found=busy)) == 5 * MINUTE


def test_media_cloud_steps_by_the_share_of_known_entries() -> None:
    rule = DuplicateShare()
    fresh, known = answer(found=[1.0] * 10), answer(n_entries=0)
    assert rule.wait(known) == 6 * HOUR
    assert rule.wait(fresh) == 5 * HOUR
    assert rule.wait(known) == 5 * HOUR + 10 * MINUTE
    assert rule.wait(answer(found=[1.0] * 5)) == 5 * HOUR + 10 * MINUTE
    error = answer(outcome=PollOutcome.TIMEOUT, n_entries=0)
    assert [rule.wait(error) for _ in range(4)][3] == 2 * (5 * HOUR + 10 * MINUTE)


def test_the_population_is_the_same_for_the_same_seed() -> None:
    some = [make_feed(n, n_feeds=9, days=3, seed=s) for s in (1, 1, 2) for n in (0, 5)]
    assert some[0:2] == some[2:4] != some[4:6]
    assert all(one.published == sorted(one.published) for one in some)


def test_every_rule_is_run_on_every_feed_and_ours_gives_up_none() -> None:
    tallies, _ = run_some(0, n_feeds=20, days=2, seed=1)
    totals = {name: total(tallies, name) for name in RULES}
    entries = {tally.found + tally.missed for tally in totals.values()}
    assert len(entries) == 1
    for tally in totals.values():
        assert figures(tally, 2)["requests"] == sum(tally.hosts.values()) > 0
    ours = [tally for name, tally in totals.items() if name.startswith("wireroom")]
    assert [tally.stopped for tally in ours] == [0, 0, 0]
    requests = [tally.requests for tally in ours]
    assert requests == sorted(requests, reverse=True)


def test_better_means_sooner_in_the_middle_and_late_at_no_more_requests() -> None:
    one, other = watched(Fixed()), watched(Fixed(), first_poll_at=EPOCH + 600.0)
    assert is_better(other, one) is (other.quantile(0.5) < one.quantile(0.5))
    assert not is_better(one, one)
    other.requests = one.requests + 1
    assert not is_better(other, one)
    assert not is_better(one, other) or one.quantile(0.5) < other.quantile(0.5)
