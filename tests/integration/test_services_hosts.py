"""Two hosts, one broker, one database: a host is cut off, and nothing is lost.

Each host is a network namespace with a cable of its own to the broker. It is cut for
longer than a lease, while it has work in hand.
"""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.binaries import find_redis
from support.line import Line, stop
from support.pages import write_pages
from support.processes import GuardedServer, make_folder
from support.redis_server import free_port
from support.sentinel import answers
from support.servers import REDIS_VARIABLE, missing
from support.workers import HASTY, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

N_FILES = 100
LEASE_SECONDS = 10
CUT_SECONDS = LEASE_SECONDS + 4
TOOLS = ("ip", "nsenter", "unshare")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A namespace, kept open by a process that sleeps, and its cable."""

    pid: int
    link: str  # our end of the cable
    gateway: str  # our address on it

    @property
    def within(self) -> list[str]:
        """What runs a program on this host."""
        return ["nsenter", "--target", str(self.pid), "--net"]

    def cut(self) -> None:
        """Pull the cable: nothing is refused, everything is silent."""
        ip("link", "set", self.link, "down")

    def heal(self) -> None:
        """Plug it in again."""
        ip("link", "set", self.link, "up")


def ip(*arguments: str, on: Host | None = None) -> None:
    within = on.within if on else []
    subprocess.run([*within, "ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[list[Host]]:
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in TOOLS):
        pytest.skip("namespaces need root, ip, nsenter and unshare")
    with ExitStack() as stack:
        yield [make_host(stack, tmp_path, number) for number in (1, 2)]


def make_host(stack: ExitStack, folder: Path, number: int) -> Host:
    """Make a namespace and its cable; both go when the process in it ends."""
    home = folder / f"host-{number}"
    home.mkdir()
    keeper = GuardedServer(["unshare", "--net", "sleep", "infinity"], folder=home)
    stack.callback(keeper.stop)
    # Addresses for tests of networks (RFC 2544), which no machine uses; by process.
    part = os.getpid() % 250
    network = f"198.{17 + number}.{part}"
    host = Host(pid=keeper.pid, link=f"wr{part}h{number}", gateway=f"{network}.1")
    there = f"wr{part}g{number}"
    ours, theirs = Path("/proc/self/ns/net"), Path(f"/proc/{keeper.pid}/ns/net")
    wait_for(lambda: not ours.samefile(theirs))
    try:
        ip("link", "add", host.link, "type", "veth", "peer", "name", there)
        ip("link", "set", there, "netns", str(keeper.pid))
        ip("address", "add", f"{host.gateway}/30", "dev", host.link)
        ip("link", "set", host.link, "up")
        ip("address", "add", f"{network}.2/30", "dev", there, on=host)
        ip("link", "set", there, "up", on=host)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no cable between namespaces: {error.stderr.decode()}")
    return host


@pytest.fixture
def broker_port(hosts: list[Host]) -> Iterator[int]:
    """A Redis that listens on loopback and on the cables, and nowhere else."""
    program = find_redis()
    if program is None:
        missing("redis-server or valkey-server", REDIS_VARIABLE)
    port, folder = free_port(), make_folder("hosts")
    addresses = ["127.0.0.1", *(host.gateway for host in hosts)]
    place = ["--port", str(port), "--protected-mode", "no", "--bind", *addresses]
    durable = ["--appendonly", "yes", "--save", ""]
    server = GuardedServer([str(program), *place, *durable], folder=folder)
    try:
        server.wait_until(lambda: answers(port))
        yield port
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def count(line: Line, query: str) -> int:
    with sqlite3.connect(line.home / "wireroom.db", timeout=30) as connection:
        (number,) = connection.execute(query).fetchone()
    return int(number)


def test_a_host_that_is_cut_off_and_healed_loses_and_doubles_nothing(
    hosts: list[Host], broker_port: int, tmp_path: Path
) -> None:
    write_pages(tmp_path / "pages", N_FILES)
    url = f"redis://127.0.0.1:{broker_port}/0"
    env = {**HASTY, "WIREROOM_FILE_BATCH": "5", "WIREROOM_BULK_BATCH": "5"}
    line = Line(tmp_path / "home", {**env, "WIREROOM_BROKER_URL": url})
    line.json("db", "upgrade")
    queues = "ingest,ingest.bulk,enrich.live,enrich.bulk"
    with ExitStack() as stack:

        def start(*arguments: str, on: Host | None = None) -> None:
            log = stack.enter_context((tmp_path / "out.log").open("ab"))
            process = subprocess.Popen(
                [*(on.within if on else []), *line.argv(*arguments)],
                env={**line.environment, **(away(on) if on else {})},
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
            stack.callback(stop, process)

        def away(host: Host) -> dict[str, str]:
            # A host shares the broker with the others, and no file but the pages.
            home = tmp_path / host.link
            remote = f"redis://{host.gateway}:{broker_port}/0"
            return {"WIREROOM_HOME": str(home), "WIREROOM_BROKER_URL": remote}

        start("worker", "--queues", "store,store.bulk", "--concurrency", "1")
        start("beat")
        for host in hosts:
            start("worker", "--queues", queues, "--concurrency", "1", on=host)
        ingest = line.start("ingest", str(tmp_path / "pages"), "--wait", "--json")
        stored = "SELECT count(*) FROM article"
        wait_for(lambda: count(line, stored) >= N_FILES * 0.1)
        hosts[1].cut()
        healed_at = time.monotonic() + CUT_SECONDS
        wait_for(lambda: time.monotonic() >= healed_at)
        hosts[1].heal()
        output, _ = ingest.communicate(timeout=300)
        report = line.json("audit")

    assert ingest.returncode == 0, output
    assert count(line, stored) == N_FILES
    assert count(line, "SELECT count(*) FROM enrichment") == 4 * N_FILES
    assert count(line, "SELECT count(*) FROM enrich_work") == 0
    assert report["balanced"] is True
