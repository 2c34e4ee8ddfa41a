"""
What a guest may do on the network: patterns that the embedder gives.

```text
example.org:443          connect to a name, and look it up
*.example.org:443        to every name below it, at any depth, and not to itself
192.0.2.7:8000-8099      to an address
[2001:db8::/32]:*        to a network; an address of IPv6 stands in brackets
*:80                     to anything, this machine and its neighbours included
listen:127.0.0.1:8080    bind there and accept; port `*` allows port 0 too, any that is free
```

Nothing is allowed without a pattern.  A name stands for the addresses that a lookup gave to the
guest itself, and for no others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    # Slow to import, and a host without a pattern needs none of it.
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Address: TypeAlias = IPv4Address | IPv6Address
    Network: TypeAlias = IPv4Network | IPv6Network

LISTEN: Final = "listen:"
LOCALHOST: Final = "localhost"
LOOPBACK: Final = ("127.0.0.1", "::1")
"""What `LOCALHOST` is, without asking anybody."""
PORT_MAX: Final = 65_535
FORMS: Final = (
    "example.org:443, *.example.org:443, 192.0.2.7:8000-8099, [2001:db8::/32]:*, *:80, "
    "listen:127.0.0.1:8080"
)
"""One of each kind, for people whose pattern is none."""

# Patterns are compiled when they are first needed: most processes grant nothing.
_NAME: Final = r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*"
_FORM: Final = r"(?:\[(?P<six>[^\]]*)\]|(?P<host>[^\[\]:]*)):(?P<ports>[^:]*)"
_PORTS: Final = r"(?a)(\d{1,5})(?:-(\d{1,5}))?"
_ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class _Pattern:
    ports: range
    """With 0 in it where all are meant."""
    name: str = ""
    """Lower case; `*` for anything, `*.` before what names end in; empty where it is a network."""
    networks: tuple[Network, ...] = ()

    def names(self, name: str) -> bool:
        if self.name.startswith("*."):
            return name.endswith(self.name[1:]) and len(name) >= len(self.name)
        return bool(self.name) and self.name in (_ANY, name)

    def holds(self, address: Address) -> bool:
        return self.name == _ANY or any(
            network.version == address.version and address in network for network in self.networks
        )


@dataclass(frozen=True, slots=True)
class Grants:
    """The patterns of one host; by default none."""

    _connect: tuple[_Pattern, ...] = ()
    _listen: tuple[_Pattern, ...] = ()
    patterns: tuple[str, ...] = ()
    """As they were given."""

    @classmethod
    def parse(cls, patterns: Sequence[str]) -> Self:
        """
        Raises:
            ValueError: One is none; says which and why, in one line.
        """
        connect: list[_Pattern] = []
        listen: list[_Pattern] = []
        for text in patterns:
            if text.startswith(LISTEN):
                listen.append(_parse(text, text.removeprefix(LISTEN), listens=True))
            else:
                connect.append(_parse(text, text, listens=False))
        return cls(tuple(connect), tuple(listen), tuple(patterns))

    @property
    def is_empty(self) -> bool:
        return not self.patterns

    def names(self, host: str, port: int) -> bool:
        """
        Whether the host of an authority, a name or an address, is granted as it is written.

        A name may still be granted by its addresses: see `connects`.
        """
        address = _address(host)
        if address is not None:
            return self.connects(address, port, frozenset())
        name = normal_name(host)
        return any(port in each.ports and each.names(name) for each in self._connect)

    def connects(self, address: Address, port: int, names: AbstractSet[str]) -> bool:
        """
        Whether a guest may connect or send there.

        Args:
            address: Where to.
            port: Not 0.
            names: What this guest looked up and got the address for.
        """
        plain = unmapped(address)
        known = {normal_name(name) for name in names}
        return any(
            port in each.ports and (each.holds(plain) or any(map(each.names, known)))
            for each in self._connect
        )

    def resolves(self, name: str) -> bool:
        """Whether the world may be asked for the addresses of a name."""
        wanted = normal_name(name)
        return any(each.names(wanted) for each in self._connect)

    def listens(self, address: Address, port: int) -> bool:
        """Whether a guest may bind there; port 0 is any that is free."""
        plain = unmapped(address)
        return any(port in each.ports and each.holds(plain) for each in self._listen)


def normal_name(name: str) -> str:
    """As names are compared: lower case, without the dot of the root."""
    return name.removesuffix(".").lower()


def unmapped(address: Address) -> Address:
    """An address of IPv4 that is written as one of IPv6 is one of IPv4."""
    return getattr(address, "ipv4_mapped", None) or address


def _parse(whole: str, text: str, *, listens: bool) -> _Pattern:
    form = re.fullmatch(_FORM, text)
    if form is None:
        raise _misfit(whole, "is not HOST:PORT; an IPv6 address stands in brackets")
    ports = _ports(whole, form["ports"])
    if form["six"] is not None:
        return _Pattern(ports, networks=(_network(whole, form["six"], 6),))
    host = form["host"].lower().removesuffix(".")
    if host == _ANY:
        return _Pattern(ports, host)
    if re.fullmatch(r"[\d./]+", host, re.ASCII):
        return _Pattern(ports, networks=(_network(whole, host, 4),))
    if host == LOCALHOST:
        return _Pattern(ports, host, tuple(_network(whole, each, 0) for each in LOOPBACK))
    if listens:
        raise _misfit(whole, "names a host; what is bound is an address")
    if not re.fullmatch(_NAME, host):
        raise _misfit(whole, f"{host!r} is no host: a name in ASCII, *.name, *, address or network")
    return _Pattern(ports, host)


def _ports(whole: str, text: str) -> range:
    if text == _ANY:
        return range(PORT_MAX + 1)
    form = re.fullmatch(_PORTS, text)
    if form is not None:
        first = int(form[1])
        last = first if form[2] is None else int(form[2])
        if 1 <= first <= last <= PORT_MAX:
            return range(first, last + 1)
    raise _misfit(whole, f"{text!r} is no port: 1 to {PORT_MAX}, FIRST-LAST or *")


def _network(whole: str, text: str, version: int) -> Network:
    from ipaddress import ip_network  # noqa: PLC0415 - see above

    try:
        found = ip_network(text)
    except ValueError as error:
        raise _misfit(whole, str(error)) from error
    if version not in (0, found.version):
        raise _misfit(whole, f"{text!r} is no address of IPv{version}")
    return found


def _address(host: str) -> Address | None:
    from ipaddress import ip_address  # noqa: PLC0415 - see above

    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def _misfit(whole: str, reason: str) -> ValueError:
    return ValueError(f"network pattern {whole!r}: {reason}; valid are {FORMS}")
