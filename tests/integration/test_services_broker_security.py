"""Who may talk on the line, and what is let in: certificates, rights, messages."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import func, select
from support.binaries import find_redis
from support.garbage import HOSTILE, NO_ENVELOPES, NO_MESSAGE, send
from support.processes import GuardedServer, make_folder
from support.rabbitmq import find_rabbitmq, running_rabbitmq
from support.redis_server import free_port
from support.servers import REDIS_VARIABLE, missing
from support.workers import Workers, read_command, wait_for, workers_on

from ingest.filemessages import FilesRead
from services import routes
from services.brokercheck import inspect_broker
from services.gate import MAX_KEPT_CHARS
from services.messages import WorkFailed, WorkKind
from services.publish import BrokerUnavailable, publish
from store import schema
from store.engine import open_engine, reading
from store.models import Quarantine

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(240),
]

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """An authority of our own and what it has signed for this machine."""

    authority: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    made = Certificates(
        authority=folder / "ca.pem",
        certificate=folder / "server.pem",
        key=folder / "server.key",
    )
    extension = folder / "names.ext"
    extension.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    request, ca_key = folder / "server.csr", folder / "ca.key"
    new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl("req", "-x509", *new, "-subj", "/CN=wireroom test authority",
            "-keyout", ca_key, "-out", made.authority)  # fmt: skip
    openssl("req", *new[:3], "-subj", "/CN=localhost",
            "-keyout", made.key, "-out", request)  # fmt: skip
    openssl("x509", "-req", "-in", request, "-CA", made.authority, "-CAkey", ca_key,
            "-CAcreateserial", "-days", "2", "-extfile", extension,
            "-out", made.certificate)  # fmt: skip
    return made


def openssl(*arguments: str | Path) -> None:
    argv = ["openssl", *map(str, arguments)]
    try:
        subprocess.run(argv, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no openssl on this machine to make certificates with")


@contextmanager
def redis_over_tls(certificates: Certificates) -> Iterator[str]:
    """Yield the URL of a Redis that speaks TLS alone."""
    program = find_redis()
    if program is None:
        missing("redis-server or valkey-server", REDIS_VARIABLE)
    port, folder = free_port(), make_folder("tls")
    files = {
        "--tls-cert-file": certificates.certificate,
        "--tls-key-file": certificates.key,
        "--tls-ca-cert-file": certificates.authority,
    }
    place = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"]
    pairs = [str(part) for pair in files.items() for part in pair]
    argv = [str(program), *place, "--tls-auth-clients", "no", *pairs]
    server = GuardedServer([*argv, "--save", ""], folder=folder)
    url = f"rediss://127.0.0.1:{port}/0"

    def answers() -> bool:
        trusted = {"ssl_ca_certs": str(certificates.authority)}
        with redis.Redis.from_url(url, **trusted) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

    try:
        server.wait_until(answers)
        yield url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def rabbitmq_over_tls(certificates: Certificates) -> Iterator[str]:
    """Yield the URL at which a RabbitMQ speaks TLS."""
    programs = find_rabbitmq()
    if programs is None:
        pytest.skip("no rabbitmq-server on this machine")
    port = free_port()
    config = [
        f"listeners.ssl.1 = 127.0.0.1:{port}",
        f"ssl_options.cacertfile = {certificates.authority}",
        f"ssl_options.certfile = {certificates.certificate}",
        f"ssl_options.keyfile = {certificates.key}",
    ]
    with running_rabbitmq(programs, config=config):
        yield f"amqps://guest:guest@127.0.0.1:{port}//"


@pytest.mark.parametrize("server", [redis_over_tls, rabbitmq_over_tls])
def test_the_line_runs_over_tls_and_trusts_nobody_unsigned(
    server: Any, certificates: Certificates, tmp_path: Path
) -> None:
    authority = certificates.authority
    home = tmp_path / "home"
    with server(certificates) as url:
        with (
            workers_on(url, home) as stranger,
            pytest.raises(BrokerUnavailable, match=r"(?i)certificate"),
        ):
            publish(stranger.app, read_command(tmp_path / "one.txt"))
        with workers_on(url, home, broker_ca_file=authority) as bench:
            bench.start("ingest.bulk", WIREROOM_BROKER_CA_FILE=str(authority))
            publish(bench.app, read_command(tmp_path / "one.txt"))

            assert isinstance(bench.next_event(), FilesRead)
            inspect_broker(bench.settings.broker)


@pytest.fixture
def limited_url(redis_server: Any) -> str:
    """The URL of a Redis user who has the rights that the documentation names."""
    text = OPERATIONS.read_text()
    rule = text.split("ACL SETUSER wireroom ")[1].split("\n\n")[0].split("```")[0]
    words = rule.replace("\\\n", " ").replace("PASSWORD", "secret").split()
    with redis.Redis.from_url(redis_server.url) as client:
        client.execute_command("ACL", "SETUSER", "wireroom", *words)
        client.set("payroll:anna", "5100")
    return str(redis_server.url).replace("redis://", "redis://wireroom:secret@")


def test_the_line_runs_with_the_few_rights_that_are_documented(
    limited_url: str, redis_server: Any, tmp_path: Path
) -> None:
    with workers_on(limited_url, tmp_path / "home") as bench:
        bench.start("ingest.bulk")
        publish(bench.app, read_command(tmp_path / "one.txt"))
        first = bench.next_event()
        publish(bench.app, read_command(tmp_path / "two.txt"), held=1, after_seconds=1)
        second = bench.next_event()
        inspect_broker(bench.settings.broker)

    assert isinstance(first, FilesRead)
    assert isinstance(second, FilesRead)
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.execute_command("ACL", "LOG") == []


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "payroll:anna"),
        ("DEL", "payroll:anna"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "GET", "*"),
        ("SUBSCRIBE", "payroll"),
        ("ACL", "LIST"),
    ],
)
def test_the_user_of_the_line_reaches_nothing_of_others(
    limited_url: str, command: tuple[str, ...]
) -> None:
    with (
        redis.Redis.from_url(limited_url) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)


@pytest.fixture
def bench(redis_url: str, tmp_path: Path) -> Iterator[Workers]:
    with workers_on(redis_url, tmp_path / "home") as made:
        yield made


def test_whatever_lies_in_a_queue_is_refused_and_kept_and_the_worker_goes_on(
    bench: Workers, redis_url: str, tmp_path: Path
) -> None:
    worker = bench.start("ingest.bulk")
    queue = routes.INGEST_BULK
    for hostile in HOSTILE.values():
        send(bench.app, queue, hostile)
    with redis.Redis.from_url(redis_url) as client:
        for item in NO_ENVELOPES.values():
            client.lpush(f"wireroom:{queue}", item)
        publish(bench.app, read_command(tmp_path / "one.txt"))

        refused = [bench.next_event() for _ in (*HOSTILE, *NO_ENVELOPES)]

        assert isinstance(bench.next_event(), FilesRead)
        assert worker.poll() is None
        wait_for(lambda: not client.exists(f"wireroom:{queue}", "wireroom:unacked"))
    reasons = {
        **{kind: hostile.reason for kind, hostile in HOSTILE.items()},
        **dict.fromkeys((f"bare {kind}" for kind in NO_ENVELOPES), NO_MESSAGE),
    }
    told = zip(reasons, refused, strict=True)
    assert {kind: one.detail for kind, one in told} == reasons
    assert {(one.kind, one.permanent) for one in refused} == {(WorkKind.MESSAGE, True)}
    assert all(len(one.payload) <= 4 * MAX_KEPT_CHARS for one in refused)


def test_a_store_keeps_what_is_no_message_and_takes_what_it_tells_itself(
    bench: Workers, redis_url: str
) -> None:
    bench.settings.home.mkdir()
    schema.upgrade(bench.settings.database_url)
    engine = open_engine(bench.settings.database_url)
    queue = f"wireroom:{routes.STORE}"
    client = redis.Redis.from_url(redis_url)
    client.lpush(queue, *(NO_ENVELOPES[kind] for kind in ("no JSON", "noise")))
    for kind in ("no id", "broken", "a call that follows"):
        send(bench.app, routes.STORE, HOSTILE[kind])
    # Celery writes limits of its own on what a worker sends to a task that it has.
    bench.app.task(name="store.record_failure", shared=False)(lambda _: None)
    told = WorkFailed(
        task="store.save_polls",
        kind=WorkKind.MESSAGE,
        ids=(),
        error="Told",
        detail="held once",
        permanent=True,
        failed_at=datetime.now(UTC),
    )
    publish(bench.app, told, held=1, after_seconds=1)

    worker = bench.start("store")

    def kept() -> dict[str, int]:
        times = func.sum(Quarantine.n_times)
        query = select(Quarantine.detail, times).group_by(Quarantine.detail)
        with reading(engine) as session:
            return {detail: int(n) for detail, n in session.execute(query)}

    wanted = {NO_MESSAGE: 2, "this worker has no such task": 3, "held once": 1}
    wait_for(lambda: kept() == wanted)
    wait_for(lambda: not client.exists(queue, "wireroom:unacked"))
    assert kept() == wanted
    assert worker.poll() is None
    client.close()
    engine.dispose()
