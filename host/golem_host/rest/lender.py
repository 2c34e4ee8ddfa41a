"""Lends a standard input of this process to a worker of another one."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from golem_host.errors import HostError, os_reason
from golem_host.rest.client import Client, OwnerGoneError
from golem_host.services.console import READ_BYTES, Source
from golem_host.wake import Wake
from golem_oplog.errors import OplogError


@contextmanager
def lending(client: Client, path: str, source: Source) -> Iterator[None]:
    """
    For as long as the block runs, the guest reads from a source of this process.

    Nothing is read before the guest wants it: what it does not read stays where it is.

    Args:
        path: Of the worker's input.
    """
    query = [("terminal", "true")] if source.is_terminal else []
    with client.lines(path, query) as lines:
        documents = iter(lines)
        loan = next(documents, None)
        if loan is None:
            raise OwnerGoneError(reason="the owner of the state directory has ended")
        lender = _Lender(client, f"{path}/{loan['input']}", source)
        threads = [
            threading.Thread(target=lender.hear, args=(documents,), daemon=True),
            threading.Thread(target=lender.give, daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            lines.stop()
            for thread in threads:
                thread.join()


class _Lender:
    def __init__(self, client: Client, path: str, source: Source) -> None:
        self._client = client
        self._path = path
        self._source = source
        self._wake = Wake()
        self._want: tuple[str, int] | None = None
        """The invocation that reads, and the position in what it reads."""
        self._is_over = False

    def hear(self, documents: Iterator[dict[str, object]]) -> None:
        """Take down what is wanted, the last of it, until the stream ends."""
        try:
            for document in documents:
                match document:
                    case {"key": str(key), "position": int(position)}:
                        self._want = key, position
                        self._wake.set()
        except (HostError, OplogError):
            # Whoever calls the worker meets the same.
            pass
        finally:
            self._is_over = True
            self._wake.set()

    def give(self) -> None:
        """Answer as soon as there is something, until the stream ends."""
        try:
            while True:
                # Before the look: what is wanted from here on ends the wait.
                self._wake.clear()
                want = self._want
                if self._is_over:
                    return
                if want is None or not self._source.is_ready(*want):
                    watched = None if want is None else self._source.watched
                    self._wake.wait_with([] if watched is None else [watched], None)
                    continue
                piece = self._read(*want)
                if piece is not None:
                    self._want = None
                    self._client.ask("POST", self._path, body=piece)
        except (HostError, OplogError):
            # The loan is over: another owner asks anew.
            return
        finally:
            self._wake.close()

    def _read(self, key: str, position: int) -> dict[str, object] | None:
        """The answer; None where nothing is there yet."""
        data, error = b"", ""
        try:
            data = self._source.read(key, position, READ_BYTES)
            if not data:
                return None
        except EOFError:
            pass
        except OSError as raised:
            error = os_reason(raised)
        text = b64encode(data).decode()
        return {"key": key, "position": position, "base64": text, "error": error}
