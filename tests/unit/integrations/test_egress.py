"""Which addresses may be asked: nothing leads into a private network unless a setting says so."""

from ipaddress import ip_address

import pytest

from pilotwire.integrations.egress import EgressRefused, is_public, read_policy


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2002:0a00:0001::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)  # fmt: skip
def test_addresses_of_private_networks_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///hook",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/\nx",
        "https://ex\u00e4mple.com/",
        "https://[::1/",
        "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "http://example.com/",
        "http://1.1.1.1/",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_addresses_that_can_never_be_asked_are_refused_at_once(url: str) -> None:
    with pytest.raises(EgressRefused):
        read_policy("", "").check(url)


def test_a_list_of_hosts_allows_them_and_what_is_below() -> None:
    policy = read_policy("example.com, *.hooks.example.net", "")
    for url in ("https://example.com/", "https://a.EXAMPLE.com/", "https://x.hooks.example.net:8443/y?z"):
        policy.check(url)
    for url in ("https://badexample.com/", "https://example.com.evil.org/", "https://example.net/"):
        with pytest.raises(EgressRefused, match="egress_hosts"):
            policy.check(url)


def test_a_network_that_is_allowed_may_be_asked_in_plain_http() -> None:
    policy = read_policy("", "10.1.0.0/16")
    policy.check("http://10.1.2.3:8080/hook")
    policy.check("http://a-name-that-is-resolved-later/hook")
    with pytest.raises(EgressRefused):
        policy.check("http://10.2.0.1/hook")
    with pytest.raises(EgressRefused, match="use https"):
        policy.check_address("http", ip_address("1.1.1.1"))


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001"])
async def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    policy = read_policy("", "")
    parts = policy.check(f"https://{host}/")
    with pytest.raises(EgressRefused, match="not a public address"):
        await policy.resolve(parts)


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        read_policy("", "10.0.0.1/8")
