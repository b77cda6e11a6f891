"""Limits and pauses of hosts hold for all workers, because SQL hands out the feeds."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update
from support.desk import POLL_LIMITS, Desk
from support.factories import LIMITS, polled

from ingest.messages import FeedToPoll, PollFeeds, PollOutcome
from store import feeds, hosts, polling
from store.engine import transaction
from store.errors import NotFound
from store.models import Feed, HostPause

LEASE = timedelta(seconds=LIMITS.lease_seconds + 11)
WIDE = replace(LIMITS, max_batches=100)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def add(desk: Desk, *many: tuple[str, int]) -> None:
    """Subscribe to so many feeds of each host."""
    new = [
        feeds.NewFeed(url=f"https://{host}.example/{n}", url_key=f"{host} {n}")
        for host, number in many
        for n in range(number)
    ]
    with transaction(desk.engine) as session:
        feeds.add_feeds(session, new, now=desk.now)


def claim(desk: Desk, per_host: int = 3) -> list[PollFeeds]:
    with transaction(desk.engine) as session:
        return polling.claim_feeds(
            session,
            now=desk.now,
            limits=WIDE,
            poll_limits=POLL_LIMITS,
            per_host=per_host,
        )


def hosts_of(commands: Sequence[PollFeeds]) -> Counter[str]:
    return Counter(host_of(one) for command in commands for one in command.feeds)


def host_of(one: FeedToPoll) -> str:
    return urlsplit(one.url).netloc.partition(".")[0]


def answer(
    desk: Desk, commands: Sequence[PollFeeds], **changes: object
) -> list[FeedToPoll]:
    asked = [one for command in commands for one in command.feeds]
    for one in asked:
        values = {"url": one.url, "document": None, **changes}
        desk.save_poll(polled(one.poll_id, one.feed_id, **values))
    return asked


def test_a_host_is_asked_by_one_worker_at_a_time(desk: Desk) -> None:
    add(desk, ("big", 7), ("small", 1))
    first = claim(desk)
    assert hosts_of(first) == {"big": 3, "small": 1}
    assert claim(desk) == []
    big = [c for c in first if any(host_of(one) == "big" for one in c.feeds)]
    assert len(big) == 1
    answer(desk, first)
    assert hosts_of(claim(desk)) == {"big": 3}


def test_one_feed_that_is_still_out_holds_its_host(desk: Desk) -> None:
    add(desk, ("big", 5))
    (command,) = claim(desk)
    answer(desk, [replace(command, feeds=command.feeds[1:])])
    assert claim(desk) == []
    desk.now += LEASE  # its worker died
    (alone,) = claim(desk)
    # Nothing goes beside the one that was lost, which has been due for longest.
    assert [one.feed_id for one in alone.feeds] == [command.feeds[0].feed_id]


def test_a_host_of_many_feeds_is_polled_over_time_and_holds_up_nobody(
    desk: Desk,
) -> None:
    add(desk, ("big", 100))
    desk.now += timedelta(minutes=1)  # they have been due for longer than all others
    add(desk, *((f"h{n}", 1) for n in range(30)))
    first = claim(desk, per_host=10)
    assert hosts_of(first)["big"] == 10
    assert len(hosts_of(first)) == 31
    seen = {one.feed_id for one in answer(desk, first)}
    while commands := claim(desk, per_host=10):
        assert set(hosts_of(commands)) == {"big"}
        seen |= {one.feed_id for one in answer(desk, commands)}
    assert len(seen) == 130
    desk.assert_balanced()


def test_a_claim_keeps_the_bounds_of_the_dispatch(desk: Desk) -> None:
    add(desk, *((f"h{n}", 2) for n in range(30)))
    narrow = replace(LIMITS, batch=5, max_batches=4)
    with transaction(desk.engine) as session:
        commands = polling.claim_feeds(
            session, now=desk.now, limits=narrow, poll_limits=POLL_LIMITS
        )
        more = polling.claim_feeds(
            session, now=desk.now, limits=narrow, poll_limits=POLL_LIMITS
        )
    assert sum(len(command.feeds) for command in commands) == narrow.max_items
    assert max(len(command.feeds) for command in commands) <= narrow.batch
    assert more == []


def test_dispatchers_at_the_same_moment_never_send_two_workers_to_a_host(
    desk: Desk,
) -> None:
    add(desk, *((f"h{n}", 10) for n in range(10)))
    found: list[list[PollFeeds]] = []
    barrier = threading.Barrier(4)

    def dispatch() -> None:
        barrier.wait(timeout=60)
        found.append(claim(desk))

    threads = [threading.Thread(target=dispatch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 4
    commands = [command for some in found for command in some]
    assert hosts_of(commands) == {f"h{n}": 3 for n in range(10)}
    messages = Counter(
        host for command in commands for host in {host_of(one) for one in command.feeds}
    )
    assert set(messages.values()) == {1}


def throttle(desk: Desk, command: PollFeeds, seconds: int) -> None:
    answer(
        desk,
        [replace(command, feeds=command.feeds[:1])],
        http_status=429,
        outcome=PollOutcome.THROTTLED,
        retry_after_seconds=seconds,
    )
    answer(desk, [replace(command, feeds=command.feeds[1:])])


def test_a_pause_holds_for_all_feeds_of_a_host_and_for_later_ones(desk: Desk) -> None:
    add(desk, ("big", 2), ("small", 1))
    commands = claim(desk, per_host=1)
    (big,) = [c for c in commands if any(host_of(f) == "big" for f in c.feeds)]
    only = [one for one in big.feeds if host_of(one) == "big"]
    throttle(desk, replace(big, feeds=tuple(only)), 7200)
    with transaction(desk.engine) as session:
        new = feeds.NewFeed(url="https://big.example/later", url_key="later")
        feeds.add_feeds(session, [new], now=desk.now)
    assert claim(desk) == []
    desk.now += timedelta(seconds=7199)
    assert "big" not in hosts_of(claim(desk))
    desk.now += timedelta(seconds=1)
    assert hosts_of(claim(desk))["big"] == 3


def test_the_longer_of_two_pauses_holds(desk: Desk) -> None:
    add(desk, ("big", 3))
    (command,) = claim(desk)
    for one, seconds in zip(command.feeds, (60, 600, 30), strict=True):
        throttle(desk, replace(command, feeds=(one,)), seconds)
    pause = desk.one(HostPause)
    assert pause.until == desk.now + timedelta(seconds=600)
    assert pause.reason == "it answered 429 and asked us to wait for 600 s"
    assert pause.feed_id == command.feeds[1].feed_id


def test_an_operator_lifts_a_pause_and_its_feeds_are_due(desk: Desk) -> None:
    add(desk, ("big", 2))
    (command,) = claim(desk)
    throttle(desk, command, 7200)
    with transaction(desk.engine) as session:
        session.execute(
            update(Feed)
            .where(Feed.last_outcome == PollOutcome.THROTTLED)
            .values(next_poll_at=desk.now + timedelta(hours=2))
        )
        until = hosts.lift_pause(session, "big.example", now=desk.now)
    assert until == desk.now + timedelta(hours=2)
    (again,) = claim(desk)
    assert len(again.feeds) == 1  # the other one has just been polled
    with transaction(desk.engine) as session, pytest.raises(NotFound):
        hosts.lift_pause(session, "big.example", now=desk.now)


def test_pauses_that_are_over_are_forgotten_and_so_is_what_a_wrong_clock_wrote(
    desk: Desk,
) -> None:
    add(desk, ("a", 1), ("b", 1), ("c", 1))
    for command in claim(desk):
        for one, seconds in zip(command.feeds, (60, 600, 9_000_000), strict=True):
            throttle(desk, replace(command, feeds=(one,)), seconds)
    desk.now += timedelta(seconds=60)
    with transaction(desk.engine) as session:
        week = timedelta(days=7)
        assert hosts.forget_pauses(session, now=desk.now, longest=week) == 2
    assert desk.one(HostPause).host == "b.example"
