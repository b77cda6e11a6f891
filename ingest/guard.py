"""The address guard: which network addresses a fetch may connect to."""

import socket
from collections.abc import Callable, Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# What `getaddrinfo` returns; the last item is the socket address.
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]

# Python 3.11 calls these global although nothing public answers there.
_DENIED_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "192.0.0.0/24",  # protocol assignments, DS-Lite among them
            "192.88.99.0/24",  # the retired 6to4 relays
        ),
    )
)
# All public IPv6 addresses lie in 2000::/3. What stands outside needs no list:
# NAT64 for local use, v4-compatible, site-local, link-local, multicast, loopback.
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_DENIED_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4 carries any IPv4 address, private ones too
            "3fff::/20",  # documentation
        ),
    )
)
# A network without IPv4 reaches every IPv4 host under this prefix, so it cannot be
# refused as a whole; the address inside is judged instead.
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefusedError(OSError):
    """The guard refused to connect; an `OSError`, as any failure to connect."""


def refusal(address: str, allow: Iterable[Network] = ()) -> str | None:
    """Return why an address may not be connected to, or None where it may.

    Everything that is not public is refused, in each of its spellings, unless it
    lies in one of the `allow` networks.
    """
    try:
        spelt = ip_address(address)
    except ValueError:
        return f"{address!r} is not an address"
    ip = _unwrapped(spelt)
    if _is_public(ip) or any(
        candidate in net for net in allow for candidate in (ip, spelt)
    ):
        return None
    return f"{address} is not a public address"


def literal_refusal(host: str, allow: Iterable[Network] = ()) -> str | None:
    """Return why a host of a URL may not be asked for, judged by its spelling alone.

    For where somebody else resolves it. The shorthands of addresses that old resolvers
    understand (127.1, 2130706433, 0x7f.1) are judged as what they stand for; a name
    passes, but for those that always mean this machine.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return refusal("127.0.0.1", allow) and f"{host} is this machine"
    try:
        address = str(ip_address(name))
    except ValueError:
        try:
            address = socket.inet_ntoa(socket.inet_aton(name))
        except OSError:
            return None
    return refusal(address, allow)


def parse_networks(cidrs: Iterable[str]) -> tuple[Network, ...]:
    """Read networks in CIDR notation.

    Raises:
        ValueError: One of them is no network; the message names it.
    """
    return tuple(ip_network(cidr.strip()) for cidr in cidrs)


def guarded_sockets(
    allow: Iterable[Network], on_refusal: Callable[[str], None]
) -> Callable[[AddressInfo], socket.socket]:
    """Return a socket factory for aiohttp that refuses what is not public.

    The connector calls it with each resolved address right before it connects, so
    redirects, literal addresses and names that change their mind pass here too.
    """
    allowed = tuple(allow)

    def make_socket(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        reason = refusal(str(address[0]), allowed)
        if reason is not None:
            on_refusal(reason)
            raise AddressRefusedError(reason)
        return socket.socket(family, kind, protocol)

    return make_socket


def _unwrapped(ip: Address) -> Address:
    """Return the IPv4 address that an IPv6 spelling really leads to."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip


def _is_public(ip: Address) -> bool:
    if isinstance(ip, IPv6Address):
        return ip in _PUBLIC_IPV6 and not any(ip in net for net in _DENIED_IPV6)
    return (
        ip.is_global
        and not ip.is_multicast
        and not ip.is_reserved
        and not any(ip in net for net in _DENIED_IPV4)
    )
