"""A fetch is polite to honest servers and gives nothing to hostile ones."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientConnectorDNSError, ConnectionTimeoutError, web
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.test_utils import TestServer

from ingest.fetch import Fetch, FetchOptions, FetchRequest, Reply, open_fetch
from ingest.fetch_errors import FetchFailedError
from ingest.fetch_errors import failure as fetch_failure
from ingest.messages import PollOutcome
from ingest.targets import checked_url, next_url

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = FetchOptions(user_agent="wireroom/test", allow_networks=("127.0.0.0/8",))
BODY = b"<rss/>"


async def serve_body(request: web.Request) -> web.Response:
    del request
    return web.Response(body=BODY, headers={"ETag": '"1"', "Retry-After": "9"})


def run(
    handler: Handler,
    *calls: dict[str, Any],
    options: FetchOptions = LOOPBACK,
    path: str = "/",
) -> list[Reply | FetchFailedError]:
    """Fetch from a server on loopback, all calls at once in one session."""

    async def scenario() -> list[Reply | FetchFailedError]:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handler)
        async with TestServer(app) as server, open_fetch(options) as fetch:
            base = str(server.make_url("")).rstrip("/")
            requests = [
                FetchRequest(**{"url": base + path, "timeout_seconds": 5.0, **call})
                for call in calls or ({},)
            ]
            return list(await asyncio.gather(*(ended(fetch, it) for it in requests)))

    return asyncio.run(scenario())


async def ended(fetch: Fetch, request: FetchRequest) -> Reply | FetchFailedError:
    try:
        return await fetch(request)
    except FetchFailedError as error:
        return error


def reply(handler: Handler, **call: Any) -> Reply:
    (result,) = run(handler, call, path=call.pop("path", "/"))
    assert isinstance(result, Reply), result
    return result


def failure(handler: Handler, **call: Any) -> FetchFailedError:
    options = call.pop("options", LOOPBACK)
    (result,) = run(handler, call, options=options, path=call.pop("path", "/"))
    assert isinstance(result, FetchFailedError), result
    return result


def redirects(*statuses: int) -> Handler:
    """Return a handler that redirects /0 to /1 and so on, then serves the body."""

    async def handler(request: web.Request) -> web.Response:
        n = int(request.path.strip("/") or 0)
        if n < len(statuses):
            to = {"Location": f"/{n + 1}"}
            return web.Response(status=statuses[n], headers=to)
        return web.Response(body=BODY)

    return handler


def test_a_document_comes_with_what_its_headers_say() -> None:
    result = reply(serve_body)
    assert (result.status, result.body, result.truncated) == (200, BODY, False)
    assert (result.etag, result.retry_after) == ('"1"', "9")
    assert result.permanent_url is None


def test_loopback_is_refused_unless_it_is_allowed() -> None:
    error = failure(serve_body, options=FetchOptions(user_agent="wireroom/test"))
    assert error.outcome is PollOutcome.BLOCKED
    assert error.reason == "127.0.0.1 is not a public address"


def test_a_redirect_to_a_private_address_is_refused() -> None:
    async def handler(request: web.Request) -> web.Response:
        port = request.url.port
        return web.Response(status=302, headers={"Location": f"http://[::1]:{port}/"})

    error = failure(handler)
    assert error.outcome is PollOutcome.BLOCKED
    assert error.reason == "::1 is not a public address"


@pytest.mark.parametrize(("n_allowed", "asked"), [(0, "/0"), (1, "/0 /1"), (2, None)])
def test_an_address_on_the_way_may_be_forbidden_before_it_is_requested(
    n_allowed: int, asked: str | None
) -> None:
    seen: list[str] = []
    told: list[str] = []
    serve = redirects(302, 301)

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return await serve(request)

    async def allow(url: str) -> None:
        told.append(url)
        if len(told) > n_allowed:
            raise FetchFailedError(PollOutcome.DENIED, "closed")

    (result,) = run(handler, {"allow": allow}, path="/0")
    assert isinstance(result, FetchFailedError) == (asked is not None)
    assert " ".join(seen) == (asked or "/0 /1 /2")
    # Of where it began, whoever asks has to see to it.
    assert told[0].endswith("/1")


def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    options = FetchOptions(user_agent="wireroom/test", allow_networks=("10.0.0.0/8",))
    error = failure(serve_body, url="http://localhost:9/", options=options)
    assert error.outcome is PollOutcome.BLOCKED


def test_validators_go_out_byte_for_byte_and_nothing_else_does() -> None:
    seen: dict[str, str] = {}

    async def handler(request: web.Request) -> web.Response:
        seen.update(request.headers)
        return web.Response(status=304, headers={"Set-Cookie": "a=b"})

    etag, modified = 'W/"a, b\\"', "Wed,  04 Mar 2026 10:00:00 GMT"
    calls = [{"etag": etag, "last_modified": modified}] * 2
    assert [it.status for it in run(handler, *calls) if isinstance(it, Reply)] == [
        304
    ] * 2
    assert (seen["If-None-Match"], seen["If-Modified-Since"]) == (etag, modified)
    assert seen["User-Agent"] == "wireroom/test"
    assert not {"Cookie", "Referer", "Authorization"} & set(seen)


@pytest.mark.parametrize(
    ("statuses", "is_permanent"),
    [
        ((301,), True),
        ((301, 308, 301), True),
        ((302,), False),
        ((301, 307), False),
        ((303, 301), False),
        ((301, 301, 301, 301, 301), True),
    ],
)
def test_a_feed_has_moved_for_good_only_if_every_hop_says_so(
    statuses: tuple[int, ...], *, is_permanent: bool
) -> None:
    result = reply(redirects(*statuses))
    assert result.url.endswith(f"/{len(statuses)}")
    assert result.permanent_url == (result.url if is_permanent else None)


def test_the_sixth_redirect_is_not_followed() -> None:
    error = failure(redirects(*[302] * 6))
    assert error.outcome is PollOutcome.HTTP_ERROR
    assert "redirects more than 5 times" in error.reason


@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        ("file:///etc/passwd", PollOutcome.BLOCKED),
        ("gopher://127.0.0.1/", PollOutcome.BLOCKED),
        ("http://me:secret@127.0.0.1/", PollOutcome.BLOCKED),
        ("http://[::1", PollOutcome.HTTP_ERROR),
        ("http://a:99999999/", PollOutcome.HTTP_ERROR),
    ],
)
def test_a_redirect_to_what_may_not_be_asked_for_ends_there(
    location: str, outcome: PollOutcome
) -> None:
    async def handler(request: web.Request) -> web.Response:
        del request
        return web.Response(status=302, headers={"Location": location})

    assert failure(handler).outcome is outcome


def test_a_redirect_without_a_target_is_a_status() -> None:
    async def handler(request: web.Request) -> web.Response:
        del request
        return web.Response(status=302)

    assert reply(handler).status == 302


def test_https_never_turns_into_http() -> None:
    with pytest.raises(FetchFailedError, match="from https to plain http"):
        next_url(checked_url("https://a.example/"), "http://a.example/")
    assert (
        str(next_url(checked_url("http://a.example/x"), "?b#c"))
        == "http://a.example/x?b"
    )


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("ftp://a.example/", PollOutcome.BLOCKED),
        ("file:///etc/passwd", PollOutcome.BLOCKED),
        ("https://me:secret@a.example/", PollOutcome.BLOCKED),
        ("ftp://me:secret@a.example/", PollOutcome.BLOCKED),
        ("feed", PollOutcome.BLOCKED),
        ("http://", PollOutcome.BLOCKED),
        ("", PollOutcome.BLOCKED),
        ("http://[::1", PollOutcome.UNREACHABLE),
        ("http://a:b:c/", PollOutcome.UNREACHABLE),
    ],
)
def test_an_address_that_is_not_fetched_never_shows_its_password(
    url: str, outcome: PollOutcome
) -> None:
    error = failure(serve_body, url=url)
    assert error.outcome is outcome
    assert "secret" not in error.reason


def test_a_url_goes_out_as_it_is_spelt() -> None:
    paths = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.raw_path)
        return web.Response(body=BODY)

    for path in ["/a%2Fb?c=%7e&d=a+b%20c", "/é x", "?q", ""]:
        reply(handler, path=path)
    assert paths == ["/a%2Fb?c=%7e&d=a+b%20c", "/%C3%A9%20x", "/?q", "/"]


def test_a_body_over_the_limit_is_given_up() -> None:
    async def handler(request: web.Request) -> web.Response:
        del request
        return web.Response(body=b"x" * 2_000)

    assert len(reply(handler, max_body_bytes=2_000).body) == 2_000
    assert failure(handler, max_body_bytes=1_999).outcome is PollOutcome.TOO_LARGE


def test_a_small_body_that_unpacks_to_a_large_one_is_given_up() -> None:
    packed = gzip.compress(b"\0" * 50_000_000)

    async def handler(request: web.Request) -> web.Response:
        del request
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    assert failure(handler, max_body_bytes=100_000).outcome is PollOutcome.TOO_LARGE


def test_a_slow_drip_ends_with_the_deadline() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.01)

    error = failure(handler, timeout_seconds=0.2)
    assert error.outcome is PollOutcome.TIMEOUT


def test_all_hops_share_one_deadline() -> None:
    async def handler(request: web.Request) -> web.Response:
        await asyncio.sleep(0.15)
        n = int(request.path.strip("/") or 0)
        return web.Response(status=302, headers={"Location": f"/{n + 1}"})

    error = failure(handler, timeout_seconds=0.4)
    assert error.outcome is PollOutcome.TIMEOUT


def test_one_request_at_a_time_goes_to_a_host() -> None:
    at_once = 0
    most = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal at_once, most
        del request
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return web.Response(body=BODY)

    results = run(handler, *[{}] * 5)
    assert [type(result) for result in results] == [Reply] * 5
    assert most == 1


def test_waiting_for_its_turn_costs_a_feed_no_time() -> None:
    async def handler(request: web.Request) -> web.Response:
        del request
        await asyncio.sleep(0.1)
        return web.Response(body=BODY)

    results = run(handler, *[{"timeout_seconds": 0.3}] * 5)
    assert [type(result) for result in results] == [Reply] * 5


def test_a_host_that_asks_us_to_slow_down_is_left_alone() -> None:
    n_requests = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal n_requests
        del request
        n_requests += 1
        return web.Response(status=429, headers={"Retry-After": "77"})

    first, *others = run(handler, *[{}] * 3)
    assert isinstance(first, Reply)
    assert first.status == 429
    for other in others:
        assert isinstance(other, FetchFailedError)
        assert (other.outcome, other.retry_after) == (PollOutcome.THROTTLED, "77")
    assert n_requests == 1


def raw_server(answer: bytes, **call: Any) -> Reply | FetchFailedError:
    """Fetch from a server that answers with exactly these bytes and hangs up."""

    async def scenario() -> Reply | FetchFailedError:
        async def talk(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, open_fetch(LOOPBACK) as fetch:
            url = f"http://127.0.0.1:{port}/"
            return await ended(fetch, FetchRequest(url=url, timeout_seconds=5, **call))

    return asyncio.run(scenario())


def test_a_body_that_breaks_off_is_kept_as_far_as_it_came() -> None:
    result = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<rss>")
    assert isinstance(result, Reply)
    assert (result.body, result.truncated) == (b"<rss>", True)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"", PollOutcome.UNREACHABLE),
        (b"SSH-2.0-OpenSSH\r\n\r\n", PollOutcome.HTTP_ERROR),
        (
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 50_000 + b"\r\n\r\n",
            PollOutcome.HTTP_ERROR,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot packed",
            PollOutcome.HTTP_ERROR,
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", PollOutcome.HTTP_ERROR),
    ],
)
def test_what_is_no_answer_is_an_outcome(answer: bytes, outcome: PollOutcome) -> None:
    result = raw_server(answer)
    assert isinstance(result, FetchFailedError)
    assert result.outcome is outcome


def test_a_host_that_nobody_serves_is_unreachable() -> None:
    error = failure(serve_body, url="http://127.0.0.1:9/")
    assert error.outcome is PollOutcome.UNREACHABLE
    error = failure(serve_body, url="https://127.0.0.1:9/")
    assert error.outcome is PollOutcome.UNREACHABLE


def test_what_fails_before_the_connection_holds_for_the_whole_host() -> None:
    where = ConnectionKey("a.example", 80, False, True, None, None, None)  # noqa: FBT003 - the fields of a named tuple
    no_address = fetch_failure(ClientConnectorDNSError(where, OSError()), "a.example")
    assert no_address.outcome is PollOutcome.UNREACHABLE
    assert (no_address.reason, no_address.whole_host) == (
        "a.example has no address",
        True,
    )
    too_slow = fetch_failure(ConnectionTimeoutError(), "a.example")
    assert (too_slow.outcome, too_slow.whole_host) == (PollOutcome.TIMEOUT, True)
    assert not fetch_failure(TimeoutError(), "a.example").whole_host


def test_a_host_without_tls_is_unreachable_by_https() -> None:
    async def scenario() -> Reply | FetchFailedError:
        app = web.Application()
        async with TestServer(app) as server, open_fetch(LOOPBACK) as fetch:
            url = f"https://127.0.0.1:{server.port}/"
            return await ended(fetch, FetchRequest(url=url))

    result = asyncio.run(scenario())
    assert isinstance(result, FetchFailedError)
    assert result.outcome is PollOutcome.UNREACHABLE
