"""Looking up names, in threads, because the operating system does it only in its own time."""

from __future__ import annotations

import socket
import threading
from typing import Final

from golem_host.net.sockets import NetError

LOOKUPS_MAX: Final = 32
"""At the same time in this process; one that got no answer counts until the system gives up."""
ADDRESSES_MAX: Final = 100

_running = threading.BoundedSemaphore(LOOKUPS_MAX)

_ERRORS: Final = {
    socket.EAI_AGAIN: "temporary-resolver-failure",
    socket.EAI_FAIL: "permanent-resolver-failure",
    socket.EAI_MEMORY: "out-of-memory",
    socket.EAI_NONAME: "name-unresolvable",
}


class Lookup:
    """One name being looked up; ``done`` is set when the answer is there."""

    def __init__(self, name: str, done: threading.Event) -> None:
        """
        Raises:
            NetError: Too many are being looked up.
        """
        if not _running.acquire(blocking=False):
            raise NetError("temporary-resolver-failure")
        self._name = name
        self._done = done
        self._answer: list[str] | NetError | None = None
        try:
            threading.Thread(target=self._ask, name="golem-net-lookup", daemon=True).start()
        except RuntimeError:  # The system has no thread left.
            _running.release()
            raise NetError("temporary-resolver-failure") from None

    def answer(self) -> list[str] | None:
        """
        The addresses as text, or None while there is no answer.

        Raises:
            NetError: There are none.
        """
        if isinstance(self._answer, NetError):
            raise self._answer
        return self._answer

    def _ask(self) -> None:
        try:
            found = socket.getaddrinfo(self._name, None, type=socket.SOCK_STREAM)
            hosts = dict.fromkeys(str(each[4][0]).partition("%")[0] for each in found)
            self._answer = list(hosts)[:ADDRESSES_MAX]
        except socket.gaierror as error:
            self._answer = NetError(_ERRORS.get(error.errno or 0, "name-unresolvable"))
        except (OSError, UnicodeError):
            self._answer = NetError("permanent-resolver-failure")
        finally:
            _running.release()
            self._done.set()
