"""A fetch that meets an enemy: limits hold, private addresses stay out of reach."""

import asyncio
import gzip
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest
from support.hostile import Talk, dripping, read_head, saying, serving, silent

from ingest.fetch import Fetch, FetchOptions, FetchRequest, Reply, open_fetch
from ingest.fetch_errors import FetchFailedError
from ingest.guard import literal_refusal, parse_networks
from ingest.messages import PollOutcome

LOOPBACK = FetchOptions(user_agent="wireroom/test", allow_networks=("127.0.0.1",))
CLOSED = FetchOptions(user_agent="wireroom/test")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>"


async def ended(fetch: Fetch, request: FetchRequest) -> Reply | FetchFailedError:
    try:
        return await fetch(request)
    except FetchFailedError as error:
        return error


def fetched(
    talk: Talk,
    *,
    url: str = "http://127.0.0.1:{port}/",
    options: FetchOptions = LOOPBACK,
    **changes: Any,
) -> Reply | FetchFailedError:
    """Fetch once from a server that talks like this."""

    async def scenario() -> Reply | FetchFailedError:
        async with serving(talk) as port, open_fetch(options) as fetch:
            values = {"url": url.format(port=port), "timeout_seconds": 5.0, **changes}
            return await ended(fetch, FetchRequest(**values))

    return asyncio.run(scenario())


def outcome(result: Reply | FetchFailedError) -> str:
    return result.outcome if isinstance(result, FetchFailedError) else "reply"


# ---- addresses ----

LOOPBACK_HOSTS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "localhost",
    "LOCALHOST.",
    "feeds.localhost",
    # Digits that a name is turned into before it is looked up.
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "127\u3002\uff10\u3002\uff10\u3002\uff11",
]
PRIVATE_HOSTS = [
    "0",
    "0.0.0.0",  # noqa: S104 - judged, not bound to
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "2852039166",  # 169.254.169.254
    "0xa9fea9fe",
    "172.16.0.1",
    "192.168.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001::1]",
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]
REFUSED_HOSTS = LOOPBACK_HOSTS + PRIVATE_HOSTS


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_no_spelling_of_a_private_address_is_connected_to(host: str) -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        writer.write(OK)

    result = fetched(talk, url=f"http://{host}:{{port}}/", options=CLOSED)
    # What no resolver takes for an address has none, which is as good.
    assert outcome(result) in {PollOutcome.BLOCKED, PollOutcome.UNREACHABLE}
    assert seen == []


@pytest.mark.parametrize("host", REFUSED_HOSTS)
def test_no_spelling_of_a_private_address_is_left_to_a_proxy(host: str) -> None:
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_head(reader))
        writer.write(OK)

    async def scenario() -> Reply | FetchFailedError:
        async with serving(proxy) as port:
            options = FetchOptions(
                user_agent="wireroom/test", proxy=f"http://127.0.0.1:{port}"
            )
            async with open_fetch(options) as fetch:
                return await ended(fetch, FetchRequest(url=f"http://{host}/"))

    assert outcome(asyncio.run(scenario())) == PollOutcome.BLOCKED
    assert seen == []


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_redirect_to_a_private_address_is_refused(host: str) -> None:
    moved = f"HTTP/1.1 302 Found\r\nLocation: http://{host}:9/\r\n\r\n".encode()
    result = fetched(saying(moved))
    assert outcome(result) in {PollOutcome.BLOCKED, PollOutcome.UNREACHABLE}


@pytest.mark.parametrize("zone", ["%25lo", "%lo", "%251"])
def test_a_zone_does_not_hide_an_address(zone: str) -> None:
    result = fetched(saying(OK), url=f"http://[fe80::1{zone}]:{{port}}/")
    assert outcome(result) in {PollOutcome.BLOCKED, PollOutcome.UNREACHABLE}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@news.example:{port}/",
        "http://news.example@127.0.0.1:{port}/",
        "http://:pass@127.0.0.1:{port}/",
    ],
)
def test_a_user_in_the_address_hides_nothing(url: str) -> None:
    assert outcome(fetched(saying(OK), url=url)) == PollOutcome.BLOCKED


@pytest.mark.parametrize("host", ["news.example", "a.b", "1.1.1.1", "[2606:4700::1]"])
def test_what_may_be_public_is_left_to_a_proxy(host: str) -> None:
    assert literal_refusal(host.strip("[]")) is None


def test_an_allowed_network_is_allowed_through_a_proxy_as_well() -> None:
    allowed = parse_networks(["127.0.0.0/8"])
    for host in ("127.0.0.1", "127.1", "localhost"):
        assert literal_refusal(host, allowed) is None
    assert literal_refusal("10.0.0.1", allowed) is not None


