"""Polling: a command names feeds that are due, and each ends in one outcome."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from ingest.bodies import Means, Polling, read_body, sentence
from ingest.bundle import LINGER_SECONDS, Bundle
from ingest.entries import EXTRACTOR
from ingest.fetch import Fetch, FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError, brief
from ingest.headers import fresh_seconds, retry_after_seconds, validator
from ingest.messages import (
    FeedPolled,
    FeedsPolled,
    FeedToPoll,
    PollFeeds,
    PollOutcome,
)
from ingest.preflight import FeedRefusedError
from ingest.urls import url_key

_OUTCOMES: dict[int, PollOutcome] = {
    HTTPStatus.NOT_MODIFIED: PollOutcome.NOT_MODIFIED,
    HTTPStatus.UNAUTHORIZED: PollOutcome.DENIED,
    HTTPStatus.FORBIDDEN: PollOutcome.DENIED,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: PollOutcome.DENIED,
    HTTPStatus.NOT_FOUND: PollOutcome.NOT_FOUND,
    HTTPStatus.GONE: PollOutcome.GONE,
    HTTPStatus.TOO_MANY_REQUESTS: PollOutcome.THROTTLED,
    HTTPStatus.SERVICE_UNAVAILABLE: PollOutcome.THROTTLED,
}


async def poll_feeds(
    command: PollFeeds,
    *,
    fetch: Fetch,
    now: Callable[[], datetime],
    emit: Callable[[FeedsPolled], None],
    linger_seconds: float = LINGER_SECONDS,
) -> None:
    """Poll all feeds of a command at once; emit what they gave soon after it is ready.

    Whatever goes wrong with a feed is the outcome of that feed alone. What `emit`
    raises ends the whole command, because nobody could learn of the rest either.
    """
    limits = command.limits
    # One at a time beside the loop: so a feed that takes long to parse holds up no
    # answer that another waits for, and two of them never share the memory.
    aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parse")
    means = Means(limits=limits, fetch=fetch, now=now, aside=aside)

    bundle = Bundle(
        emit,
        n_polls=len(command.feeds),
        max_bytes=limits.max_message_bytes,
        linger_seconds=linger_seconds,
    )

    async def poll(feed: FeedToPoll) -> None:
        await bundle.add(await _poll(feed, means))

    tasks = [asyncio.create_task(poll(feed)) for feed in command.feeds]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        aside.shutdown(wait=False, cancel_futures=True)


async def _poll(feed: FeedToPoll, means: Means) -> FeedPolled:
    limits, now = means.limits, means.now
    started, feed = now(), _as_read_here(feed)
    request = FetchRequest(
        url=feed.url,
        etag=feed.etag,
        last_modified=feed.last_modified,
        timeout_seconds=limits.timeout_seconds,
        connect_timeout_seconds=limits.connect_timeout_seconds,
        max_body_bytes=limits.max_body_bytes,
    )
    try:
        reply = await means.fetch(request)
    except FetchFailedError as error:
        event = _failed(feed, error, now())
    except Exception as error:  # noqa: BLE001 - one feed must not end the others
        event = _failed(feed, _unforeseen(PollOutcome.UNREACHABLE, error), now())
    else:
        whole = await _whole(feed, request, reply, means.fetch)
        polling = Polling(feed=feed, means=means, started=started)
        event = await _answered(polling, whole or reply)
        event = replace(
            event,
            after_304=whole is not None,
            conditional=bool(feed.etag or feed.last_modified),
        )
    return replace(event, elapsed_ms=(now() - started) // timedelta(milliseconds=1))


def _as_read_here(feed: FeedToPoll) -> FeedToPoll:
    """Return the feed without what stands for a body that others have read.

    An older parser may have left out of it what this one would find.
    """
    if feed.parser in {None, EXTRACTOR}:
        return feed
    return replace(feed, etag=None, last_modified=None, body_sha256=None)


async def _whole(
    feed: FeedToPoll, request: FetchRequest, reply: Reply, fetch: Fetch
) -> Reply | None:
    """Return the body behind a 304 where that is to be checked, None where it is not.

    If it cannot be had, the first answer stands.
    """
    if not feed.verify or reply.status != HTTPStatus.NOT_MODIFIED:
        return None
    try:
        whole = await fetch(replace(request, etag=None, last_modified=None))
    except Exception:  # noqa: BLE001 - one feed must not end the others
        return None
    return whole if _is_success(whole) else None


def _is_success(reply: Reply) -> bool:
    return HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES


def _unforeseen(outcome: PollOutcome, error: Exception) -> FetchFailedError:
    reason = f"it failed in an unforeseen way: {type(error).__name__}: {brief(error)}"
    return FetchFailedError(outcome, reason)


def _failed(feed: FeedToPoll, error: FetchFailedError, at: datetime) -> FeedPolled:
    return FeedPolled(
        poll_id=feed.poll_id,
        feed_id=feed.feed_id,
        url=feed.url,
        outcome=error.outcome,
        polled_at=at,
        elapsed_ms=0,
        retry_after_seconds=retry_after_seconds(error.retry_after, now=at),
        key_mode=feed.key_mode,
        error=sentence(error.reason),
    )


async def _answered(polling: Polling, reply: Reply) -> FeedPolled:
    """Return the event for a reply, whatever its status is."""
    feed, at = polling.feed, polling.means.now()
    is_success = _is_success(reply)
    failure = _OUTCOMES.get(reply.status, PollOutcome.HTTP_ERROR)
    event = FeedPolled(
        poll_id=feed.poll_id,
        feed_id=feed.feed_id,
        url=feed.url,
        outcome=PollOutcome.FETCHED if is_success else failure,
        polled_at=at,
        elapsed_ms=0,
        http_status=reply.status,
        final_url=reply.url,
        permanent_url=reply.permanent_url,
        permanent_key=url_key(reply.permanent_url) if reply.permanent_url else None,
        retry_after_seconds=retry_after_seconds(reply.retry_after, now=at),
        min_interval_seconds=fresh_seconds(
            reply.cache_control, reply.expires, date=reply.date, now=at
        ),
        key_mode=feed.key_mode,
        n_bytes=len(reply.body),
    )
    if event.outcome is PollOutcome.NOT_MODIFIED:
        return _not_modified(event, feed, reply)
    if not is_success:
        return replace(event, error=f"The server answered {reply.status}.")
    try:
        return await read_body(event, polling, reply)
    except FeedRefusedError as error:
        # Without hash and validators, so that the next poll looks at it again.
        return replace(event, outcome=error.outcome, error=sentence(error.reason))
    except Exception as error:  # noqa: BLE001 - one feed must not end the others
        return _failed(feed, _unforeseen(PollOutcome.HOSTILE, error), at)


def _not_modified(event: FeedPolled, feed: FeedToPoll, reply: Reply) -> FeedPolled:
    if not feed.etag and not feed.last_modified:
        reason = "The server answered 304 although it was not asked for changes."
        return replace(event, outcome=PollOutcome.HTTP_ERROR, error=reason)
    # A server may leave them out, as they have not changed either.
    return replace(
        event,
        etag=validator(reply.etag) or feed.etag,
        last_modified=validator(reply.last_modified) or feed.last_modified,
    )
