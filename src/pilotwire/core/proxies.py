"""Who really asks, when proxies stand in between: only proxies that the operator names are believed."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

__all__ = ["TrustedProxies"]

_MOST_HOPS = 20


class TrustedProxies:
    """The networks of proxies whose `X-Forwarded-For` is believed; separated by commas, none if empty.

    Raises: ValueError for what is no network.
    """

    def __init__(self, networks: str = "") -> None:
        parts = [part.strip() for part in networks.split(",") if part.strip()]
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(part) for part in parts)

    def trusts(self, address: str) -> bool:
        """Tell whether an address is one of these proxies."""
        if not self._networks:
            return False
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        found = getattr(found, "ipv4_mapped", None) or found
        return any(found.version == network.version and found in network for network in self._networks)

    def client(self, peer: str, forwarded_for: str) -> str:
        """Give the address of the first who is no proxy, read from the end, where each proxy adds who asked it.

        What stands before that was written by whoever asked, and is believed in nothing.
        """
        address = peer
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        for hop in hops[: -_MOST_HOPS - 1 : -1]:
            if not self.trusts(address):
                break
            plain = hop.rpartition(":")[0] if hop.count(":") == 1 else hop.strip("[]")
            try:
                address = str(ip_address(plain))
            except ValueError:
                break
        return address
