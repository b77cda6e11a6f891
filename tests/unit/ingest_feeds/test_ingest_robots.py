"""Robots: asked once a day and host, obeyed, and no way to slow us down."""

import asyncio
from typing import Any

import pytest

from ingest.fetch import FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError
from ingest.messages import PollOutcome
from ingest.robots import FRESH_SECONDS, MAX_BODY_BYTES, UNSAID_SECONDS, Robots
from ingest.robots import parse_rules as rules_of

PLACE = "https://news.example/robots.txt"
OURS = b"User-agent: *\nDisallow: /private\n"


class FakeHost:
    """Answers for robots.txt as it was told, and 200 for all else."""

    def __init__(self, answer: Reply | Exception) -> None:
        self.answer = answer
        self.asked: list[FetchRequest] = []

    async def __call__(self, request: FetchRequest, /) -> Reply:
        self.asked.append(request)
        await asyncio.sleep(0)
        if not request.url.endswith("/robots.txt"):
            return Reply(url=request.url, status=200, body=b"feed")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @property
    def n_robots(self) -> int:
        return sum(one.url.endswith("/robots.txt") for one in self.asked)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def said(body: bytes = OURS, status: int = 200) -> FakeHost:
    return FakeHost(Reply(url=PLACE, status=status, body=body))


def ask(
    host: FakeHost, *paths: str, robots: Robots | None = None
) -> list[Reply | FetchFailedError]:
    """Fetch these pages of the host, all at once."""
    fetch = (robots or Robots("wireroom/0.1 (news)")).obeyed_by(host)

    async def one(path: str) -> Reply | FetchFailedError:
        try:
            request = FetchRequest(url=f"https://news.example{path}", etag='"1"')
            return await fetch(request)
        except FetchFailedError as error:
            return error

    async def all_of_them() -> list[Reply | FetchFailedError]:
        return list(await asyncio.gather(*map(one, paths)))

    return asyncio.run(all_of_them())


def outcome(result: Any) -> str:
    return str(getattr(result, "outcome", "fetched"))


def test_what_a_host_forbids_is_not_read() -> None:
    host = said()
    allowed, forbidden = ask(host, "/feed", "/private/feed")
    assert (outcome(allowed), outcome(forbidden)) == ("fetched", PollOutcome.DENIED)
    assert [one.url for one in host.asked] == [PLACE, "https://news.example/feed"]
    asked = host.asked[0]
    assert (asked.etag, asked.max_body_bytes, asked.cut) == (None, MAX_BODY_BYTES, True)


@pytest.mark.parametrize(
    ("status", "ends"),
    [
        (404, "fetched"),
        (401, "fetched"),
        (302, "fetched"),
        (500, PollOutcome.HTTP_ERROR),
        (503, PollOutcome.HTTP_ERROR),
        (429, PollOutcome.HTTP_ERROR),
    ],
)
def test_a_host_without_rules_allows_all_and_one_that_is_down_nothing(
    status: int, ends: str
) -> None:
    (result,) = ask(said(status=status), "/private")
    assert outcome(result) == ends


def test_a_host_that_cannot_be_asked_is_not_read_for_the_reason_it_gave() -> None:
    host = FakeHost(FetchFailedError(PollOutcome.TIMEOUT, "too late"))
    (result,) = ask(host, "/feed")
    assert outcome(result) == PollOutcome.TIMEOUT
    assert len(host.asked) == 1


def test_a_host_is_asked_once_for_all_its_feeds_and_once_a_day() -> None:
    host, clock = said(), Clock()
    robots = Robots("wireroom/0.1", clock=clock)
    ask(host, *(f"/{n}" for n in range(5)), robots=robots)
    clock.now = FRESH_SECONDS - 1
    ask(host, "/later", robots=robots)
    assert host.n_robots == 1
    clock.now = FRESH_SECONDS
    ask(host, "/later", robots=robots)
    assert host.n_robots == 2


def test_a_host_that_was_down_is_asked_again_within_the_hour() -> None:
    host, clock = said(status=503), Clock()
    robots = Robots("wireroom/0.1", clock=clock)
    ask(host, "/a", robots=robots)
    host.answer = Reply(url=PLACE, status=200, body=OURS)
    clock.now = UNSAID_SECONDS - 1
    assert outcome(ask(host, "/a", robots=robots)[0]) == PollOutcome.HTTP_ERROR
    clock.now = UNSAID_SECONDS
    assert outcome(ask(host, "/a", robots=robots)[0]) == "fetched"


@pytest.mark.parametrize(
    ("body", "path", "is_allowed"),
    [
        (b"", "/a", True),
        (b"\xff\xfe junk \x00", "/a", True),
        (b"User-agent: *\nDisallow: /", "/a", False),
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /", "/a", False),
        (b"User-agent: wireroom\nDisallow: /\n\nUser-agent: *\nAllow: /", "/a", False),
        (b"User-agent: WireRoom\nAllow: /\n\nUser-agent: *\nDisallow: /", "/a", True),
        (b"User-agent: otherbot\nDisallow: /", "/a", True),
        (b"User-agent: otherbot\nUser-agent: *\nDisallow: /", "/a", False),
        (b"User-agent: * # all\nDisallow: /a\nAllow: /a/news", "/a/news/1", True),
        (b"User-agent: *\nDisallow: /*.xml$", "/feed.xml", False),
        (b"User-agent: *\nDisallow: /*.xml$", "/feed.xml?x=1", True),
    ],
)
def test_the_longest_rule_for_us_decides(
    body: bytes, path: str, *, is_allowed: bool
) -> None:
    rules = rules_of(body, "wireroom")
    assert rules.can_fetch(f"https://news.example{path}", "wireroom") == is_allowed


@pytest.mark.parametrize(
    "body",
    [
        b"".join(b"User-agent: a%d\n" % n for n in range(15_000))
        + b"".join(b"Disallow: /%d\n" % n for n in range(15_000)),
        b"User-agent: *\nDisallow: /" + b"*a" * 200_000 + b"b",
        b"User-agent: *\n" + (b"Disallow: /" + b"*a" * 40 + b"b\n") * 5_000,
    ],
    ids=["agents", "one long rule", "many stars"],
)
@pytest.mark.timeout(60)  # a bomb that goes off takes hours, or all memory
def test_no_file_is_a_bomb(body: bytes) -> None:
    rules = rules_of(body[:MAX_BODY_BYTES], "wireroom")
    assert rules.can_fetch("https://news.example/" + "a" * 2_000, "wireroom")
