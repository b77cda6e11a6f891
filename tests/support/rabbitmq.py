"""A throw-away RabbitMQ node on loopback that tests may stop, kill and start again."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import amqp
from support.processes import GuardedServer, ServerFailed, make_folder
from support.redis_server import free_port

# Debian's program on the PATH wants root or its own user; the script beneath it serves
# anybody who names all folders.
PLACES = ("/usr/lib/rabbitmq/bin", "/usr/local/sbin", "/opt/homebrew/sbin")
START_TRIES = 3
CONTROL_SECONDS = 60
ASK_SECONDS = 5
# Two schedulers that do not spin: the machine is busy with what is being tested.
ERLANG_FLAGS = (
    "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
    " -kernel inet_dist_use_interface {127,0,0,1}"
)
LIMITS = "vm_memory_high_watermark.absolute = 512MiB\ndisk_free_limit.absolute = 50MB\n"
MAKER, ALL = '<<"tests">>', '<<".*">>'


@dataclass(frozen=True, slots=True, kw_only=True)
class RabbitPrograms:
    """What makes a node: the server, its control program, and Erlang's name server."""

    server: Path
    control: Path
    names: Path


def find_rabbitmq() -> RabbitPrograms | None:
    """Return the RabbitMQ of this machine; None where there is none."""
    names = shutil.which("epmd")
    folders = [Path(place) for place in PLACES]
    on_path = shutil.which("rabbitmq-server")
    if on_path:
        folders.append(Path(on_path).parent)
    for folder in folders:
        server, control = folder / "rabbitmq-server", folder / "rabbitmqctl"
        if names and server.is_file() and control.is_file():
            return RabbitPrograms(server=server, control=control, names=Path(names))
    return None


class RabbitServer:
    """A node of our own, with a name, ports and folders that nobody else has."""

    def __init__(
        self, programs: RabbitPrograms, folder: Path, *, config: Sequence[str] = ()
    ) -> None:
        """Start the node.

        Args:
            programs: What to start.
            folder: Where all its files go.
            config: More lines for its `rabbitmq.conf`.
        """
        self._programs = programs
        self._folder = folder
        self._config = LIMITS + "".join(f"{line}\n" for line in config)
        self._process: GuardedServer | None = None
        self._names: GuardedServer | None = None
        self._dropped: list[str] = []
        self._start_on_free_ports()

    @property
    def url(self) -> str:
        """The URL of the virtual host that every node has, for Celery."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def pid(self) -> int:
        """The process id of the running or last node."""
        assert self._process is not None
        return self._process.pid

    def fresh_url(self) -> str:
        """Return the URL of a new, empty virtual host."""
        name = f"test-{uuid4().hex[:12]}"
        dropped, self._dropped = ", ".join(map(_binary, self._dropped)), []
        # All in one, as each call of the control program starts an Erlang of its own.
        self.control(
            "eval",
            f"[rabbit_vhost:delete(Name, {MAKER}) || Name <- [{dropped}]],"
            f" ok = rabbit_vhost:add({_binary(name)}, {MAKER}),"
            " ok = rabbit_auth_backend_internal:set_permissions("
            f'<<"guest">>, {_binary(name)}, {ALL}, {ALL}, {ALL}, {MAKER}).',
        )
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Let a virtual host go; each has queues that make a restart longer."""
        self._dropped.append(url.rpartition("/")[2])

    def start(self) -> None:
        """Start the node again, with the same name, ports and data."""
        environment = [f"{name}={value}" for name, value in self._environment().items()]
        self._process = GuardedServer(
            # `env` becomes the server, which becomes Erlang: one process id for all.
            ["/usr/bin/env", *environment, "detached=1", str(self._programs.server)],
            folder=self._folder,
        )
        try:
            self._process.wait_until(self._answers)
        except ServerFailed:
            self._process.kill()
            raise

    def stop(self) -> None:
        """Shut the node down in an orderly way."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the node as the out-of-memory killer would."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Shut the node down and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the node and the name server beside it."""
        self.stop()
        if self._names is not None:
            self._names.stop()
            self._names = None

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` on the node and return what it prints."""
        done = subprocess.run(
            [str(self._programs.control), "--node", self._node, "-q", *arguments],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **self._environment()},
            capture_output=True,
            text=True,
            check=False,
            timeout=CONTROL_SECONDS,
        )
        if done.returncode:
            raise ServerFailed(f"rabbitmqctl {arguments[0]}: {done.stderr}")
        return done.stdout

    def _start_on_free_ports(self) -> None:
        for tries_left in reversed(range(START_TRIES)):
            self.port, self._peer_port = free_port(), free_port()
            self._names_port = free_port()
            # The name is in the answer to each client, so we know our node by it.
            self._node = f"wireroom-{self.port}@localhost"
            try:
                self._start_names()
                self.start()
            except ServerFailed:
                self.close()
                # Another process may have taken a port between look and leap.
                if not tries_left:
                    raise
            else:
                return

    def _start_names(self) -> None:
        # Left to itself, Erlang starts one for the whole machine that never ends.
        folder = self._folder / "names"
        folder.mkdir(exist_ok=True)
        command = [str(self._programs.names), "-address", "127.0.0.1"]
        self._names = GuardedServer(
            [*command, "-port", str(self._names_port)], folder=folder
        )

    def _environment(self) -> Mapping[str, str]:
        folder = self._folder
        (folder / "rabbitmq.conf").write_text(self._config)
        (folder / "enabled_plugins").write_text("[].\n")
        return {
            "HOME": str(folder),  # for the cookie with which nodes know each other
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._names_port),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._peer_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_FLAGS,
        }

    def _answers(self) -> bool:
        try:
            with amqp.Connection(
                f"127.0.0.1:{self.port}",
                connect_timeout=ASK_SECONDS,
                read_timeout=ASK_SECONDS,
            ) as connection:
                # The stubs know no more of a connection than how to make one.
                properties: dict[str, Any] = vars(connection)["server_properties"]
        except (OSError, amqp.AMQPError):
            return False
        # The host comes in whatever spelling the machine's resolver prefers.
        name = self._node.partition("@")[0]
        return str(properties.get("cluster_name")).startswith(f"{name}@")


@contextmanager
def running_rabbitmq(
    programs: RabbitPrograms, *, config: Sequence[str] = ()
) -> Iterator[RabbitServer]:
    """Run a new, empty node."""
    folder = make_folder("rabbitmq")
    server = None
    try:
        server = RabbitServer(programs, folder, config=config)
        yield server
    finally:
        if server is not None:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> str:
    """Return a name as Erlang writes it."""
    return f'<<"{name}">>'
