"""The proxy passes everything, and in bad weather exactly what it should."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from benchmarks.chaos.proxy import Proxy, Weather, owns_port

PATIENCE_SECONDS = 10.0
SOON_SECONDS = 0.2  # in which an answer would have come


class Echo:
    """A server that sends back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ended = threading.Event()  # a connection of it
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while chunk := connection.recv(65_536):
                    self.got.append(chunk)
                    connection.sendall(chunk)
            except OSError:
                pass
            finally:
                self.ended.set()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    one = Proxy(echo.port)
    yield one
    one.close()


Connect = Callable[[], socket.socket]


@pytest.fixture
def connect(proxy: Proxy) -> Iterator[Connect]:
    clients: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_SECONDS)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def ask(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(65_536)


def hears_nothing(client: socket.socket) -> bool:
    client.settimeout(SOON_SECONDS)
    try:
        return not client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_SECONDS)


def is_reset(client: socket.socket, text: bytes = b"?") -> bool:
    try:
        return ask(client, text) == b""
    except ConnectionError:
        return True


def is_refused(connect: Connect) -> bool:
    try:
        # The reset may come before the client knows that it is connected.
        return is_reset(connect())
    except ConnectionError:
        return True


def test_what_is_sent_arrives_whole_and_in_order(connect: Connect) -> None:
    client, sent = connect(), os.urandom(3_000_000)
    threading.Thread(target=client.sendall, args=(sent,), daemon=True).start()
    got = bytearray()
    while len(got) < len(sent):
        got += client.recv(65_536)
    assert bytes(got) == sent


def test_what_the_server_says_last_arrives_before_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy(listener.getsockname()[1])
        with socket.create_connection(
            ("127.0.0.1", proxy.port), PATIENCE_SECONDS
        ) as client:
            connection, _ = listener.accept()
            connection.sendall(b"farewell")
            connection.close()
            assert client.recv(100) == b"farewell"
            assert client.recv(100) == b""
        proxy.close()


def test_a_cut_resets_open_connections_and_lets_new_ones_pass(
    proxy: Proxy, connect: Connect
) -> None:
    client = connect()
    assert ask(client, b"a") == b"a"
    assert proxy.cut() == 1
    assert is_reset(client)
    assert ask(connect(), b"b") == b"b"


def test_a_black_hole_holds_back_both_ways_and_lets_go_afterwards(
    proxy: Proxy, connect: Connect, echo: Echo
) -> None:
    client = connect()
    assert ask(client, b"a") == b"a"
    with proxy.weather(Weather.BLACK_HOLE):
        client.sendall(b"b")
        late = connect()
        late.sendall(b"c")
        assert hears_nothing(client)
        assert hears_nothing(late)
        assert echo.got == [b"a"]
    assert client.recv(10) == b"b"
    assert late.recv(10) == b"c"


def test_the_deaf_are_heard_and_hear_nothing(
    proxy: Proxy, connect: Connect, echo: Echo
) -> None:
    client = connect()
    assert ask(client, b"a") == b"a"
    with proxy.weather(Weather.DEAF):
        client.sendall(b"b")
        assert hears_nothing(client)
    assert echo.got == [b"a", b"b"]
    assert is_reset(client)
    assert ask(connect(), b"c") == b"c"


def test_what_is_refused_is_reset_until_the_weather_is_over(
    proxy: Proxy, connect: Connect
) -> None:
    client = connect()
    assert ask(client, b"a") == b"a"
    with proxy.weather(Weather.REFUSED):
        assert is_reset(client)
        assert is_refused(connect)
    assert ask(connect(), b"b") == b"b"


def test_of_a_torn_message_half_arrives(
    proxy: Proxy, connect: Connect, echo: Echo
) -> None:
    client = connect()
    assert ask(client, b"whole") == b"whole"
    with proxy.weather(Weather.TORN):
        assert is_reset(client, b"halves")
    assert echo.ended.wait(PATIENCE_SECONDS)
    assert b"".join(echo.got) == b"wholehal"


def test_slow_weather_only_delays(proxy: Proxy, connect: Connect) -> None:
    client = connect()
    assert ask(client, b"a") == b"a"
    with proxy.weather(Weather.SLOW, delay_seconds=SOON_SECONDS * 2):
        client.sendall(b"b")
        assert hears_nothing(client)
        assert client.recv(10) == b"b"


ELSEWHERE = """
import socket, sys
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
for line in sys.stdin.buffer:
    client.sendall(line)
    sys.stdout.buffer.write(client.recv(100) or b"end\\n")
    sys.stdout.buffer.flush()
"""


def test_weather_meets_only_the_processes_it_is_for(
    proxy: Proxy, connect: Connect
) -> None:
    mine = connect()
    assert ask(mine, b"a") == b"a"
    with subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, str(proxy.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as other:
        assert other.stdin
        assert other.stdout
        other.stdin.write(b"b\n")
        assert other.stdout.readline() == b"b\n"
        with proxy.weather(Weather.BLACK_HOLE, owners=lambda: [other.pid]) as n_met:
            assert n_met == 1
            assert ask(mine, b"c") == b"c"
            other.stdin.write(b"d\n")
            assert ask(connect(), b"e") == b"e"
        assert other.stdout.readline() == b"d\n"


def test_the_owner_of_a_connection_is_found(connect: Connect) -> None:
    port = connect().getsockname()[1]
    assert owns_port([os.getpid()], port)
    assert not owns_port([os.getppid()], port)
    assert not owns_port([], port)


def test_a_closed_proxy_serves_nobody(proxy: Proxy, connect: Connect) -> None:
    client = connect()
    assert ask(client, b"a") == b"a"
    proxy.close()
    assert is_reset(client)
    with pytest.raises(OSError, match="refused"):
        connect()
