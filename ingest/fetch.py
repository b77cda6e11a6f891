"""Fetching: one guarded HTTP request, from the URL of a feed to the bytes behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from http import HTTPStatus
from math import inf
from typing import Protocol

from aiohttp import (
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from ingest.fetch_errors import FetchFailedError, brief, failure
from ingest.guard import Network, guarded_sockets, parse_networks
from ingest.messages import PollOutcome, host_of
from ingest.targets import checked_host, checked_url, next_url
from ingest.turns import Turns, clock

MAX_REDIRECTS = 5
PERMANENT = {301, 308}
REDIRECTS = {301, 302, 303, 307, 308}
# News sites send long content policies; the 8 KB that aiohttp allows cost real feeds.
MAX_HEADER_BYTES = 32_768
CHUNK_BYTES = 65_536
ACCEPT = (
    "application/rss+xml, application/atom+xml, application/feed+json, "
    "application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, "
    "application/json;q=0.7, */*;q=0.1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """What holds for every request of a session."""

    user_agent: str  # says who we are and where to complain
    accept: str = ACCEPT
    allow_networks: tuple[str, ...] = ()  # CIDR; not public, and reachable all the same
    max_connections: int = 64
    host_seconds: float = inf  # that one host may take in a session, all its feeds
    # With one, all requests go through it, and it alone resolves names: what it may
    # reach is for its own rules. Never taken from the environment.
    proxy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """One document to fetch, and what it may cost."""

    url: str
    etag: str | None = None  # sent back byte for byte
    last_modified: str | None = None  # likewise
    timeout_seconds: float = 30.0  # for all hops, without waiting for a connection
    connect_timeout_seconds: float = 10.0
    max_body_bytes: int = 10_000_000  # decoded
    cut: bool = False  # keep what fits of a longer body, instead of giving it up
    # Is told each address that a redirect leads to before it is requested, and raises
    # FetchFailedError where it may not be. None: all may.
    allow: Callable[[str], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server at the end of all redirects said."""

    url: str
    status: int
    redirects: tuple[str, ...] = ()  # addresses that led here, the first one first
    permanent_url: str | None = None  # set where every hop was a 301 or 308
    body: bytes = b""  # decoded; read only where the status is 2xx
    truncated: bool = False  # the connection broke before the body was complete
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    retry_after: str | None = None
    cache_control: str | None = None
    expires: str | None = None
    date: str | None = None  # by the clock of the server


class Fetch(Protocol):
    """Fetches one document.

    - Raises `FetchFailedError`, and nothing else, where there is no reply.
    - Waits for its turn by itself; callers may start as many as they like.
    """

    async def __call__(self, request: FetchRequest, /) -> Reply:
        """Return the reply at the end of all redirects."""


@asynccontextmanager
async def open_fetch(options: FetchOptions) -> AsyncIterator[Fetch]:
    """Open a session that fetches politely and connects to public addresses only.

    One request at a time goes to a host. No cookies are kept, and neither proxies
    nor credentials are taken from the environment.

    Raises:
        ValueError: `allow_networks` holds something that is no network.
    """
    allowed = parse_networks(options.allow_networks)
    connector = TCPConnector(
        limit=options.max_connections,
        # The operator's own proxy may stand anywhere, and nothing else is connected to.
        socket_factory=None
        if options.proxy
        else guarded_sockets(allowed, lambda why: _REFUSALS.get().append(why)),
    )
    async with ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        headers={
            "User-Agent": options.user_agent,
            "Accept": options.accept,
            "Accept-Encoding": "gzip, deflate",
        },
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    ) as session:
        turns = Turns(options.max_connections, host_seconds=options.host_seconds)
        yield _Fetcher(session, turns, allowed, proxy=options.proxy)


# The connector refuses an address deep inside a race between several of them, where
# the reason is lost; each request therefore collects the reasons here.
_REFUSALS: ContextVar[list[str]] = ContextVar("refusals")


@dataclass(frozen=True, slots=True)
class _Moved:
    """The server sent us elsewhere."""

    location: str
    permanent: bool


