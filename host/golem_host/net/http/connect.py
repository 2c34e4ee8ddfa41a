"""From an origin to a connection: look up, choose among what is granted, connect, agree on TLS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

from golem_host.net.grants import LOCALHOST, LOOPBACK, normal_name
from golem_host.net.http.connection import Connection
from golem_host.net.http.errors import HttpError, of_connecting, of_lookup
from golem_host.net.http.pipe import LoopBell
from golem_host.net.http.request import Request
from golem_host.net.lookup import Lookup
from golem_host.net.sockets import NetError

if TYPE_CHECKING:
    from golem_host.net.grants import Address

ATTEMPTS_MAX: Final = 8
"""Addresses of one name that are tried."""
LOOKUPS_MAX: Final = 16
"""At the same time; further ones wait, and leave some of the machine's to sockets."""
BUFFER_BYTES: Final = 65_536


class Connector:
    """
    Args:
        ca_file: Certificates to trust besides those of the system; None for no others.
    """

    def __init__(self, ca_file: Path | None) -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._lookups = asyncio.Semaphore(LOOKUPS_MAX)

    async def connect(self, request: Request) -> Connection:
        """
        A new connection.

        Raises:
            HttpError: There is none.
        """
        phase = ["DNS-timeout"]
        try:
            async with asyncio.timeout(request.timeouts.connect):
                addresses = await self._addresses(request)
                phase[0] = "connection-timeout"
                return await self._first(request, addresses)
        except TimeoutError as error:
            raise HttpError(phase[0]) from error

    async def _addresses(self, request: Request) -> list[Address]:
        origin = request.origin
        found = await self._lookup(origin.host)
        granted = [each for each in found if request.allowed(each, origin.port)]
        if not granted:
            raise HttpError("destination-IP-prohibited")
        return granted

    async def _lookup(self, host: str) -> list[Address]:
        with suppress(ValueError):
            return [ip_address(host)]
        if normal_name(host) == LOCALHOST:
            return [ip_address(each) for each in LOOPBACK]
        async with self._lookups:
            return await _asked(host)

    async def _first(self, request: Request, addresses: list[Address]) -> Connection:
        failed: OSError | None = None
        for address in addresses[:ATTEMPTS_MAX]:
            try:
                return await self._open(request, str(address))
            except ssl.SSLError as error:
                # The next address of the same name would say the same.
                raise of_connecting(error) from error
            except OSError as error:
                failed = failed or error
        assert failed is not None
        raise of_connecting(failed) from failed

    async def _open(self, request: Request, address: str) -> Connection:
        origin = request.origin
        reader, writer = await asyncio.open_connection(
            address,
            origin.port,
            limit=BUFFER_BYTES,
            ssl=self._tls() if origin.is_tls else None,
            server_hostname=origin.host if origin.is_tls else None,
        )
        return Connection(origin, reader, writer)

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self._ca_file is not None:
                try:
                    context.load_verify_locations(self._ca_file)
                except OSError as error:
                    why = f"the CA file {self._ca_file} cannot be used: {error}"
                    raise HttpError("configuration-error", why=why) from error
            context.set_alpn_protocols(["http/1.1"])
            self._context = context
        return self._context


async def _asked(host: str) -> list[Address]:
    bell = _Done()
    try:
        lookup = Lookup(host, bell)
        await bell.bell.until(lookup.answer)
        return [ip_address(each) for each in lookup.answer() or ()]
    except NetError as error:
        raise of_lookup(error) from error


class _Done(threading.Event):
    """Rings in the loop, too."""

    def __init__(self) -> None:
        super().__init__()
        self.bell = LoopBell()

    def set(self) -> None:
        super().set()
        self.bell.set()
