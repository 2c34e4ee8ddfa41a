"""The streams of files: each keeps its own position, and none is recorded."""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.files.descriptor import Stream
from golem_host.files.errors import FileError
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.io.streams import (
    LocalInput,
    LocalOutput,
    StreamClosedError,
    StreamFailedError,
)

DOMAIN: Final = "wasi:filesystem"


def _failed(error: FileError) -> StreamFailedError:
    return StreamFailedError(IoError(error.code, DOMAIN, error.code))


class FileInput(LocalInput):
    """A file from a position on."""

    __slots__ = ("_file", "_is_closed", "_offset")

    def __init__(self, file: Stream, offset: int) -> None:
        self._file = file
        self._offset = offset
        self._is_closed = False

    def take(self, context: InstanceContext, size_max: int) -> bytes:
        if self._is_closed:
            raise StreamClosedError
        if not size_max:
            return b""
        try:
            data = self._file.read(self._offset, size_max)
        except FileError as error:
            self._is_closed = True
            raise _failed(error) from None
        if not data:
            self._is_closed = True
            raise StreamClosedError
        self._offset += len(data)
        return data

    def dropped(self, context: InstanceContext) -> None:
        self._file.close()


class FileOutput(LocalOutput):
    """Into a file, from a position on; without one always at its end."""

    __slots__ = ("_file", "_is_closed", "_offset")

    def __init__(self, file: Stream, offset: int | None) -> None:
        self._file = file
        self._offset = offset
        self._is_closed = False

    def writable_bytes(self, context: InstanceContext) -> int:
        if self._is_closed:
            raise StreamClosedError
        return super().writable_bytes(context)

    def write(self, context: InstanceContext, data: bytes) -> None:
        if self._is_closed:
            raise StreamClosedError
        offset = self._file.size if self._offset is None else self._offset
        try:
            self._file.write(offset, data)
        except FileError as error:
            self._is_closed = True
            raise _failed(error) from None
        if self._offset is not None:
            self._offset += len(data)

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        if self._is_closed:
            raise StreamClosedError

    def dropped(self, context: InstanceContext) -> None:
        self._file.close()
