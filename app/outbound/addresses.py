"""Whom a call may reach. An address comes from a source's settings, so from whoever may write them.

Only https to public addresses. The name is resolved once, every address it has is judged, and the
connection goes to one that was judged: a name that changes its mind in between changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from app.outbound.errors import Away, Refused

MAX_URL = 500
HTTPS = 443
# Of networks that know version 6 only (RFC 6052): the last 32 bits are the address meant.
_TRANSLATED = IPv6Network("64:ff9b::/96")
_Address = IPv4Address | IPv6Address
# The addresses of a host and a port. Raises OSError.
Resolve = Callable[[str, int], Iterable[str]]


class Place(NamedTuple):
    """A base address taken apart. `secure` is false for loopback alone."""

    host: str
    port: int
    path: str
    secure: bool


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[4][0]) for where in found]


def place_of(url: str, *, loopback: bool) -> Place:
    """A base address, as far as it can be judged without asking for the name.

    loopback: whether this machine itself may be reached, also without encryption; tests do.
    Raises Refused (address_not_allowed).
    """
    if len(url) > MAX_URL or not (url.isascii() and url.isprintable()) or " " in url:
        raise Refused("address_not_allowed")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("address_not_allowed") from None
    if not host or "@" in parts.netloc or parts.query or parts.fragment or "\\" in url:
        raise Refused("address_not_allowed")
    literal = _literal(host)
    if loopback and literal is not None and literal.is_loopback:
        return Place(host, port or HTTPS, parts.path.rstrip("/"), parts.scheme == "https")
    # A number in any other writing (0x7f.1, 2130706433) is a name that no public host has.
    named = literal is None and "." in host and not host.rpartition(".")[2][:1].isdigit()
    if parts.scheme != "https" or port not in (None, HTTPS) or not (named or _is_public(literal)):
        raise Refused("address_not_allowed")
    return Place(host, HTTPS, parts.path.rstrip("/"), secure=True)


def address_of(place: Place, resolve: Resolve, *, loopback: bool) -> str:
    """The address to connect to. Raises Refused where any that the name has is not public."""
    try:
        found = list(resolve(place.host, place.port))
    except OSError:
        raise Away("provider_away") from None
    judged = [_literal(one) for one in found]
    if not judged or not all(_is_public(one) or (loopback and _is_loopback(one)) for one in judged):
        raise Refused("address_not_allowed")
    return found[0]


def _literal(host: str) -> _Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _is_loopback(address: _Address | None) -> bool:
    return address is not None and address.is_loopback


def _is_public(address: _Address | None) -> bool:
    if address is None:
        return False
    if isinstance(address, IPv6Address):
        # What an address of version 6 carries inside is where the packets end.
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _TRANSLATED:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast
