"""Sockets with both ends in one guest: a Python program talks to itself, and a replay says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.support.guests import python_guest
from tests.support.repository import ROOT
from tests.support.wasi_hosts import Seen, ours, replayed

PROGRAMS: Final = {
    "a pair": ("a, b = socket.socketpair(); a.sendall(b'x'); print(b.recv(2))", "b'x'\n"),
    "an event loop with a server": (
        """
async def main():
    async def handle(reader, writer):
        writer.write((await reader.read(5)).upper())
        writer.close()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello")
    print(await reader.read(10))
    writer.close()
    server.close()
asyncio.run(main())
""",
        "b'HELLO'\n",
    ),
    "datagrams sent before anybody receives": (
        """
one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
one.bind(("127.0.0.1", 0))
other.sendto(b"ping", one.getsockname())
data, sender = one.recvfrom(10)
one.sendto(data[::-1], sender)
print(other.recv(10))
""",
        "b'gnip'\n",
    ),
    "the outside": (
        """
for port in (1, 80):
    try:
        socket.create_connection(("192.0.2.1", port))
    except OSError as error:
        print(type(error).__name__)
""",
        "PermissionError\nPermissionError\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_guest_talks_to_itself_without_a_grant(name: str, tmp_path: Path) -> None:
    """And to nobody else; nothing of it is done twice or recorded again when it is replayed."""
    program, expected = PROGRAMS[name]
    wasm = python_guest(ROOT / "tests/support/net_guest")

    seen = ours(wasm, ["prog", program], {}, tmp_path / "state")

    assert Seen(0, expected.encode(), b"") == seen
    assert (Seen(0, b"", b""), 0) == replayed(tmp_path / "state")
