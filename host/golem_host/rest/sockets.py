"""The sockets that a host is served on: where they are, who may open them."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from golem_host.errors import InvalidRequestError, StateDirError, os_reason
from golem_host.storage.layout import StateLayout
from golem_host.storage.lock import told_socket

PATH_BYTES_MAX: Final = 100
"""What every system takes as a socket's path: 104 with the final zero on macOS, 108 on Linux."""

Listener: TypeAlias = socket.socket

BACKLOG: Final = 1_024


def control_path(layout: StateLayout) -> Path:
    """Where the control socket is bound: in the state directory, if the path is short enough."""
    path = layout.control_socket
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        return path
    digest = hashlib.sha256(os.fsencode(layout.root)).hexdigest()[:16]
    return _runtime_dir() / f"golem-host-{digest}.sock"


def known_path(layout: StateLayout) -> Path:
    """Where the owner of a state directory listens, if there is one."""
    return told_socket(layout.lock) or layout.control_socket


def listen_unix(path: Path) -> socket.socket:
    """A listening socket that only this user can open; what an earlier owner left is removed."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        # Nobody can connect before `listen`.
        path.chmod(0o600)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def listen_tcp(address: str, port: int) -> socket.socket:
    """
    A listening socket on one address; port 0 for any that is free.

    Raises:
        InvalidRequestError: There is no such address here, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        found = socket.getaddrinfo(address, port, family, socket.SOCK_STREAM)[0]
        return socket.create_server(found[4][:2], family=family, backlog=BACKLOG)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise InvalidRequestError(reason=f"cannot listen on {address}:{port}: {reason}") from error


def connect_unix(path: Path, timeout_s: float) -> socket.socket:
    """Raises OSError when nobody listens there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(str(path))
        connection.settimeout(None)
    except OSError:
        connection.close()
        raise
    return connection


def hang_up(connection: socket.socket) -> None:
    """End a connection; whoever reads from it reads its end."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _runtime_dir() -> Path:
    """A directory of this user's own, with a short path."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if given.startswith("/") and Path(given).is_dir():
        return Path(given)
    import tempfile  # noqa: PLC0415 - slow to import, and a rare case

    own = Path(tempfile.gettempdir()) / f"golem-host-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    # Somebody else may have made it, to listen in our place.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StateDirError(path=str(own), reason="is not a private directory of this user")
    return own
