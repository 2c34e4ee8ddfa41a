"""A worker of another process, watched: its output is shown here, in order, each piece once."""

from __future__ import annotations

import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from golem_host.errors import HostError
from golem_host.rest.client import Client, Lines
from golem_host.worker.output_line import OutputLine
from golem_oplog.errors import OplogError
from golem_oplog.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """How far somebody has followed the output of a worker."""

    created_ns: int
    """Of which one: another of its name begins anew."""
    index: int
    """The last entry."""


class Watched:
    """What was shown so far, whether it came by the stream or was asked for."""

    def __init__(
        self,
        output: Callable[[int], Iterator[OutputLine]],
        shown_index: int,
        on_output: Callable[[str, bytes], None],
        on_notice: Callable[[str], None],
    ) -> None:
        self._output = output
        self._shown_index = shown_index
        self._on_output = on_output
        self._on_notice = on_notice
        self._lock = threading.Lock()

    @contextmanager
    def following(self, client: Client, path: str) -> Iterator[None]:
        """Show what comes by the stream for as long as the block runs."""
        query = [("follow", "true"), ("from", str(self._shown_index + 1))]
        with client.lines(path, query) as lines:
            thread = threading.Thread(target=self._follow, args=(lines,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                lines.stop()
                thread.join()

    @property
    def shown_index(self) -> int:
        """The last entry whose output was shown, or before which nothing is."""
        return self._shown_index

    def catch_up(self) -> None:
        """Show everything that is durable by now, without waiting for the stream."""
        with self._lock:
            for line in self._output(self._shown_index + 1):
                self._show(line)

    def _follow(self, lines: Lines) -> None:
        try:
            for document in lines:
                with self._lock:
                    if "notice" in document:
                        self._on_notice(str(document["notice"]))
                    elif "stream" in document:
                        self._show(output_line(document))
        except (HostError, OplogError):
            # Whoever called meets the same; nothing that was written is lost.
            return

    def _show(self, line: OutputLine) -> None:
        if line.index > self._shown_index:
            self._shown_index = line.index
            self._on_output(line.stream, line.data)


def output_line(document: dict[str, object]) -> OutputLine:
    match document:
        case {"index": int(index), "stream": str(stream), "text": str(text)}:
            return OutputLine(index, stream, text.encode())
        case {"index": int(index), "stream": str(stream), "base64": str(text)}:
            return OutputLine(index, stream, b64decode(text))
        case _:
            raise ValueError(document)
