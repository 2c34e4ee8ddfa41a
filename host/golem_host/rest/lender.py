"""Lends a standard input of this process to a worker of another one."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from golem_host.errors import HostError, os_reason
from golem_host.rest.client import Client, OwnerGoneError
from golem_host.rest.lent_input import Question, Want
from golem_host.services.console import READ_BYTES, InputSource
from golem_host.wake import Wake
from golem_oplog.errors import OplogError


@contextmanager
def lending(client: Client, path: str, source: InputSource) -> Iterator[None]:
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
    def __init__(self, client: Client, path: str, source: InputSource) -> None:
        self._client = client
        self._path = path
        self._source = source
        self._wake = Wake()
        self._lock = threading.Lock()
        self._asked: Question | None = None
        """The last one that was not answered yet."""
        self._is_over = False

    def hear(self, documents: Iterator[dict[str, object]]) -> None:
        """Take down what is wanted, the last of it, until the stream ends."""
        try:
            for document in documents:
                match document:
                    case {"key": str(key), "position": int(position), **rest}:
                        before = rest.get("before")
                        before = before if isinstance(before, int) else None
                        with self._lock:
                            self._asked = Question(Want(key, position), before)
                        self._wake.set()
        except (HostError, OplogError):
            # Whoever calls the worker meets the same.
            pass
        finally:
            self._is_over = True
            self._wake.set()

    def give(self) -> None:
        """Answer as soon as there is something, until the stream ends."""
        known: Question | None = None
        try:
            while True:
                # Before the look: what is wanted from here on ends the wait.
                self._wake.clear()
                asked = self._asked
                if self._is_over:
                    return
                if asked is None:
                    self._wake.wait_with([], None)
                    continue
                if asked is not known and asked.before is not None:
                    self._source.has_read(asked.before)
                known = asked
                if not self._source.is_ready(*asked.want):
                    self._wake.wait_with([self._source.watched], None)
                    continue
                piece = self._read(*asked.want)
                if piece is not None:
                    with self._lock:
                        # Unless something else is wanted by now.
                        if self._asked is asked:
                            self._asked = None
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
