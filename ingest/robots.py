"""Robots: what a host asks automatic readers to leave alone, as in RFC 9309."""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit
from weakref import WeakValueDictionary

from protego import Protego

from ingest.fetch import Fetch, FetchRequest, Reply
from ingest.fetch_errors import FetchFailedError
from ingest.messages import PollOutcome

FRESH_SECONDS = 24 * 3_600.0
# A host that cannot say what it forbids is left alone for so long.
UNSAID_SECONDS = 3_600.0
MAX_BODY_BYTES = 500_000  # what the RFC asks for at least; the rest is not read
MAX_ORIGINS = 5_000  # a process remembers so many
FORBIDDEN = "robots.txt of its host asks us not to read it"
_OTHERS = "somebody-else"
_AGENT_LINE = re.compile(r"[ \t]*user[- ]?agent[ \t]*:?(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """What an origin said, and until when it holds."""

    until: float
    rules: Protego | None  # None: everything is allowed
    error: str | None = None  # nothing is allowed, and why


class Robots:
    """Remembers what hosts have said, for all sessions of a process."""

    def __init__(
        self, user_agent: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask on behalf of the product that a User-Agent names first."""
        self._agent = re.split(r"[/\s]", user_agent.strip(), maxsplit=1)[0]
        self._clock = clock
        self._words: dict[str, _Word] = {}
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def obeyed_by(self, fetch: Fetch) -> Fetch:
        """Return a fetch that asks the host of each URL before it is requested.

        So at each address that a redirect leads to as well.
        """

        async def obedient(request: FetchRequest, /) -> Reply:
            async def allow(url: str) -> None:
                await self.check(replace(request, url=url), fetch=fetch)

            await allow(request.url)
            return await fetch(replace(request, allow=allow))

        return obedient

    async def check(self, request: FetchRequest, *, fetch: Fetch) -> None:
        """Return if a URL may be requested; its host is asked once a day.

        Raises:
            FetchFailedError: It may not, or its host cannot be asked.
        """
        word = await self._word(request, fetch)
        if word.error is not None:
            raise FetchFailedError(PollOutcome.HTTP_ERROR, word.error)
        if word.rules and not word.rules.can_fetch(request.url, self._agent):
            raise FetchFailedError(PollOutcome.DENIED, FORBIDDEN)

    async def _word(self, request: FetchRequest, fetch: Fetch) -> _Word:
        place = _place(request.url)
        # The feeds of one host are polled together: one of them asks for all.
        async with self._asking.setdefault(place, asyncio.Lock()):
            word = self._words.get(place)
            if word is None or word.until <= self._clock():
                word = self._read(await fetch(_about(place, request)))
                self._words.pop(place, None)
                self._words[place] = word
                if len(self._words) > MAX_ORIGINS:
                    del self._words[next(iter(self._words))]
        return word

    def _read(self, reply: Reply) -> _Word:
        now, status = self._clock(), reply.status
        is_down = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if is_down or status == HTTPStatus.TOO_MANY_REQUESTS:
            error = f"robots.txt of its host cannot be read ({status})"
            return _Word(until=now + UNSAID_SECONDS, rules=None, error=error)
        rules = None
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            rules = parse_rules(reply.body, self._agent)
        return _Word(until=now + FRESH_SECONDS, rules=rules)


def parse_rules(body: bytes, agent: str) -> Protego:
    """Return the rules in a robots.txt for one agent, in time linear in its length.

    All agents that are not ours become one: rules under ten thousand names would be
    kept ten thousand times.
    """
    text = body.decode("utf-8-sig", "replace")
    return Protego.parse("\n".join(_for_us(line, agent) for line in text.splitlines()))


def _for_us(line: str, agent: str) -> str:
    match = _AGENT_LINE.match(line)
    if match is None:
        return line
    named = match.group(1).partition("#")[0].strip().strip("*").lower()
    is_ours = named in agent.lower()  # empty: it is for everybody
    return f"User-agent: {(named or '*') if is_ours else _OTHERS}"


def _place(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))


def _about(place: str, request: FetchRequest) -> FetchRequest:
    return replace(
        request,
        url=place,
        etag=None,
        last_modified=None,
        allow=None,  # it is what forbids, and may lie anywhere
        max_body_bytes=MAX_BODY_BYTES,
        cut=True,
    )
