"""
``control.sock``: how other processes of the same user reach the owner of a state directory.

Bound as soon as the directory is owned, so that nobody finds it owned and silent for long.  The
web server is imported and started by the first connection: a host that nobody talks to pays for
one sleeping thread.
"""

from __future__ import annotations

import logging
import os
import selectors
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from golem_host.errors import StateDirError
from golem_host.rest.sockets import control_path, listen_unix
from golem_oplog.closing import ClosesOnExit

if TYPE_CHECKING:
    from golem_host.host import Host
    from golem_host.rest.server import RestServer
    from golem_host.storage.layout import StateLayout
    from golem_host.storage.lock import StateLock

_LOG: Final = logging.getLogger(__name__)


class ControlSocket(ClosesOnExit):
    """Listens from construction to `close`."""

    def __init__(self, host: Host, layout: StateLayout, lock: StateLock) -> None:
        self._host = host
        self._guard = threading.Lock()
        self._server: RestServer | None = None
        self._closed = False
        self._wake_read, self._wake_write = os.pipe()
        self._thread: threading.Thread | None = None
        try:
            self._path = control_path(layout)
            self._listener = listen_unix(self._path)
        except (OSError, StateDirError) as error:
            # A file system without sockets, say.  The host itself needs none.
            _LOG.warning("no control socket", extra={"reason": str(error)})
            return
        if self._path != layout.control_socket:
            lock.tell_socket(self._path)
        self._thread = threading.Thread(target=self._run, name="golem-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End what is being answered; nobody can connect any more when this returns."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            server = self._server
        if self._thread is not None:
            self._path.unlink(missing_ok=True)
            os.write(self._wake_write, b"x")
            if server is not None:
                server.stop()
            self._thread.join()
            self._listener.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            selector.select()
        with self._guard:
            if self._closed:
                return
        try:
            self._serve()
        except Exception:  # noqa: BLE001 - nothing else of the host depends on it
            _LOG.exception("the control socket is no longer served")
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _serve(self) -> None:
        # Only now: a quarter of a second that most commands never need.
        from golem_host.rest.guard import SOCKET_POLICY  # noqa: PLC0415
        from golem_host.rest.server import RestServer  # noqa: PLC0415

        server = RestServer(self._host, self._listener, SOCKET_POLICY)
        with self._guard:
            if self._closed:
                return
            self._server = server
        server.serve()
