"""
What can go wrong with a log, one class per thing the reader would do next.

Every error is data: the message is made from the fields, and tests assert on the fields.
"""

from __future__ import annotations

from typing import Final

from golem_oplog.data_error import DataError
from golem_oplog.lazy_dataclass import dataclass

QUERY_SHOWN_CHARS_MAX: Final = 200
"""An error is one line: of a longer query it gives the beginning."""


@dataclass(eq=False, kw_only=True)
class OplogError(DataError):
    """The root: whoever reads or writes a log catches this one."""


@dataclass(eq=False, kw_only=True)
class CorruptOplogError(OplogError):
    """Bytes that were once durable are damaged: a valid record follows the bad place."""

    path: str
    offset_bytes: int
    reason: str
    readable_to: int = 0
    """Last index that can still be read; entries 1..readable_to are intact."""

    def __str__(self) -> str:
        return (
            f"{self.path}: damaged at byte {self.offset_bytes}: {self.reason}; "
            f"entries up to {self.readable_to} are readable "
            "(`golem-host oplog check --salvage` writes them to a new log)"
        )


@dataclass(eq=False, kw_only=True)
class UnsupportedFormatError(OplogError):
    """Written by a newer version, or not a log at all."""

    path: str
    found: str
    supported: str

    def __str__(self) -> str:
        return f"{self.path}: {self.found}; this version reads {self.supported}"


@dataclass(eq=False, kw_only=True)
class MalformedExportError(OplogError):
    """An exported oplog that is damaged or not whole; nothing was made of it."""

    path: str
    offset_bytes: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path}: at byte {self.offset_bytes}: {self.reason}; nothing was imported "
            "(`golem-host oplog export` makes a new file)"
        )


@dataclass(eq=False, kw_only=True)
class OplogPoisonedError(OplogError):
    """A write or sync failed earlier: nothing is acknowledged until the log is opened anew."""

    path: str
    cause: str

    def __str__(self) -> str:
        return f"{self.path}: no longer writable after {self.cause}; reopen it to recover"


@dataclass(eq=False, kw_only=True)
class OplogWriteError(OplogError):
    """The disk refused: full, read-only, gone. What was acknowledged before is safe."""

    path: str
    cause: str

    def __str__(self) -> str:
        return f"{self.path}: cannot write: {self.cause}"


@dataclass(eq=False, kw_only=True)
class MissingBlobError(OplogError):
    """A large payload's content is not in the blob store, or its bytes have another hash."""

    sha256: str
    reason: str

    def __str__(self) -> str:
        return f"blob {self.sha256}: {self.reason}"


@dataclass(eq=False, kw_only=True)
class NoSuchEntryError(OplogError):
    """An index outside of the log was asked for."""

    index: int
    last_index: int

    def __str__(self) -> str:
        return f"no entry {self.index}: the log has entries 1 to {self.last_index}"


@dataclass(eq=False, kw_only=True)
class OplogMismatchError(OplogError):
    """The files are intact but belong to another worker, or do not fit together."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(eq=False, kw_only=True)
class WaveError(OplogError):
    """Text that is not WAVE, or not a value of the expected type."""

    text: str
    position: int
    """0-based offset in characters."""
    expected: str
    """What would have been right here: a WIT type or a piece of syntax."""
    found: str

    def __str__(self) -> str:
        return f"at position {self.position}: expected {self.expected}, found {self.found}"


@dataclass(eq=False, kw_only=True)
class ValueTypeError(OplogError):
    """A Python, JSON or CBOR value that does not fit its WIT type."""

    path: str
    """Where inside the value, e.g. ``[2].price``; empty for the value itself."""
    expected: str
    found: str

    def __str__(self) -> str:
        at = f"at {self.path}: " if self.path else ""
        return f"{at}expected {self.expected}, found {self.found}"


@dataclass(eq=False, kw_only=True)
class MalformedPayloadError(OplogError):
    """Bytes that should hold values or types hold something else: not from this log's writer."""

    reason: str

    def __str__(self) -> str:
        return f"not a payload of this log: {self.reason}"


@dataclass(eq=False, kw_only=True)
class MalformedEntryError(OplogError):
    """An entry that no reader could take back, or bytes that are none."""

    kind: str
    """WIT case name of the entry, as far as it is known."""
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


@dataclass(eq=False, kw_only=True)
class EntryTooLargeError(OplogError):
    """One entry, its large payloads moved out, is bigger than a log takes."""

    kind: str
    size_bytes: int
    size_bytes_max: int

    def __str__(self) -> str:
        return f"{self.kind}: {self.size_bytes} bytes, at most {self.size_bytes_max} fit in a log"


@dataclass(eq=False, kw_only=True)
class UnknownFunctionError(OplogError):
    """An entry names a definition that its log does not have."""

    function: int

    def __str__(self) -> str:
        return f"the log defines no function {self.function}"


@dataclass(eq=False, kw_only=True)
class OplogExistsError(OplogError):
    """`create` or `fork` found a log in the place."""

    path: str

    def __str__(self) -> str:
        return f"{self.path}: there is a log already"


@dataclass(eq=False, kw_only=True)
class OplogNotFoundError(OplogError):
    """There is no log in the place."""

    path: str

    def __str__(self) -> str:
        return f"{self.path}: no log"


@dataclass(eq=False, kw_only=True)
class OplogInUseError(OplogError):
    """The log is open for writing; it has one writer at a time."""

    path: str

    def __str__(self) -> str:
        return f"{self.path}: open for writing elsewhere"


@dataclass(eq=False, kw_only=True)
class OplogReadError(OplogError):
    """The disk cannot give back what it holds."""

    path: str
    cause: str

    def __str__(self) -> str:
        return f"{self.path}: cannot read: {self.cause}"


@dataclass(eq=False, kw_only=True)
class QueryError(OplogError):
    """What to look for in a log cannot be understood."""

    query: str
    reason: str
    position: int | None = None
    """0-based offset in characters of what is wrong, where one place is."""

    def __str__(self) -> str:
        at = "" if self.position is None else f"at position {self.position}: "
        return f"{self.query[:QUERY_SHOWN_CHARS_MAX]!r}: {at}{self.reason}"
