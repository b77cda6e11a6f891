"""When a permanent redirect is believed."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from support.factories import HOUR, NOW, polled

from ingest.messages import PollOutcome
from store.moves import Redirected, redirected

NEW = "https://new.example/feed"


def polls(*steps: tuple[datetime, dict[str, Any]]) -> Redirected:
    """Return how it stands after these polls."""
    state = Redirected()
    for now, changes in steps:
        is_same = changes.pop("is_same", True)
        values = {"permanent_url": NEW, "permanent_key": "key", **changes}
        event = polled(1, 2, **values)
        state = redirected(state, event, is_same=is_same, now=now)
    return state


def test_three_polls_over_a_day_settle_a_move() -> None:
    last = NOW + 24 * HOUR
    assert polls((NOW, {}), (NOW + HOUR, {}), (last, {})).is_settled(last)


def test_three_polls_within_a_day_do_not() -> None:
    last = NOW + 24 * HOUR - timedelta(seconds=1)
    assert not polls((NOW, {}), (NOW + HOUR, {}), (last, {})).is_settled(last)


def test_two_polls_do_not_whatever_lies_between() -> None:
    last = NOW + 100 * HOUR
    assert not polls((NOW, {}), (last, {})).is_settled(last)


@pytest.mark.parametrize(
    "other",
    [
        {"permanent_url": None, "permanent_key": None},  # it answers where it was
        {"permanent_url": "https://else.example/"},
        {"is_same": None},  # the front page, say
        {"permanent_key": None},  # nothing that could be subscribed to
    ],
)
def test_one_poll_that_disagrees_starts_the_count_anew(other: dict[str, Any]) -> None:
    steps = [(NOW, {}), (NOW + HOUR, other), (NOW + 25 * HOUR, {})]
    after = polls(*steps)
    assert (after.n_polls, after.since) == (1, NOW + 25 * HOUR)


def test_another_feed_at_that_address_is_never_taken_for_ours() -> None:
    after = polls((NOW, {"is_same": False}), (NOW + HOUR, {}), (NOW + 30 * HOUR, {}))
    assert (after.n_polls, after.url) == (0, NEW)
    assert not after.is_settled(NOW + 30 * HOUR)
    there = {"permanent_url": "https://else.example/"}
    assert polls((NOW, {"is_same": False}), (NOW + HOUR, there)).n_polls == 1


def test_a_poll_that_nobody_answered_says_nothing_about_it() -> None:
    silent = {
        "http_status": None,
        "outcome": PollOutcome.TIMEOUT,
        "permanent_url": None,
    }
    after = polls((NOW, {}), (NOW + HOUR, silent), (NOW + 2 * HOUR, {}))
    assert (after.n_polls, after.since) == (2, NOW)
