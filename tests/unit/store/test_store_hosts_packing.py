"""Feeds of one host go out together, and one that was lost before goes alone."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.factories import NOW, polled

from ingest.messages import PollOutcome, host_of
from store.hosts import UNTOLD_PAUSE, asked_pause, leave_suspects, pack


def row(host: str, attempts: int = 0) -> Any:
    return SimpleNamespace(host=host, attempts=attempts)


ROWS = st.lists(st.builds(row, st.sampled_from("abcdefg"), st.integers(0, 1)))


@given(ROWS, st.integers(1, 12))
def test_a_host_is_in_one_message_and_no_message_is_too_long(
    rows: list[Any], per_host: int
) -> None:
    few = [one for host in "abcdefg" for one in of_host(rows, host)[:per_host]]
    chosen = leave_suspects(few)
    batches = pack(chosen, per_host)
    assert sorted(map(id, chosen)) == sorted(id(one) for b in batches for one in b)
    assert all(len(batch) <= per_host for batch in batches)
    hosts = [host for batch in batches for host in {one.host for one in batch}]
    assert len(hosts) == len(set(hosts))
    assert all(len(b) == 1 for b in batches if any(one.attempts for one in b))
    assert {one.host for one in few} == set(hosts)


def of_host(rows: list[Any], host: str) -> list[Any]:
    return [one for one in rows if one.host == host]


def test_a_suspect_goes_when_it_is_the_longest_due_and_waits_while_it_is_not() -> None:
    first, second, third = row("a"), row("a", 1), row("a")
    assert leave_suspects([first, second, third]) == [first, third]
    assert leave_suspects([second, first, third]) == [second]


def test_messages_are_filled() -> None:
    rows = [row(host) for host in "aaabbcd"]
    assert sorted(len(batch) for batch in pack(rows, 4)) == [3, 4]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://News.Example/feed", "news.example"),
        ("http://news.example:80/", "news.example"),
        ("https://news.example:443/", "news.example"),
        ("https://news.example:8443/", "news.example:8443"),
        ("http://news.example:443/", "news.example:443"),
        ("http://news.example./", "news.example"),
        ("http://user:secret@news.example/", "news.example"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://[2001:DB8::1]/", "[2001:db8::1]"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://127.0.0.1:9/", "127.0.0.1:9"),
        ("files:", ""),
        ("http://a:99999999/", ""),
        ("http://[::1/", ""),
        ("http://\u0627." + "\u0627" * 80 + "/", ""),
    ],
)
def test_a_host_has_one_spelling(url: str, host: str) -> None:
    assert host_of(url) == host


def answer(status: int, wait: int | None = None, **changes: Any) -> Any:
    return polled(
        1,
        2,
        http_status=status,
        outcome=changes.pop("outcome", PollOutcome.THROTTLED),
        retry_after_seconds=wait,
        **changes,
    )


def test_a_host_rests_for_as_long_as_it_asked() -> None:
    for status in (429, 503):
        pause = asked_pause(answer(status, 90), now=NOW)
        assert pause is not None
        assert pause.host == "news.example"
        assert (pause.until - NOW).total_seconds() == 90
        asked = f"it answered {status} and asked us to wait for 90 s"
        assert pause.reason == asked


def test_a_host_that_names_no_time_rests_only_if_it_said_too_many() -> None:
    pause = asked_pause(answer(429), now=NOW)
    assert pause is not None
    assert pause.until - NOW == UNTOLD_PAUSE
    assert asked_pause(answer(503), now=NOW) is None


def test_the_host_that_answered_rests_and_not_the_one_that_sent_us_there() -> None:
    moved = answer(429, 60, final_url="http://cdn.example:8080/f")
    pause = asked_pause(moved, now=NOW)
    assert pause is not None
    assert pause.host == "cdn.example:8080"


@pytest.mark.parametrize(
    "event",
    [
        answer(500, 60, outcome=PollOutcome.HTTP_ERROR),
        answer(200, 60, outcome=PollOutcome.FETCHED),
        # What a feed is told that was not asked for, for the sake of another one.
        polled(1, 2, http_status=None, outcome=PollOutcome.THROTTLED),
    ],
)
def test_no_other_answer_makes_a_host_rest(event: Any) -> None:
    assert asked_pause(event, now=NOW) is None
