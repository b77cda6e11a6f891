"""Unit tests reach this machine and no other."""

import socket
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError


def test_a_unit_test_cannot_call_the_world() -> None:
    # TEST-NET-1: an address that belongs to nobody.
    with (
        pytest.warns(UserWarning, match="192.0.2.1"),
        pytest.raises(SocketConnectBlockedError),
    ):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_a_unit_test_may_serve_itself_on_loopback() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_a_unit_test_may_serve_itself_on_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with (
        socket.socket(socket.AF_UNIX) as server,
        socket.socket(socket.AF_UNIX) as client,
    ):
        server.bind(path)
        server.listen()
        client.connect(path)
        assert client.getpeername() == path
