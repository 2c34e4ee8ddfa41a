"""What the sockets of one instance share: its grants, its ports, its listeners, its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NoReturn, Protocol, Self

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, Recorded
from golem_host.dispatch import recorded_call
from golem_host.interfaces.wasi.sockets.addresses import IpAddress, SocketAddress
from golem_host.net.grants import LISTEN, Grants, unmapped
from golem_host.net.sockets import NetError
from golem_oplog.types import FunctionType, ListType, Prim

SOCKETS_MAX: Final = 1_024
"""Of one guest, those within it included."""
OS_SOCKETS_MAX: Final = 256
"""Of one guest with the operating system."""
PASSED_OVER_FIRST: Final = 1 << 31
"""Sockets that no replay makes have numbers of their own, from here on."""
PORT_FIRST: Final = 49_152
PORT_LAST: Final = 65_535

GRANTS: Final = Recorded(
    READ_LOCAL, FunctionType("sockets::network::grants", (), ListType(Prim.STRING))
)

LOOPBACK: Final[tuple[IpAddress, ...]] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def _in_pattern(ip: IpAddress) -> str:
    plain = unmapped(ip)
    return f"[{plain}]" if isinstance(plain, IPv6Address) else str(plain)


class Bound(Protocol):
    """A socket that has a port."""

    @property
    def local(self) -> SocketAddress | None: ...

    @property
    def is_open(self) -> bool:
        """Whether it has a socket of the operating system now."""
        ...

    def release(self) -> None:
        """Give the operating system's socket back."""
        ...


class Sockets:
    """
    The `Part` of ``wasi:sockets``.

    Everything here follows from the guest's calls and from the record, so that a replay comes to
    the same decisions.  What was granted is recorded where it matters for the first time, and again
    whenever it has become something else: a host may be started anew with other patterns.
    """

    def __init__(self, context: InstanceContext) -> None:
        self._context = context
        # One instance has the same all its life: only so its first look after a recorded call is
        # where a replay looks as well.
        self._now = context.services.grants
        self._grants = Grants()
        self._numbers = 0
        self._passed_over = PASSED_OVER_FIRST
        self._port_next = PORT_FIRST
        self._sent_index = -1
        self.tcp: dict[int, Bound] = {}
        """The bound ones by number; so are these."""
        self.udp: dict[int, Bound] = {}
        self.all: dict[int, Bound] = {}
        self.with_os: set[int] = set()
        """Those that have a socket of the operating system, or had one before a replay."""
        self.names: dict[IpAddress, set[str]] = {}
        """What the guest has looked up, by what it was given."""

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        return cls(context)

    def close(self) -> None:
        for each in self.all.values():
            each.release()

    def is_pinned(self) -> bool:
        return any(self.all[number].is_open for number in self.with_os)

    # -- grants -------------------------------------------------------------------------------

    @property
    def grants(self) -> Grants:
        context = self._context
        replay, now = context.replay, self._now
        if context.is_passed_over:
            # The first use that a replay meets is still to come.
            return now
        is_next = replay.next_is(context.function_id(GRANTS))
        if is_next or (replay.live and now.patterns != self._grants.patterns):
            given = recorded_call(context, GRANTS, (), lambda: list(now.patterns))
            self._grants = Grants.parse(given)
        return self._grants

    def require_connect(self, address: SocketAddress) -> None:
        """
        Raises:
            NetError: It is not granted; whoever watches is told what would.
        """
        if self.connectable()(address):
            return
        names = self.names.get(unmapped(address.ip), ())
        host = min(names, default=_in_pattern(address.ip))
        self._refuse(f"connect or send to {address}", f"{host}:{address.port}")

    def require_listen(self, granted: object, address: SocketAddress) -> None:
        """As `require_connect`, where it is known whether it is granted."""
        if not granted:
            port = address.port or "*"
            host = "*" if address.ip.is_unspecified else _in_pattern(address.ip)
            self._refuse(f"bind to {address}", f"{LISTEN}{host}:{port}")

    def require_lookup(self, name: str) -> None:
        if not self.grants.resolves(name):
            self._refuse(f"look {name} up", f"{name.removesuffix('.')}:*")

    def _refuse(self, what: str, pattern: str) -> NoReturn:
        if self._context.replay.live:
            hint = self._context.services.net.hint(what, pattern)
            if hint is not None:
                self._context.services.notify(hint)
        raise NetError("access-denied")

    def connectable(self) -> Callable[[SocketAddress], bool]:
        """Whether an address may be connected or sent to, by what is granted now."""
        grants = self.grants

        def may(address: SocketAddress) -> bool:
            names = self.names.get(unmapped(address.ip), set())
            return grants.connects(address.ip, address.port, names)

        return may

    # -- numbers ------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        return len(self.all) >= SOCKETS_MAX

    def enter(self, made: Bound) -> int:
        """A number for a new socket: what it is called in the log."""
        if self._context.is_passed_over:
            self._passed_over += 1
            number = self._passed_over
        else:
            self._numbers += 1
            number = self._numbers
        self.all[number] = made
        return number

    def leave(self, number: int) -> None:
        for each in (self.all, self.tcp, self.udp):
            each.pop(number, None)
        self.with_os.discard(number)

    @property
    def has_os_room(self) -> bool:
        return len(self.with_os) < OS_SOCKETS_MAX

    def take_os(self, number: int) -> bool:
        """Whether this socket may be, or is, one of the operating system's."""
        if number not in self.with_os and not self.has_os_room:
            return False
        self.with_os.add(number)
        return True

    # -- ports --------------------------------------------------------------------------------

    def is_taken(self, among: dict[int, Bound], address: SocketAddress) -> bool:
        return any(self._overlaps(address, bound) for _, bound in _local(among))

    @staticmethod
    def _overlaps(one: SocketAddress, other: SocketAddress) -> bool:
        if one.port != other.port or one.is_v6 != other.is_v6:
            return False
        return one.ip == other.ip or one.ip.is_unspecified or other.ip.is_unspecified

    def free_port(self, among: dict[int, Bound], address: SocketAddress) -> SocketAddress | None:
        """The address with a port that the guest does not use; None where there is none."""
        next_port = self._port_next
        for _ in range(PORT_FIRST, PORT_LAST + 1):
            free = address.at(next_port)
            next_port = PORT_FIRST if free.port == PORT_LAST else free.port + 1
            if not self.is_taken(among, free):
                if not self._context.is_passed_over:
                    self._port_next = next_port
                return free
        return None

    def found(self, among: dict[int, Bound], address: SocketAddress) -> Iterator[Bound]:
        """The guest's own sockets that something sent there arrives at."""
        return (each for each, bound in _local(among) if address.reaches(bound))

    # -- what leaves the process ---------------------------------------------------------------

    def before_output(self) -> None:
        """
        Nothing is sent that follows from what could still be lost.

        Several writes in a row need only one commit: what is lost with one of them is that it was
        done, and on a replay its connection is gone at any rate.
        """
        oplog = self._context.oplog
        if oplog.last_index != self._sent_index and not self._context.is_unrecorded:
            oplog.commit()

    def after_output(self) -> None:
        self._sent_index = self._context.oplog.last_index


def _local(among: dict[int, Bound]) -> Iterator[tuple[Bound, SocketAddress]]:
    for each in among.values():
        local = each.local
        if local is not None:
            yield each, local
