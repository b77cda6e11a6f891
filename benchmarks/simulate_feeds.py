"""A population of feeds that does not exist: when each publishes, how its server acts.

What is assumed, and after what. Liu, Ramasubramanian and Sirer (IMC 2005) polled about
100,000 feeds: 55 % changed within the hour, 25 % not for several days, and the lively
ones make most of the entries. A look at 23,000 subscribed feeds (2004) found a quarter
without news for two weeks. Urbansky et al. (ICWSM 2011) tell apart feeds of constant
pace, in chunks, by the hours of work, and dead ones. Shares and rates below follow
these in their order of size; nobody has published the figures for news feeds of today,
so they are assumptions, and a policy has to win on each of the kinds to be believed.

Not modelled: hosts that slow down under load, feeds whose dates lie, summer time.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ingest.messages import PollOutcome

MINUTE = 60
HOUR = 3_600
DAY = 24 * HOUR
WEEK = 7 * DAY
WEEK_HOURS = 168
SATURDAY = 5
# The virtual clock starts on a Monday at midnight, in seconds since 1970.
EPOCH = 1_772_409_600
# Published before the first poll: what the first document holds.
HISTORY_DAYS = 28

# Weight of each hour of a working day, from midnight local time.
OFFICE = (
    1,
    1,
    1,
    1,
    1,
    2,
    5,
    9,
    12,
    12,
    12,
    12,
    11,
    11,
    11,
    11,
    11,
    10,
    7,
    5,
    4,
    3,
    2,
    1,
)
AWAKE = (
    5,
    4,
    3,
    3,
    3,
    4,
    6,
    8,
    10,
    10,
    10,
    10,
    10,
    10,
    10,
    10,
    10,
    10,
    9,
    9,
    8,
    8,
    7,
    6,
)
FLAT = (1,) * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A way of publishing."""

    share: float  # of all feeds
    a_day: float  # median entries a day
    spread: float  # sigma of their logarithm
    hours: Sequence[float]
    weekend: float  # weight of Saturday and Sunday
    windows: tuple[int, ...]  # entries its document holds
    publish: Callable[[random.Random, "Kind", float, float, float], list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFeed:
    """A feed and its server, fixed before anyone polls."""

    number: int
    kind: str
    host: int
    published: list[float]  # in order, seconds since 1970
    window: int
    dated: bool  # its entries say when they were published
    unchanged: PollOutcome  # 304, or the whole body once more
    min_interval: int | None  # max-age or ttl, in seconds
    throttles_below: int  # asked again sooner, it answers 429
    outages: Sequence[tuple[float, float]]  # start and end
    gone_at: float | None  # from then on it answers 404
    first_poll_at: float


def _spread(
    rng: random.Random, kind: Kind, a_day: float, start: float, end: float
) -> list[float]:
    """Return moments that are independent of each other, by the hours of the week."""
    zone = rng.choice((-8, -5, 0, 1, 1, 1, 2, 5.5, 8, 9)) * HOUR
    week = [
        weight * (kind.weekend if day >= SATURDAY else 1.0)
        for day in range(7)
        for weight in kind.hours
    ]
    # Whole weeks, from the Monday before; what lies outside is dropped later.
    n_weeks = math.ceil((end - start) / WEEK) + 1
    n = _poisson(rng, a_day * 7 * n_weeks)
    hours = rng.choices(range(WEEK_HOURS), cum_weights=list(accumulate(week)), k=n)
    monday = start - zone - (WEEK if zone < 0 else 0)
    return [
        monday + int(rng.random() * n_weeks) * WEEK + (hour + rng.random()) * HOUR
        for hour in hours
    ]


def _bursts(
    rng: random.Random, kind: Kind, a_day: float, start: float, end: float
) -> list[float]:
    """Return a thin stream, and now and then many entries within an hour or two."""
    per_burst = 8
    seeds = _spread(rng, kind, a_day / (1 + per_burst / 3), start, end)
    moments = list(seeds)
    for at in seeds:
        if rng.random() < 1 / 3:
            n = int(rng.expovariate(1 / per_burst))
            moments += [at + rng.expovariate(1 / (40 * MINUTE)) for _ in range(n)]
    return moments


def _batches(
    rng: random.Random, kind: Kind, a_day: float, start: float, end: float
) -> list[float]:
    """Return entries that a job brings out at the same minute of every hour."""
    minute = rng.randrange(60) * MINUTE
    moments = _spread(rng, kind, a_day, start, end)
    return [at - (at - minute) % HOUR + HOUR + 5 * rng.random() for at in moments]


KINDS = {
    "steady": Kind(
        share=0.15,
        a_day=20,
        spread=0.6,
        hours=FLAT,
        weekend=1.0,
        windows=(20, 30, 50),
        publish=_spread,
    ),
    "office": Kind(
        share=0.32,
        a_day=8,
        spread=0.9,
        hours=OFFICE,
        weekend=0.25,
        windows=(10, 15, 20, 30),
        publish=_spread,
    ),
    "bursts": Kind(
        share=0.10,
        a_day=6,
        spread=0.7,
        hours=AWAKE,
        weekend=0.6,
        windows=(10, 20, 30),
        publish=_bursts,
    ),
    "batches": Kind(
        share=0.08,
        a_day=14,
        spread=0.6,
        hours=AWAKE,
        weekend=0.7,
        windows=(20, 30, 50),
        publish=_batches,
    ),
    "high": Kind(
        share=0.03,
        a_day=180,
        spread=0.4,
        hours=AWAKE,
        weekend=0.7,
        windows=(50, 100),
        publish=_spread,
    ),
    "weekly": Kind(
        share=0.20,
        a_day=0.28,
        spread=0.9,
        hours=AWAKE,
        weekend=0.8,
        windows=(10, 15),
        publish=_spread,
    ),
    "dead": Kind(
        share=0.12,
        a_day=0.0,
        spread=0.0,
        hours=FLAT,
        weekend=1.0,
        windows=(10,),
        publish=_spread,
    ),
}
DATED_SHARE = 0.93  # of feeds, whose entries say when they were published
VALIDATOR_SHARE = 0.65
THROTTLING_SHARE = 0.04  # answer 429 when they are asked again within half an hour
STOPPING_SHARE = 0.03  # publish nothing more from some day on
BROKEN_SHARE, BREAKING_SHARE = 0.02, 0.01  # before the start, and meanwhile
HINTS = {None: 80, 300: 9, 900: 6, 3_600: 5}  # max-age or ttl in seconds: weight
# Feeds a host has: most stand alone, a few platforms have hundreds.
FEEDS_A_HOST = 2.5
NORMAL_FROM = 50  # mean from which a normal number stands for a Poisson one


def make_feed(number: int, *, n_feeds: int, days: int, seed: int) -> SimulatedFeed:
    """Return one feed of the population; the same for the same numbers.

    Args:
        number: Which one, from 0.
        n_feeds: How many there are, which makes the number of hosts.
        days: How long it will be watched.
        seed: Which population.
    """
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  # a model, no secret
    name = rng.choices(list(KINDS), [kind.share for kind in KINDS.values()])[0]
    kind = KINDS[name]
    end = EPOCH + days * DAY
    a_day = kind.a_day * math.exp(rng.gauss(0, kind.spread)) if kind.a_day else 0.0
    start = EPOCH - HISTORY_DAYS * DAY
    published = kind.publish(rng, kind, a_day, start, end) if a_day else _old(rng)
    gone_at = _gone_at(rng, end)
    # A few stop for good; their servers go on as if nothing had happened.
    stops_at = (
        EPOCH + rng.random() * days * DAY if rng.random() < STOPPING_SHARE else end
    )
    stops_at = stops_at if gone_at is None else min(stops_at, gone_at)
    return SimulatedFeed(
        number=number,
        kind=name,
        host=_host(rng, n_feeds),
        published=sorted(at for at in published if at < stops_at),
        window=rng.choice(kind.windows),
        dated=rng.random() < DATED_SHARE,
        unchanged=(
            PollOutcome.NOT_MODIFIED
            if rng.random() < VALIDATOR_SHARE
            else PollOutcome.UNCHANGED
        ),
        min_interval=rng.choices(tuple(HINTS), tuple(HINTS.values()))[0],
        throttles_below=30 * MINUTE if rng.random() < THROTTLING_SHARE else 0,
        outages=_outages(rng, end),
        gone_at=gone_at,
        first_poll_at=EPOCH + rng.random() * HOUR,
    )


def _old(rng: random.Random) -> list[float]:
    """Return the last entries of a feed that ended long ago."""
    last = EPOCH - rng.uniform(30, 700) * DAY
    return [last - n * rng.uniform(1, 9) * DAY for n in range(10)]


def _gone_at(rng: random.Random, end: float) -> float | None:
    """Return when a feed breaks, or None for one that holds."""
    dice = rng.random()
    if dice < BROKEN_SHARE:
        return 0.0
    return rng.uniform(EPOCH, end) if dice < BROKEN_SHARE + BREAKING_SHARE else None


def _outages(rng: random.Random, end: float) -> list[tuple[float, float]]:
    """Return when its server is away: once in two months, some two hours."""
    at, found = float(EPOCH), []
    while (at := at + rng.expovariate(1 / (60 * DAY))) < end:
        length = 2 * HOUR * math.exp(rng.gauss(0, 1.2))
        found.append((at, at + length))
        at += length
    return found


def _host(rng: random.Random, n_feeds: int) -> int:
    """Return its host: by a power law, so that a few have very many feeds."""
    n_hosts = max(1, round(n_feeds / FEEDS_A_HOST))
    return int(n_hosts * rng.random() ** 1.5)


def _poisson(rng: random.Random, mean: float) -> int:
    """Return a Poisson number, by a normal one where that is as good."""
    if mean > NORMAL_FROM:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, n, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        n += 1
        product *= rng.random()
    return n
