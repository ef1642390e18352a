"""Which addresses this server may ask on somebody's word, so that nobody can reach its own network through it.

A name is resolved once, all its addresses are checked, and the connection is made to the one that was checked: a name
that changes its mind in between changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

__all__ = ["EgressPolicy", "EgressRefused", "read_policy"]

_NAT64 = IPv6Network("64:ff9b::/96")
_LONGEST_URL = 2000

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class EgressRefused(Exception):
    """An address that may not be asked."""


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What may be asked: public addresses, and `networks` besides; only `hosts` if there are any."""

    hosts: tuple[str, ...] = ()
    networks: tuple[Network, ...] = field(default=())
    plain_http: bool = False
    """Public addresses may be asked without TLS, since what they answer is signed."""

    def check(self, url: str) -> SplitResult:
        """Check what can be seen without asking DNS.

        Raises: EgressRefused with words for people.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise EgressRefused(f"not an address: {error}") from error
        host = parts.hostname
        if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise EgressRefused(f"an address has {_LONGEST_URL} printable ASCII characters at most")
        if parts.scheme not in ("https", "http") or not host or port == 0:
            raise EgressRefused("write an address such as https://example.com/hook")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise EgressRefused(
                "an address has no user, no password and no fragment; the signature proves who asks"
            )
        if self.hosts and not any(_is_below(host, allowed) for allowed in self.hosts):
            raise EgressRefused(f"'{host}' is not among the hosts that the setting egress_hosts allows")
        literal = _literal(host)
        if literal is not None:
            self.check_address(parts.scheme, literal)
        elif parts.scheme == "http" and not self.networks and not self.plain_http:
            raise EgressRefused(
                "use https; plain http is for private networks that egress_private_networks names"
            )
        return parts

    def check_address(self, scheme: str, address: Address) -> None:
        """Check an address that a name stands for.

        Raises: EgressRefused.
        """
        if any(address.version == network.version and address in network for network in self.networks):
            return
        if not is_public(address):
            raise EgressRefused(
                f"{address} is not a public address; the setting egress_private_networks can allow its network"
            )
        if scheme != "https" and not self.plain_http:
            raise EgressRefused(
                "use https; plain http is for private networks that egress_private_networks names"
            )

    async def resolve(self, parts: SplitResult) -> tuple[Address, int]:
        """Give the address and port to connect to.

        Raises: EgressRefused when one of the name's addresses may not be asked; OSError when it has none.
        """
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        literal = _literal(host)
        if literal is not None:
            self.check_address(parts.scheme, literal)
            return literal, port
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(entry[4][0]) for entry in found]
        for address in addresses:
            self.check_address(parts.scheme, address)
        return addresses[0], port


def is_public(address: Address) -> bool:
    """Tell whether an address is reachable from anywhere; one that carries another inside is what that is."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def read_policy(hosts: str, networks: str) -> EgressPolicy:
    """Read the settings: names and networks, separated by commas.

    Raises: ValueError.
    """
    return EgressPolicy(
        tuple(host.casefold().lstrip("*.") for host in _words(hosts)),
        tuple(ipaddress.ip_network(network) for network in _words(networks)),
    )


def _words(text: str) -> Sequence[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _is_below(host: str, allowed: str) -> bool:
    host = host.casefold().rstrip(".")
    return host == allowed or host.endswith("." + allowed)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    # 127.1, 0x7f000001 and 2130706433 are addresses to the resolver too: it is asked, and its answer is checked.
    return None
