"""Full pages: a command names pages, and each ends in one outcome, or with its text."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from ingest.articles import make_article, plausible
from ingest.bodies import sentence
from ingest.documents import pack
from ingest.fetch import Fetch, FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError, brief
from ingest.headers import retry_after_seconds
from ingest.messages import Article, FileOutcome, PollOutcome, host_of
from ingest.packedlines import pack_lines
from ingest.pagejudge import is_made_title, judge
from ingest.pagemessages import (
    PAUSE_SECONDS,
    FetchPages,
    PageFetched,
    PageLimits,
    PagesFetched,
    PageToFetch,
)
from ingest.pagereplies import charset, media_type, refusal
from ingest.pages import OnlyConsentError, PageArticle
from ingest.pagewords import PageOutcome
from ingest.parts import document_bytes
from ingest.readers.html import (
    HtmlReader,
    OpenedPage,
    byline_of,
    open_page,
    published_of,
)
from ingest.readers.reader import UnreadableContentError
from ingest.robots import Robots
from ingest.teasers import count_words

ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
ARTICLE_BYTES = 2  # a character of an article in a message, at least

_REFUSED = {
    FileOutcome.TOO_LARGE: PageOutcome.TOO_LARGE,
    FileOutcome.MALFORMED: PageOutcome.HOSTILE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMeans:
    """What pages are fetched with."""

    fetch: Fetch
    robots: Robots  # obeyed at the address and where it leads
    now: Callable[[], datetime]
    pause_seconds: float = PAUSE_SECONDS


async def fetch_pages(
    command: FetchPages, *, means: PageMeans, emit: Callable[[PagesFetched], None]
) -> None:
    """Fetch all pages of a command, those of a host one after another.

    Each is emitted as soon as it has ended. Whatever goes wrong with a page is the
    outcome of that page alone; what `emit` raises ends the whole command.
    """
    # Beside the loop, so that no other answer waits, and one at a time for its memory.
    aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="extract")

    async def fetch_host(pages: Sequence[PageToFetch]) -> None:
        for n, page in enumerate(pages):
            if n:
                await asyncio.sleep(means.pause_seconds)
            fetched = await _fetch(page, command.limits, means, aside)
            emit(PagesFetched(pages=(fetched,)))

    by_host = sorted(command.pages, key=_host)
    hosts = [list(pages) for _, pages in groupby(by_host, key=_host)]
    tasks = [asyncio.create_task(fetch_host(pages)) for pages in hosts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        aside.shutdown(wait=False, cancel_futures=True)


def _host(page: PageToFetch) -> str:
    return host_of(page.url)


async def _fetch(
    page: PageToFetch, limits: PageLimits, means: PageMeans, aside: Executor
) -> PageFetched:
    started = means.now()
    try:
        reply = await _ask(page, limits, means)
    except FetchFailedError as error:
        event = _failed(page, error, means.now())
    except Exception as error:  # noqa: BLE001 - one page must not end the others
        unforeseen = FetchFailedError(PollOutcome.UNREACHABLE, _unforeseen(error))
        event = _failed(page, unforeseen, means.now())
    else:
        read = partial(_read, page, reply, limits, means.now())
        event = await asyncio.get_running_loop().run_in_executor(aside, read)
    elapsed = (means.now() - started) // timedelta(milliseconds=1)
    return replace(event, elapsed_ms=elapsed)


async def _ask(page: PageToFetch, limits: PageLimits, means: PageMeans) -> Reply:
    """Return what the server says, if the host of each address on the way lets us.

    Raises:
        FetchFailedError: There is no reply, or robots.txt forbids to ask for it.
    """
    fetch = means.robots.obeyed_by(means.fetch)
    return await fetch(
        FetchRequest(
            url=page.url,
            timeout_seconds=limits.timeout_seconds,
            connect_timeout_seconds=limits.connect_timeout_seconds,
            max_body_bytes=limits.max_body_bytes,
        )
    )


def _failed(page: PageToFetch, error: FetchFailedError, at: datetime) -> PageFetched:
    # No server has been denied but by robots.txt: a 403 is a reply.
    is_robots = error.outcome is PollOutcome.DENIED
    return PageFetched(
        article_id=page.article_id,
        ask=page.ask,
        attempt=page.attempt,
        url=page.url,
        outcome=PageOutcome.ROBOTS if is_robots else PageOutcome(error.outcome),
        fetched_at=at,
        retry_after_seconds=retry_after_seconds(error.retry_after, now=at),
        error=sentence(error.reason),
        n_words_said=count_words(page.text),
    )


def _read(
    page: PageToFetch, reply: Reply, limits: PageLimits, now: datetime
) -> PageFetched:
    try:
        return read_page(page, reply, limits=limits, now=now)
    except MemoryError:
        raise  # it may be that of others: the page is tried again, alone
    except Exception as error:  # noqa: BLE001 - one page must not end the others
        told = _told(page, reply, now) | {"error": sentence(_unforeseen(error))}
        return PageFetched(outcome=PageOutcome.HOSTILE, **told)


def _unforeseen(error: Exception) -> str:
    return f"it failed in an unforeseen way: {type(error).__name__}: {brief(error)}"


def read_page(
    page: PageToFetch, reply: Reply, *, limits: PageLimits, now: datetime
) -> PageFetched:
    """Return what a reply comes to for the entry that wanted it; pure."""
    told = _told(page, reply, now)
    refused = refusal(page.url, reply)
    if refused is not None:
        outcome, error = refused
        return PageFetched(outcome=outcome, error=error, **told)
    try:
        opened = open_page(reply.body, http=charset(reply))
    except OnlyConsentError:
        return PageFetched(outcome=PageOutcome.CONSENT, **told)
    except UnreadableContentError as error:
        outcome = _REFUSED.get(error.outcome, PageOutcome.NO_ARTICLE)
        return PageFetched(outcome=outcome, error=error.reason, **told)
    return _judged(page, reply, opened, limits=limits, told=told)


def _told(page: PageToFetch, reply: Reply, now: datetime) -> dict[str, Any]:
    """Return what can be told of a reply whatever it holds."""
    return {
        "article_id": page.article_id,
        "ask": page.ask,
        "attempt": page.attempt,
        "url": page.url,
        "fetched_at": now,
        "http_status": reply.status,
        "final_url": reply.url,
        "retry_after_seconds": retry_after_seconds(reply.retry_after, now=now),
        "n_words_said": count_words(page.text),
    }


def _judged(
    page: PageToFetch,
    reply: Reply,
    opened: OpenedPage,
    *,
    limits: PageLimits,
    told: dict[str, Any],
) -> PageFetched:
    found = opened.article
    if opened.asks_to_pay:
        n_words = count_words(found.text) if found else 0
        return PageFetched(outcome=PageOutcome.PAYWALL, n_words=n_words, **told)
    if found is None:
        return PageFetched(outcome=PageOutcome.NO_ARTICLE, **told)
    told["n_words"] = count_words(found.text)
    outcome = judge(
        found.text,
        title=page.title,
        text=page.text,
        page_title=opened.head.title,
    )
    if outcome is not PageOutcome.ACCEPTED:
        return PageFetched(outcome=outcome, **told)
    article = _article(page, opened, found, now=told["fetched_at"])
    document = pack(reply.body, media_type(reply) or HtmlReader.media_type)
    lines = pack_lines(found.lines)
    n_bytes = document_bytes(document) + 2 * len(lines)
    if n_bytes + ARTICLE_BYTES * len(article.text) <= limits.max_message_bytes:
        told |= {"document": document, "packed_lines": lines}
    # Else the text alone: it matters more than what it was made of.
    return PageFetched(outcome=outcome, article=article, **told)


def _article(
    page: PageToFetch, opened: OpenedPage, found: PageArticle, *, now: datetime
) -> Article:
    """Return the article with the text of its page; what the feed says else, stays."""
    is_made = is_made_title(page.title, page.text)
    name = HtmlReader.extractor
    return make_article(
        identity=page.url,
        url=page.url,
        source=page.source,
        title=(opened.head.title if is_made else "") or page.title,
        text=found.text,
        byline=page.byline or byline_of(opened),
        language=page.language or opened.head.language,
        published=plausible(published_of(opened), now=now),
        extractor=f"{name}+ftfy" if opened.repaired else name,
        confidence=found.confidence,
    )
