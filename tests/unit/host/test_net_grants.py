"""Which connection, lookup and listener a pattern allows, and which patterns are none."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from golem_host.config import HostConfig
from golem_host.net.grants import Grants

EVERYTHING = ("*:*", "listen:*:*")


def connects(pattern: str, address: str, port: int, *names: str) -> bool:
    return Grants.parse([pattern]).connects(ip_address(address), port, frozenset(names))


def test_nothing_is_allowed_without_a_pattern() -> None:
    """Powers are granted, never ambient."""
    grants = Grants()

    assert grants.is_empty
    assert not grants.names("example.org", 443)
    assert not grants.connects(ip_address("127.0.0.1"), 80, frozenset({"localhost"}))
    assert not grants.resolves("localhost")
    assert not grants.listens(ip_address("127.0.0.1"), 0)


@pytest.mark.parametrize(
    ("pattern", "address", "port", "expected"),
    [
        ("192.0.2.7:80", "192.0.2.7", 80, True),
        ("192.0.2.7:80", "192.0.2.7", 81, False),
        ("192.0.2.7:80", "192.0.2.8", 80, False),
        ("192.0.2.7:80", "::ffff:192.0.2.7", 80, True),
        ("192.0.2.7:80", "::ffff:192.0.2.8", 80, False),
        ("192.0.2.0/24:8000-8099", "192.0.2.255", 8000, True),
        ("192.0.2.0/24:8000-8099", "192.0.2.255", 8099, True),
        ("192.0.2.0/24:8000-8099", "192.0.2.255", 8100, False),
        ("192.0.2.0/24:8000-8099", "192.0.3.0", 8000, False),
        ("[::1]:*", "::1", 65535, True),
        ("[2001:db8::/32]:443", "2001:db8:ffff::1", 443, True),
        ("[2001:db8::/32]:443", "2001:db9::1", 443, False),
        ("*:80", "10.0.0.1", 80, True),
        ("*:80", "fe80::1", 80, True),
        ("*:80", "10.0.0.1", 443, False),
        ("0.0.0.0/0:*", "::1", 80, False),
        ("localhost:80", "127.0.0.1", 80, True),
        ("localhost:80", "::1", 80, True),
        ("localhost:80", "127.0.0.2", 80, False),
        ("example.org:80", "192.0.2.7", 80, False),
        ("listen:192.0.2.7:80", "192.0.2.7", 80, False),
    ],
)
def test_an_address_is_allowed_by_itself(
    pattern: str, address: str, port: int, expected: bool
) -> None:
    """An address, a network or everything; one port, some or all."""
    assert expected == connects(pattern, address, port)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("example.org:80", "example.org", True),
        ("example.org:80", "EXAMPLE.org.", True),
        ("Example.ORG.:80", "example.org", True),
        ("example.org:80", "www.example.org", False),
        ("example.org:80", "badexample.org", False),
        ("*.example.org:80", "www.example.org", True),
        ("*.example.org:80", "a.b.example.org", True),
        ("*.example.org:80", "example.org", False),
        ("*.example.org:80", ".example.org", False),
        ("*.example.org:80", "badexample.org", False),
        ("*:80", "anything.test", True),
        ("192.0.2.0/24:80", "example.org", False),
    ],
)
def test_a_name_allows_its_lookup_its_authority_and_its_addresses(
    pattern: str, name: str, expected: bool
) -> None:
    """And only for a guest that has looked the name up itself."""
    grants = Grants.parse([pattern])

    assert expected == grants.resolves(name)
    assert expected == grants.names(name, 80)
    assert not grants.names(name, 81)
    if "/" not in pattern:
        assert expected == grants.connects(ip_address("192.0.2.7"), 80, frozenset({name}))


def test_an_authority_may_be_an_address() -> None:
    """In brackets, where it is one of IPv6."""
    grants = Grants.parse(["[::1]:80", "127.0.0.0/8:80"])

    assert grants.names("[::1]", 80)
    assert grants.names("127.0.0.1", 80)
    assert not grants.names("[::2]", 80)


@pytest.mark.parametrize(
    ("pattern", "address", "port", "expected"),
    [
        ("listen:127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("listen:127.0.0.1:8080", "127.0.0.1", 0, False),
        ("listen:127.0.0.1:8080", "0.0.0.0", 8080, False),
        ("listen:127.0.0.1:*", "127.0.0.1", 0, True),
        ("listen:localhost:*", "::1", 0, True),
        ("listen:[::]:80", "::", 80, True),
        ("listen:*:80", "0.0.0.0", 80, True),
        ("127.0.0.1:8080", "127.0.0.1", 8080, False),
    ],
)
def test_listening_is_allowed_apart(pattern: str, address: str, port: int, expected: bool) -> None:
    """Who may connect may not listen, and the other way round."""
    assert expected == Grants.parse([pattern]).listens(ip_address(address), port)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "is not HOST:PORT"),
        ("example.org", "is not HOST:PORT"),
        ("::1:80", "is not HOST:PORT; an IPv6 address stands in brackets"),
        ("http://example.org:80", "is not HOST:PORT"),
        ("example.org:", "'' is no port"),
        ("example.org:0", "'0' is no port: 1 to 65535, FIRST-LAST or *"),
        ("example.org:65536", "is no port"),
        ("example.org:90-80", "is no port"),
        ("example.org:http", "is no port"),
        (":80", "'' is no host"),
        ("exa mple:80", "is no host"),
        ("bücher.example:80", "is no host: a name in ASCII"),
        ("a.*.example:80", "is no host"),
        ("-a.example:80", "is no host"),
        ("300.1.1.1:80", "'300.1.1.1' does not appear to be an IPv4 or IPv6 network"),
        ("10.0.0.1/8:80", "10.0.0.1/8 has host bits set"),
        ("[10.0.0.0]:80", "'10.0.0.0' is no address of IPv6"),
        ("[fe80::x]:80", "does not appear to be"),
        ("listen:example.org:80", "names a host; what is bound is an address"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    """One line that quotes the pattern; a host with a wrong one does not start."""
    with pytest.raises(ValueError, match=r"^network pattern ") as refused:
        Grants.parse([*EVERYTHING, pattern])

    assert repr(pattern) in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match=r"^network pattern "):
        replace(HostConfig(), net=(pattern,))
