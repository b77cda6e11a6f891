"""Where the broker is: one address in each spelling that a library asks for."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# A socket address holds 108 bytes on Linux, 104 on other systems; leave room for
# the temporary names beside it.
MAX_SOCKET_PATH_BYTES = 96
SOCKET_NAME = "redis.sock"

_REDIS_SCHEMES = frozenset({"redis", "rediss"})
_SOCKET_SCHEMES = frozenset({"unix", "redis+socket"})
# "memory" lives inside one process: it serves the tests of this layer alone.
_OTHER_SCHEMES = frozenset({"amqp", "amqps", "pyamqp", "sentinel", "memory"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Broker:
    """The broker's address; never shown, because it may hold a password."""

    url: str  # as Celery and kombu spell it
    redis_url: str | None  # as redis-py spells it; None where it is no plain Redis
    socket: Path | None  # of the Redis that we run by ourselves; else None

    @property
    def embedded(self) -> bool:
        """Whether this is the Redis that wireroom starts by itself."""
        return self.socket is not None

    @property
    def is_redis(self) -> bool:
        """Whether Redis carries the queues, also behind Sentinel."""
        return self.redis_url is not None or self.url.startswith("sentinel")

    @property
    def is_rabbitmq(self) -> bool:
        """Whether RabbitMQ carries the queues."""
        return self.url.startswith(("amqp", "pyamqp"))


def resolve_broker(url: str | None, *, home: Path) -> Broker:
    """Return the configured broker, or the embedded one of this home.

    Raises:
        ValueError: The scheme of the URL is not one that we can use.
    """
    if url is None:
        socket = socket_path(home)
        return Broker(
            url=f"redis+socket://{socket}?virtual_host=0",
            redis_url=f"unix://{socket}?db=0",
            socket=socket,
        )
    scheme = url.partition("://")[0]
    if scheme in _SOCKET_SCHEMES:
        return _over_socket(url)
    if scheme in _REDIS_SCHEMES:
        return Broker(url=url, redis_url=url, socket=None)
    if scheme in _OTHER_SCHEMES:
        return Broker(url=url, redis_url=None, socket=None)
    raise ValueError(
        "broker_url must start with redis://, rediss://, unix://, sentinel:// "
        "or amqp://"
    )


def _over_socket(url: str) -> Broker:
    # kombu refuses unix:// and redis-py refuses redis+socket://, so both are derived.
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    database = (query.get("db") or query.get("virtual_host") or ["0"])[0]
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return Broker(
        url=f"redis+socket://{login}{parts.path}?virtual_host={database}",
        redis_url=f"unix://{login}{parts.path}?db={database}",
        socket=None,
    )


def socket_path(home: Path) -> Path:
    """Return where the embedded Redis of this home listens.

    Every command derives the same path from the home alone. A long home gets a
    short path in a folder of the user, because socket addresses are limited.
    """
    near = home / "redis" / SOCKET_NAME
    if len(os.fsencode(near)) <= MAX_SOCKET_PATH_BYTES:
        return near
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    # Not tempfile.gettempdir(): TMPDIR may differ between a shell and a timer,
    # and both must find the same socket. The folder is private to the user.
    folder = Path("/tmp") / f"wireroom-{os.getuid()}"  # noqa: S108 - as said above
    return folder / f"{digest}.sock"
