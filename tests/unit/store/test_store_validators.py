"""What is learnt of the validators of a feed."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from support.factories import NOW, polled

from ingest.messages import PollOutcome
from store.validators import (
    CHECK_AFTER,
    CHECK_EVERY,
    CHECK_LEAST,
    conditions,
    is_check_due,
    learn,
)
from store.words import Trust


def feed(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "etag": '"1"',
        "last_modified": "then",
        "validators": Trust.TRUSTED,
        "validators_reason": None,
        "n_not_modified": 0,
        "n_ignored": 0,
        "full_at": NOW,
    }
    return SimpleNamespace(**{**values, **changes})


def after(of: Any, n_news: int = 0, **event: Any) -> Any:
    """Return the feed as it is after a poll."""
    values = {"outcome": PollOutcome.UNCHANGED, "conditional": True, **event}
    learnt = learn(of, polled(1, 2, **values), n_news=n_news, now=NOW)
    return SimpleNamespace(**{**vars(of), **learnt})


def test_validators_are_sent_byte_for_byte() -> None:
    sent = conditions(feed(etag='W/"a, b\\"'), now=NOW)
    assert sent == {"etag": 'W/"a, b\\"', "last_modified": "then", "verify": False}


def test_about_one_304_in_a_hundred_is_checked() -> None:
    assert not is_check_due(CHECK_EVERY - 1, NOW, now=NOW)
    assert is_check_due(CHECK_EVERY, NOW, now=NOW)


def test_a_feed_that_is_polled_seldom_is_checked_once_a_week() -> None:
    old = NOW - CHECK_AFTER
    assert is_check_due(CHECK_LEAST, old, now=NOW)
    assert not is_check_due(CHECK_LEAST - 1, old, now=NOW)
    assert not is_check_due(CHECK_LEAST, old + timedelta(seconds=1), now=NOW)
    assert not is_check_due(CHECK_LEAST, None, now=NOW)


def test_304s_are_counted_until_a_body_comes() -> None:
    one = feed()
    for _ in range(3):
        one = after(one, outcome=PollOutcome.NOT_MODIFIED, etag='"1"')
    assert one.n_not_modified == 3
    assert after(one).n_not_modified == 0
    assert after(one, outcome=PollOutcome.TIMEOUT).n_not_modified == 3


def test_validators_that_change_with_a_304_or_an_old_body_are_kept() -> None:
    for outcome in (PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED):
        one = after(feed(), outcome=outcome, etag='"2"', last_modified="now")
        assert (one.etag, one.last_modified) == ('"2"', "now")


def test_half_a_validator_is_none() -> None:
    assert after(feed(), etag="a\x00b").etag is None


def test_a_feed_whose_304_hid_news_is_asked_without_validators() -> None:
    one = after(feed(), n_news=2, outcome=PollOutcome.FETCHED, after_304=True)
    assert one.validators == Trust.LYING
    assert one.validators_reason == (
        "on 2026-03-04 it answered 304 Not Modified although 2 entries were new or "
        "changed"
    )
    assert conditions(one, now=NOW) == {"etag": None, "last_modified": None}


def test_a_liar_stays_one_whatever_it_sends() -> None:
    one = after(feed(validators=Trust.LYING, etag=None), etag='"9"', conditional=False)
    assert (one.validators, one.etag) == (Trust.LYING, None)


@pytest.mark.parametrize("outcome", [PollOutcome.FETCHED, PollOutcome.UNCHANGED])
def test_a_body_that_hid_no_news_is_no_lie(outcome: PollOutcome) -> None:
    one = after(feed(n_not_modified=100), outcome=outcome, after_304=True)
    assert (one.validators, one.n_not_modified, one.n_ignored) == (Trust.TRUSTED, 0, 0)


def test_a_server_that_sends_three_bodies_for_nothing_ignores_validators() -> None:
    one = feed()
    seen = []
    for outcome in (PollOutcome.UNCHANGED, PollOutcome.FETCHED, PollOutcome.UNCHANGED):
        one = after(one, outcome=outcome)
        seen.append(one.validators)
    assert seen == [Trust.TRUSTED, Trust.TRUSTED, Trust.IGNORED]
    assert one.validators_reason is not None
    # They are sent all the same, and what it says then counts.
    assert conditions(one, now=NOW)["etag"] is not None
    assert after(one, outcome=PollOutcome.NOT_MODIFIED).validators == Trust.TRUSTED
    assert after(one, n_news=1, outcome=PollOutcome.FETCHED).n_ignored == 0


def test_a_body_that_nobody_asked_conditionally_ignores_nothing() -> None:
    assert after(feed(), conditional=False).n_ignored == 0


def test_an_error_teaches_nothing() -> None:
    assert vars(after(feed(), outcome=PollOutcome.HTTP_ERROR)) == vars(feed())
