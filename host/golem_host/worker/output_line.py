"""What a guest has written, out of its log."""

from __future__ import annotations

from collections.abc import Iterator

from golem_host.services.shown import shown
from golem_oplog.entries import Log
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.protocol import ReadableOplog


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One piece of what the guest wrote."""

    index: int
    """Of its entry in the log."""
    stream: str
    """``stdout`` or ``stderr``."""
    data: bytes
    """What is shown: see `golem_host.services.shown`."""

    @property
    def text(self) -> str:
        """As text; a piece may begin or end inside of a character."""
        return self.data.decode("utf-8", "replace")


def output_lines(oplog: ReadableOplog, start: int) -> Iterator[OutputLine]:
    """What stands in a log from an index on."""
    for index, entry in oplog.read(start):
        if isinstance(entry, Log):
            stream, data = shown(entry)
            yield OutputLine(index, stream.label, data)
