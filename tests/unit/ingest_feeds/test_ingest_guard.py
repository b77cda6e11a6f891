"""The address guard lets nobody but public hosts be reached."""

import socket

import pytest

from ingest.guard import (
    AddressRefusedError,
    guarded_sockets,
    parse_networks,
    refusal,
)

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - judged, not bound to
    "10.1.2.3",
    "100.64.0.1",  # carrier-grade NAT
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",  # the metadata service of most clouds
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4 around 127.0.0.1
    "2002:808:808::1",
    "3fff::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",  # how a network without IPv4 reaches 8.8.8.8
    "2606:4700::1111",
    "2a00:1450:4001:81b::200e",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused_by_name(address: str) -> None:
    assert refusal(address) == f"{address} is not a public address"


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_reached(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize("address", ["localhost", "127.1", "2130706433", "", "0x7f.1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refusal(address) == f"{address!r} is not an address"


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3"])
def test_an_allowed_network_may_be_reached_in_each_spelling(address: str) -> None:
    assert refusal(address, parse_networks(["10.0.0.0/8"])) is None
    assert refusal(address, parse_networks(["10.2.0.0/16", "fd00::/8"])) is not None


def test_an_allowed_ipv6_network_may_be_reached() -> None:
    assert refusal("fd00::7", parse_networks([" fd00::/8 "])) is None


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        parse_networks(["10.0.0.1/8"])


def test_no_socket_is_made_for_a_refused_address() -> None:
    reasons: list[str] = []
    make_socket = guarded_sockets((), reasons.append)
    stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        make_socket(stream)
    assert reasons == ["10.0.0.1 is not a public address"]


def test_a_socket_is_made_for_an_allowed_address() -> None:
    make_socket = guarded_sockets(parse_networks(["127.0.0.0/8"]), pytest.fail)
    stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))
    with make_socket(stream) as made:
        assert made.family == socket.AF_INET
