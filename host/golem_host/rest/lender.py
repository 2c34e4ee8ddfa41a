"""Lends a standard input of this process to a worker of another one."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from golem_host.errors import ConflictError, HostError, os_reason
from golem_host.rest.client import Client, Lines, OwnerGoneError
from golem_host.rest.lent_input import Want
from golem_host.services.console import InputSource
from golem_host.wake import Wake
from golem_oplog.errors import OplogError

RETRY_S: Final = 0.1


@contextmanager
def lending(
    client: Client, path: str, source: InputSource, keys: Collection[str] | None
) -> Iterator[None]:
    """
    For as long as the block runs, the guest reads from a source of this process.

    Nothing is read before the guest takes it: what it does not read stays where it is.

    Args:
        client: Of the owner.
        path: Of the worker's input.
        source: What is lent.
        keys: Of the invocations that it is for; None for any.
    """
    loan: dict[str, object] = {"terminal": source.is_terminal}
    if keys is not None:
        loan["keys"] = list(keys)
    with client.lines(path, [], method="POST", body=loan) as lines:
        documents = iter(lines)
        begun = next(documents, None)
        if begun is None:
            raise OwnerGoneError(reason="the owner of the state directory has ended")
        lender = _Lender(client, f"{path}/{begun['input']}", source)
        threads = [
            threading.Thread(target=lender.hear, args=(documents,), daemon=True),
            threading.Thread(target=lender.give, args=(lines,), daemon=True),
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
        self._want: Want | None = None
        """The last one that was not answered yet."""
        self._is_over = False

    def hear(self, documents: Iterator[dict[str, object]]) -> None:
        """Take down what is wanted, the last of it, until the stream ends."""
        try:
            for document in documents:
                match document:
                    case {"key": str(key), "position": int(position), "size": int(size)}:
                        with self._lock:
                            self._want = Want(key, position, size)
                        self._wake.set()
        except (HostError, OplogError):
            # Whoever calls the worker meets the same.
            pass
        finally:
            self._is_over = True
            self._wake.set()

    def give(self, lines: Lines) -> None:
        """Answer as soon as there is something, until the stream ends."""
        try:
            while True:
                # Before the look: what is wanted from here on ends the wait.
                self._wake.clear()
                want = self._want
                if self._is_over:
                    return
                if want is None:
                    self._wake.wait_with([], None)
                elif not self._source.is_ready(want.key, want.position):
                    self._wake.wait_with([self._source.watched], None)
                elif (piece := self._read(want)) is not None and self._sent(piece):
                    with self._lock:
                        # Unless something else is wanted by now.
                        if self._want is want:
                            self._want = None
        finally:
            # Nobody may go on waiting for what does not come.
            lines.stop()
            self._wake.close()

    def _sent(self, piece: dict[str, object]) -> bool:
        """False where it has to be sent again, which does no harm; or where the loan is over."""
        try:
            self._client.ask("POST", self._path, body=piece)
        except ConflictError:
            self._is_over = True
            return False
        except (HostError, OplogError):
            # A refused connection may be all there is to it: the stream tells when the owner ends.
            threading.Event().wait(RETRY_S)
            return False
        return True

    def _read(self, want: Want) -> dict[str, object] | None:
        """The answer; None where nothing is there yet."""
        data, error = b"", ""
        if want.size:
            try:
                data = self._source.read(want.key, want.position, want.size)
                if not data:
                    return None
            except EOFError:
                pass
            except OSError as raised:
                error = os_reason(raised)
        return {
            "key": want.key,
            "position": want.position,
            "size": want.size,
            "base64": b64encode(data).decode(),
            "error": error,
        }
