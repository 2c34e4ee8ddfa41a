"""
Options of sockets as plain data: what a guest reads is what it set, within bounds.

The operating system is told, and never asked: its own defaults would differ from machine to machine.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import field
from typing import Final

from golem_host.net.sockets import BACKLOG_MAX
from golem_oplog.lazy_dataclass import dataclass

NS_PER_S: Final = 1_000_000_000
SECONDS_MAX: Final = 32_767
COUNT_MAX: Final = 127
BUFFER_BYTES_MIN: Final = 2_304
BUFFER_BYTES_MAX: Final = 4 << 20


def whole_seconds(nanoseconds: int) -> int:
    """Rounded up to whole seconds, and bounded; in nanoseconds."""
    return min(-(-nanoseconds // NS_PER_S), SECONDS_MAX) * NS_PER_S


def buffer_bytes(size: int) -> int:
    return min(max(size, BUFFER_BYTES_MIN), BUFFER_BYTES_MAX)


@dataclass(slots=True)
class Options:
    """Those of every socket."""

    hop_limit: int = 64
    receive_buffer_size: int = 65_536
    send_buffer_size: int = 65_536
    changed: set[str] = field(default_factory=set)

    def put(self, name: str, value: int) -> None:
        setattr(self, name, value)
        self.changed.add(name)

    def apply(self, made: socket.socket, *, is_v6: bool) -> None:
        """As far as the operating system has them."""
        hops = (
            (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
            if is_v6
            else (socket.IPPROTO_IP, socket.IP_TTL)
        )
        self._tell(made, "hop_limit", *hops, 1)
        self._tell(made, "receive_buffer_size", socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self._tell(made, "send_buffer_size", socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

    def _tell(self, made: socket.socket, name: str, level: int, number: int, unit: int) -> None:
        if name in self.changed:
            with suppress(OSError):
                made.setsockopt(level, number, int(getattr(self, name)) // unit)


@dataclass(slots=True)
class TcpOptions(Options):
    keep_alive_enabled: int = False
    keep_alive_idle_time: int = 7_200 * NS_PER_S
    keep_alive_interval: int = 75 * NS_PER_S
    keep_alive_count: int = 9
    backlog: int = BACKLOG_MAX

    def apply(self, made: socket.socket, *, is_v6: bool) -> None:
        Options.apply(self, made, is_v6=is_v6)
        tcp = socket.IPPROTO_TCP
        self._tell(made, "keep_alive_enabled", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # macOS has another name for it.
        idle: int = getattr(socket, "TCP_KEEPIDLE", 0x10)
        self._tell(made, "keep_alive_idle_time", tcp, idle, NS_PER_S)
        self._tell(made, "keep_alive_interval", tcp, socket.TCP_KEEPINTVL, NS_PER_S)
        self._tell(made, "keep_alive_count", tcp, socket.TCP_KEEPCNT, 1)

    def inherited(self) -> TcpOptions:
        """For what is accepted."""
        names = [name for name in self.changed if name != "backlog"]
        made = TcpOptions()
        for name in names:
            made.put(name, getattr(self, name))
        return made