class _Fetcher:
    """Follows redirects by itself, so that every hop passes the same checks."""

    def __init__(
        self,
        session: ClientSession,
        turns: Turns,
        allowed: tuple[Network, ...],
        *,
        proxy: str | None,
    ) -> None:
        self._session = session
        self._turns = turns
        self._allowed = allowed
        self._proxy = proxy

    async def __call__(self, request: FetchRequest, /) -> Reply:
        url = checked_url(request.url)
        permanent = True
        passed: list[str] = []
        seconds_left = request.timeout_seconds
        for n_redirects in range(MAX_REDIRECTS + 1):
            answer, seconds = await self._ask(url, request, seconds_left)
            if isinstance(answer, Reply):
                moved_for_good = permanent and n_redirects > 0
                return replace(
                    answer,
                    redirects=tuple(passed),
                    permanent_url=answer.url if moved_for_good else None,
                )
            passed.append(str(url))
            permanent = permanent and answer.permanent
            seconds_left -= seconds
            url = next_url(url, answer.location)
            if request.allow is not None and n_redirects < MAX_REDIRECTS:
                await request.allow(str(url))
        raise FetchFailedError(
            PollOutcome.HTTP_ERROR, f"it redirects more than {MAX_REDIRECTS} times"
        )

    async def _ask(
        self, url: URL, request: FetchRequest, seconds_left: float
    ) -> tuple[Reply | _Moved, float]:
        """Wait for the turn of this host, ask once, and say how long that took."""
        if self._proxy:
            checked_host(url, self._allowed)
        host = host_of(str(url))
        async with self._turns.of(host):
            started = clock()
            answer = await self._request(url, request, seconds_left)
            if isinstance(answer, Reply):
                self._turns.heed(host, answer.status, answer.retry_after)
            return answer, clock() - started

    async def _request(
        self, url: URL, request: FetchRequest, seconds_left: float
    ) -> Reply | _Moved:
        refusals: list[str] = []
        _REFUSALS.set(refusals)
        try:
            async with (
                asyncio.timeout(seconds_left),
                self._session.get(
                    url,
                    proxy=self._proxy,
                    allow_redirects=False,
                    headers=_conditions(request),
                    timeout=ClientTimeout(connect=request.connect_timeout_seconds),
                ) as response,
            ):
                return await _answer(response, request)
        except (ClientError, OSError, ValueError) as error:
            if refusals:
                raise FetchFailedError(PollOutcome.BLOCKED, refusals[0]) from error
            raise failure(error, url.host or "") from error


def _conditions(request: FetchRequest) -> dict[str, str]:
    headers = {}
    if request.etag:
        headers["If-None-Match"] = request.etag
    if request.last_modified:
        headers["If-Modified-Since"] = request.last_modified
    return headers


async def _answer(response: ClientResponse, request: FetchRequest) -> Reply | _Moved:
    status, headers = response.status, response.headers
    if status in REDIRECTS and "Location" in headers:
        return _Moved(headers["Location"], status in PERMANENT)
    body, truncated = b"", False
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        body, truncated = await _body(response, request)
    return Reply(
        url=str(response.url),
        status=status,
        body=body,
        truncated=truncated,
        content_type=headers.get("Content-Type"),
        etag=headers.get("ETag"),
        last_modified=headers.get("Last-Modified"),
        retry_after=headers.get("Retry-After"),
        cache_control=headers.get("Cache-Control"),
        expires=headers.get("Expires"),
        date=headers.get("Date"),
    )


async def _body(response: ClientResponse, request: FetchRequest) -> tuple[bytes, bool]:
    """Read the decoded body chunk by chunk, and say whether it broke off.

    Raises:
        FetchFailedError: It is longer than it may be, or nothing of it came.
    """
    body, most = bytearray(), request.max_body_bytes
    try:
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            body += chunk
            if len(body) > most and request.cut:
                return bytes(body[:most]), True
            if len(body) > most:
                raise FetchFailedError(
                    PollOutcome.TOO_LARGE, f"its body is over {most} bytes"
                )
    except ClientPayloadError as error:
        if not body:
            raise FetchFailedError(
                PollOutcome.HTTP_ERROR, f"its body cannot be read: {brief(error)}"
            ) from error
        return bytes(body), True
    return bytes(body), False