class ChangingName:
    """A name that is public when it is looked at, and private when it is used."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.n_asked = 0

    def __call__(self, host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        self.n_asked += 1
        del host
        first, *later = self.addresses
        address, self.addresses = first, later or [first]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_a_name_that_changes_its_mind_is_refused_when_connecting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first look finds a public address, each later one ours."""

    async def moved(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")

    name = ChangingName("93.184.216.34", "127.0.0.1")

    async def scenario() -> list[str]:
        async with serving(moved) as port:
            url = f"http://rebinding.example:{port}/"
            # Whoever checked the name beforehand saw this.
            first = name(url, port)[0][4][0]
            loop = asyncio.get_running_loop()

            async def look(host: Any, asked: Any, **_: Any) -> list[Any]:
                return name(host, asked)

            monkeypatch.setattr(loop, "getaddrinfo", look)
            async with open_fetch(CLOSED) as fetch:
                got = await ended(fetch, FetchRequest(url=url))
            return [first, outcome(got), getattr(got, "reason", "")]

    assert asyncio.run(scenario()) == [
        "93.184.216.34",
        PollOutcome.BLOCKED,
        "127.0.0.1 is not a public address",
    ]
    assert name.n_asked == 2


def test_a_name_of_several_addresses_reaches_the_public_ones_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> Reply | FetchFailedError:
        async with serving(saying(OK)) as port:
            loop = asyncio.get_running_loop()

            async def look(_host: Any, asked: Any, **_: Any) -> list[Any]:
                kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
                return [(*kind, (one, asked)) for one in ("10.0.0.1", "127.0.0.1")]

            monkeypatch.setattr(loop, "getaddrinfo", look)
            async with open_fetch(LOOPBACK) as fetch:
                request = FetchRequest(url=f"http://two.example:{port}/")
                return await ended(fetch, request)

    assert outcome(asyncio.run(scenario())) == "reply"


# ---- what is sent ----


@pytest.fixture
def full_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with proxies and credentials, none of them for us."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.mark.usefixtures("full_environment")
def test_nothing_is_taken_from_the_environment_or_from_an_earlier_answer() -> None:
    heads: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))
        if len(heads) == 1:
            writer.write(
                b"HTTP/1.1 302 Found\r\nLocation: /2\r\nSet-Cookie: a=b; Path=/\r\n"
                b"WWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"
            )
            heads.append(await read_head(reader))
        writer.write(OK)

    assert outcome(fetched(talk)) == "reply"
    assert [head.split(b" ")[1] for head in heads] == [b"/", b"/2"]
    for head in heads:
        names = {line.split(b":")[0].lower() for line in head.splitlines()[1:] if line}
        wanted = {b"host", b"user-agent", b"accept", b"accept-encoding"}
        assert names == wanted
        assert b"User-Agent: wireroom/test\r\n" in head
        # Nothing is offered that would not be unpacked within limits.
        assert b"Accept-Encoding: gzip, deflate\r\n" in head


# ---- limits ----

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ZEROS = b"\0" * 20_000_000


def packed(encoding: str, body: bytes) -> bytes:
    length = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return HEAD + length.encode() + body


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("talk", "ends"),
    [
        (saying(packed("gzip", gzip.compress(ZEROS))), PollOutcome.TOO_LARGE),
        (saying(packed("deflate", zlib.compress(ZEROS))), PollOutcome.TOO_LARGE),
        (saying(packed("deflate", raw_deflate(ZEROS))), PollOutcome.TOO_LARGE),
        (saying(packed("gzip", gzip.compress(b"<rss/>")[:-4])), "reply"),
        (saying(packed("gzip", b"not packed")), PollOutcome.HTTP_ERROR),
        (saying(packed("br", b"\x0b\x02\x80<rss/>\x03")), PollOutcome.HTTP_ERROR),
        (dripping(HEAD + b"\r\n", b"x" * 65_536, pause=0), PollOutcome.TOO_LARGE),
        (dripping(CHUNKED, b"1\r\nx\r\n"), PollOutcome.TIMEOUT),
        (dripping(HEAD, b"X: y\r\n"), PollOutcome.TIMEOUT),
        (dripping(HEAD + b"X: ", b"y"), PollOutcome.TIMEOUT),
        (dripping(b"", b"\r\n"), PollOutcome.TIMEOUT),
        (dripping(HEAD + b"X: ", b"y" * 65_536, pause=0), PollOutcome.HTTP_ERROR),
        (silent, PollOutcome.TIMEOUT),
        (saying(CHUNKED + b"zz\r\nabc\r\n"), PollOutcome.HTTP_ERROR),
        (saying(CHUNKED + b"fffffffffffffffff\r\nabc"), PollOutcome.HTTP_ERROR),
        (saying(b"<rss/>"), PollOutcome.HTTP_ERROR),
        (saying(b"\x16\x03\x01\x02"), PollOutcome.HTTP_ERROR),
        (saying(HEAD + b"Content-Length: -1\r\n\r\n"), PollOutcome.HTTP_ERROR),
        (
            saying(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            PollOutcome.HTTP_ERROR,
        ),
    ],
)
def test_every_attack_has_one_outcome_and_an_end(talk: Talk, ends: str) -> None:
    result = fetched(talk, timeout_seconds=0.7, max_body_bytes=1_000_000)
    assert outcome(result) == ends


