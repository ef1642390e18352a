"""Whose word on who asks is believed."""

import pytest

from pilotwire.core.proxies import TrustedProxies

OURS = TrustedProxies("10.0.0.0/8, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # a stranger says that it is somebody else
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the first was written by the client itself
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.0.5", "198.51.100.1"),
        ("10.0.0.1", "10.3.0.7, 10.2.0.5", "10.3.0.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "[2001:db8::7]", "2001:db8::7"),
    ],
)
def test_the_client_is_the_first_who_is_no_proxy(peer: str, forwarded_for: str, client: str) -> None:
    assert OURS.client(peer, forwarded_for) == client


def test_without_networks_nobody_is_believed() -> None:
    assert TrustedProxies().client("127.0.0.1", "198.51.100.1") == "127.0.0.1"
    with pytest.raises(ValueError, match="does not appear"):
        TrustedProxies("proxy.example.com")


def test_a_long_list_is_read_from_its_end_only() -> None:
    assert OURS.client("10.0.0.1", ",".join(["1.1.1.1"] * 5000 + ["10.1.1.1"] * 30)) == "10.1.1.1"
