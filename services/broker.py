"""Where the broker is: one address in each spelling that a library asks for."""

import hashlib
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

# A socket address holds 108 bytes on Linux, 104 on other systems; leave room for
# the temporary names beside it.
MAX_SOCKET_PATH_BYTES = 96
SOCKET_NAME = "redis.sock"
# Where RabbitMQ puts what came back too often.
DEAD_LETTERS = "wireroom.dead"

_REDIS_SCHEMES = frozenset({"redis", "rediss"})
_SOCKET_SCHEMES = frozenset({"unix", "redis+socket"})
# "memory" lives inside one process: it serves the tests of this layer alone.
_OTHER_SCHEMES = frozenset({"amqp", "amqps", "pyamqp", "memory"})
_TLS_SCHEMES = frozenset({"rediss", "amqps"})
SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sentinels:
    """Watchers who know which of several Redis servers is the primary."""

    addresses: tuple[tuple[str, int], ...]
    master_name: str  # under which they know the primary
    password: str | None  # of the watchers, which may have one of their own
    username: str | None  # the last three are for the servers they name
    server_password: str | None
    database: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Broker:
    """The broker's address; never shown, because it may hold a password."""

    url: str  # as Celery and kombu spell it
    redis_url: str | None  # as redis-py spells it; None where it is no plain Redis
    socket: Path | None = None  # of the Redis that we run by ourselves
    sentinels: Sentinels | None = None
    ca_file: Path | None = None  # signed the server's certificate; else the system's

    @property
    def embedded(self) -> bool:
        """Whether this is the Redis that wireroom starts by itself."""
        return self.socket is not None

    @property
    def is_redis(self) -> bool:
        """Whether Redis carries the queues, also behind Sentinel."""
        return self.redis_url is not None or self.url.startswith("sentinel")

    @property
    def tls(self) -> dict[str, Any] | None:
        """How the server's certificate is checked, in the broker library's words.

        Left to itself, the library would take any certificate.
        """
        if self.url.partition("://")[0] not in _TLS_SCHEMES:
            return None
        ca_file = str(self.ca_file) if self.ca_file else None
        if self.is_rabbitmq:
            # None stands for the host in the URL.
            names: dict[str, Any] = {"ca_certs": ca_file, "server_hostname": None}
            return {"cert_reqs": ssl.CERT_REQUIRED, **names}
        names = {"ssl_ca_certs": ca_file, "ssl_check_hostname": True}
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, **names}

    @property
    def is_rabbitmq(self) -> bool:
        """Whether RabbitMQ carries the queues."""
        return self.url.startswith(("amqp", "pyamqp"))


def resolve_broker(
    url: str | None, *, home: Path, ca_file: Path | None = None
) -> Broker:
    """Return the configured broker, or the embedded one of this home.

    Args:
        url: As the operator wrote it; None for a Redis of our own.
        home: Where that one would be.
        ca_file: Certificates that may sign the one of a configured server.

    Raises:
        ValueError: The scheme of the URL is not one that we can use, or it lacks the
            name of the primary.
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
    if scheme == "sentinel":
        return _behind_sentinels(url)
    if scheme in _REDIS_SCHEMES:
        return Broker(url=url, redis_url=_with_ca(url, ca_file), ca_file=ca_file)
    if scheme in _OTHER_SCHEMES:
        return Broker(url=url, redis_url=None, ca_file=ca_file)
    raise ValueError(
        "broker_url must start with redis://, rediss://, unix://, sentinel://, "
        "amqp:// or amqps://"
    )


def _with_ca(url: str, ca_file: Path | None) -> str:
    if ca_file is None or not url.startswith("rediss"):
        return url
    mark = "&" if urlsplit(url).query else "?"
    return f"{url}{mark}ssl_ca_certs={quote(str(ca_file))}"


def _behind_sentinels(url: str) -> Broker:
    """Take apart `sentinel://:password@host,host:port/0?master_name=...`."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    name = (query.get("master_name") or [""])[0]
    login, _, hosts = parts.netloc.rpartition("@")
    if not name or not hosts:
        raise ValueError("broker_url needs hosts and ?master_name= for sentinel://")
    addresses = tuple(_address(host) for host in hosts.split(","))
    username, _, password = login.partition(":")
    sentinels = Sentinels(
        addresses=addresses,
        master_name=name,
        password=query.get("sentinel_password", [""])[0] or None,
        username=unquote(username) or None,
        server_password=unquote(password) or None,
        database=int(parts.path.strip("/") or 0),
    )
    mark = f"{login}@" if login else ""
    urls = [
        f"sentinel://{mark}{host}:{port}/{sentinels.database}"
        for host, port in addresses
    ]
    return Broker(url=";".join(urls), redis_url=None, sentinels=sentinels)


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    return name, int(port or SENTINEL_PORT)


def _over_socket(url: str) -> Broker:
    # kombu refuses unix:// and redis-py refuses redis+socket://, so both are derived.
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    database = (query.get("db") or query.get("virtual_host") or ["0"])[0]
    login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    return Broker(
        url=f"redis+socket://{login}{parts.path}?virtual_host={database}",
        redis_url=f"unix://{login}{parts.path}?db={database}",
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
