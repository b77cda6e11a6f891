"""Polls that end together share a message; none waits long for another."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from ingest.bundle import Bundle
from ingest.messages import FeedPolled, FeedsPolled, PollOutcome

FOR_EVER = 60.0


def poll(number: int, *, n_bytes: int = 0) -> FeedPolled:
    return FeedPolled(
        poll_id=number,
        feed_id=number,
        url=f"https://paper.example/{number}",
        outcome=PollOutcome.NOT_MODIFIED,
        polled_at=datetime(2026, 3, 4, tzinfo=UTC),
        elapsed_ms=3,
        item_marks=b"x" * n_bytes,
    )


class Sent:
    """What a bundle has sent, by the numbers of the polls."""

    def __init__(self) -> None:
        self.messages: list[list[int]] = []

    def __call__(self, event: FeedsPolled) -> None:
        self.messages.append([one.poll_id for one in event.polls])


def send(polls: Sequence[FeedPolled], *, max_bytes: int = 1_000_000) -> list[list[int]]:
    sent = Sent()

    async def scenario() -> None:
        bundle = Bundle(
            sent, n_polls=len(polls), max_bytes=max_bytes, linger_seconds=FOR_EVER
        )
        await asyncio.gather(*(bundle.add(one) for one in polls))

    asyncio.run(scenario())
    return sent.messages


def test_polls_that_end_together_share_a_message_that_leaves_with_the_last() -> None:
    assert send([poll(n) for n in range(5)]) == [[0, 1, 2, 3, 4]]


def test_a_message_holds_no_more_than_it_may() -> None:
    polls = [poll(n, n_bytes=3_000) for n in range(5)]
    assert send(polls, max_bytes=12_000) == [[0, 1], [2, 3], [4]]


def test_what_has_ended_does_not_wait_for_what_has_not() -> None:
    sent = Sent()

    async def scenario() -> list[list[int]]:
        bundle = Bundle(sent, n_polls=3, max_bytes=1_000_000, linger_seconds=0.0)
        await asyncio.gather(bundle.add(poll(1)), bundle.add(poll(2)))
        early = list(sent.messages)
        await bundle.add(poll(3))
        return early

    assert asyncio.run(scenario()) == [[1, 2]]
    assert sent.messages == [[1, 2], [3]]


def test_the_second_bundle_waits_for_others_as_the_first_did() -> None:
    sent = Sent()

    async def scenario() -> None:
        bundle = Bundle(sent, n_polls=4, max_bytes=1_000_000, linger_seconds=0.0)
        for pair in ((1, 2), (3, 4)):
            await asyncio.gather(*(bundle.add(poll(n)) for n in pair))

    asyncio.run(scenario())
    assert sent.messages == [[1, 2], [3, 4]]


@pytest.mark.parametrize("linger_seconds", [0.0, FOR_EVER])
def test_what_sending_raises_is_raised(linger_seconds: float) -> None:
    def refuse(event: FeedsPolled) -> None:
        raise ConnectionError(event.polls[0].url)

    async def scenario() -> None:
        bundle = Bundle(
            refuse, n_polls=2, max_bytes=1_000_000, linger_seconds=linger_seconds
        )
        await asyncio.gather(bundle.add(poll(1)), bundle.add(poll(2)))

    with pytest.raises(ConnectionError):
        asyncio.run(scenario())