def test_headers_without_end_are_refused_in_all() -> None:
    head = HEAD + b"".join(b"X-%d: %b\r\n" % (n, b"y" * 1_000) for n in range(3_000))
    result = fetched(saying(head, b"\r\n"), timeout_seconds=2.0)
    assert isinstance(result, FetchFailedError)
    assert result.outcome is PollOutcome.HTTP_ERROR


def test_a_tls_handshake_that_hangs_ends_with_the_wait_for_a_connection() -> None:
    result = fetched(
        silent,
        url="https://127.0.0.1:{port}/",
        timeout_seconds=5.0,
        connect_timeout_seconds=0.2,
    )
    assert isinstance(result, FetchFailedError)
    assert (result.outcome, result.whole_host) == (PollOutcome.TIMEOUT, True)


def test_a_reset_in_the_middle_of_a_body_is_a_body_that_broke_off() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(HEAD + b"Content-Length: 100\r\n\r\n<rss>")
        await writer.drain()
        await asyncio.sleep(0.05)
        # No farewell, as from a machine that lost its power.
        linger = b"\1\0\0\0\0\0\0\0"
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    result = fetched(talk)
    assert isinstance(result, Reply)
    assert (result.body, result.truncated) == (b"<rss>", True)


def test_a_redirect_loop_ends() -> None:
    loop = b"HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"
    result = fetched(saying(loop))
    assert isinstance(result, FetchFailedError)
    assert result.outcome is PollOutcome.HTTP_ERROR


def test_what_fits_of_a_body_is_kept_where_that_is_enough() -> None:
    body = HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 100
    result = fetched(saying(body), max_body_bytes=40, cut=True)
    assert isinstance(result, Reply)
    assert (result.body, result.truncated) == (b"x" * 40, True)


def test_a_slow_host_leaves_its_other_feeds_for_later() -> None:
    options = FetchOptions(
        user_agent="wireroom/test", allow_networks=("127.0.0.1",), host_seconds=0.1
    )

    async def scenario() -> list[str]:
        slow = saying(b"", OK, pause=0.08)
        async with serving(slow) as port, open_fetch(options) as fetch:
            asked = FetchRequest(url=f"http://127.0.0.1:{port}/")
            results = await asyncio.gather(*(ended(fetch, asked) for _ in range(4)))
            return [outcome(one) for one in results]

    found = asyncio.run(scenario())
    assert found[0] == "reply"
    assert found[-1] == PollOutcome.THROTTLED


# ---- proxy ----


def test_a_proxy_carries_every_request_and_resolves_names() -> None:
    heads: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))
        if heads[-1].startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(OK)

    async def scenario() -> list[Reply | FetchFailedError]:
        async with serving(proxy) as port:
            options = FetchOptions(
                user_agent="wireroom/test", proxy=f"http://me:word@127.0.0.1:{port}"
            )
            async with open_fetch(options) as fetch:
                urls = ("http://nowhere.example/feed", "https://nowhere.example/feed")
                return [await ended(fetch, FetchRequest(url=url)) for url in urls]

    plain, secure = asyncio.run(scenario())
    assert isinstance(plain, Reply)
    assert plain.body == b"<rss/>"
    assert heads[0].startswith(b"GET http://nowhere.example/feed HTTP/1.1\r\n")
    assert heads[1].startswith(b"CONNECT nowhere.example:443 HTTP/1.1\r\n")
    assert all(b"Proxy-Authorization: Basic" in head for head in heads)
    assert isinstance(secure, FetchFailedError)
    assert secure.outcome is PollOutcome.UNREACHABLE
    assert secure.reason.startswith("the proxy does not connect to nowhere.example")


def test_a_proxy_that_is_away_is_named_as_the_reason() -> None:
    options = FetchOptions(user_agent="wireroom/test", proxy="http://127.0.0.1:9")
    result = fetched(saying(OK), url="http://a.example/", options=options)
    assert isinstance(result, FetchFailedError)
    assert result.reason == "the proxy cannot be reached"


def test_a_proxy_sees_each_hop_judged_anew() -> None:
    to = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n"

    async def scenario() -> Reply | FetchFailedError:
        async with serving(saying(to)) as port:
            options = FetchOptions(
                user_agent="wireroom/test", proxy=f"http://127.0.0.1:{port}"
            )
            async with open_fetch(options) as fetch:
                return await ended(fetch, FetchRequest(url="http://a.example/"))

    assert outcome(asyncio.run(scenario())) == PollOutcome.BLOCKED
