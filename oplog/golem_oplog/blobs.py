"""
Large payloads, by the SHA-256 of their content.

A blob never changes and may be shared by any number of entries, of one log or of many.  It is on
disk before the entry that refers to it is written.  Nobody counts references: `sweep` deletes what
no log reaches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Final, Protocol

from golem_oplog.entries import BlobRef
from golem_oplog.errors import MissingBlobError, OplogReadError, OplogWriteError
from golem_oplog.files import (
    TEMPORARY_SUFFIX,
    Files,
    make_dirs_durably,
    read_whole,
    size_of,
)
from golem_oplog.protocol import SyncLevel

_PREFIX_DIGITS: Final = 2
_BLOB_NAME: Final = re.compile("[0-9a-f]{64}")


class Blobs(Protocol):
    """Where large payloads lie."""

    def put(self, data: bytes) -> BlobRef:
        """Store bytes; on return they are as durable as an entry committed now would be."""
        ...

    def get(self, ref: BlobRef) -> bytes:
        """
        The bytes of a blob, checked against its hash.

        Raises:
            MissingBlobError: They are not there, or have another hash.
        """
        ...


class CountedBlobs:
    """`Blobs` that tell how many bytes are put into them."""

    def __init__(self, blobs: Blobs, on_put: Callable[[int], None]) -> None:
        self._blobs = blobs
        self._on_put = on_put

    def put(self, data: bytes) -> BlobRef:
        ref = self._blobs.put(data)
        self._on_put(len(data))
        return ref

    def get(self, ref: BlobRef) -> bytes:
        return self._blobs.get(ref)


def _check(ref: BlobRef, data: bytes) -> bytes:
    if len(data) != ref.size_bytes or sha256(data).digest() != ref.sha256:
        raise MissingBlobError(sha256=ref.sha256.hex(), reason="its bytes have another hash")
    return data


class MemoryBlobs:
    """`Blobs` without a disk."""

    def __init__(self) -> None:
        self._data: dict[bytes, bytes] = {}

    def put(self, data: bytes) -> BlobRef:
        digest = sha256(data).digest()
        self._data[digest] = data
        return BlobRef(digest, len(data))

    def get(self, ref: BlobRef) -> bytes:
        data = self._data.get(ref.sha256)
        if data is None:
            raise MissingBlobError(sha256=ref.sha256.hex(), reason="not in the blob store")
        return _check(ref, data)


class BlobStore:
    """`Blobs` in a directory: ``<root>/<two hex digits>/<the other digits>``."""

    def __init__(self, root: Path, files: Files, sync_level: SyncLevel) -> None:
        self._root = root
        self._files = files
        self._durably = sync_level is SyncLevel.POWER
        self._lock = Lock()
        self._temporaries = count()
        self._being_put: list[bytes] = []
        self._spared: set[bytes] | None = None
        """While a sweep runs: what was stored since it began."""

    def put(self, data: bytes) -> BlobRef:
        """
        Store bytes.

        Raises:
            OplogWriteError: The disk refused.
        """
        digest = sha256(data).digest()
        ref = BlobRef(digest, len(data))
        path = self._path(digest)
        with self._lock:
            self._being_put.append(digest)
            if self._spared is not None:
                self._spared.add(digest)
        try:
            self._write(path, data, ref)
        except OSError as error:
            raise OplogWriteError(path=str(path), cause=str(error)) from error
        finally:
            with self._lock:
                self._being_put.remove(digest)
        return ref

    def _write(self, path: Path, data: bytes, ref: BlobRef) -> None:
        if self._is_there(path, ref):
            return
        make_dirs_durably(self._files, self._root, path.parent)
        # Two workers may store the same bytes at once, each under a name of its own.
        temporary = path.with_name(f"{path.name}.{next(self._temporaries)}{TEMPORARY_SUFFIX}")
        file = self._files.create(temporary)
        try:
            file.write_at(0, data)
            if self._durably:
                file.sync()
        finally:
            file.close()
        self._files.rename(temporary, path)
        if self._durably:
            self._files.sync_dir(path.parent)

    def _is_there(self, path: Path, ref: BlobRef) -> bool:
        """Whether the blob is stored already, intact; if so it is durable on return."""
        try:
            _check(ref, read_whole(self._files, path))
        except (FileNotFoundError, MissingBlobError):
            return False
        if self._durably:
            # Whoever stored it may have been killed before its name was synced.
            self._files.sync_dir(path.parent)
            self._files.sync_dir(self._root)
        return True

    def get(self, ref: BlobRef) -> bytes:
        """
        The bytes of a blob, checked against its hash.

        Raises:
            MissingBlobError: They are not there, or have another hash.
            OplogReadError: The disk cannot give them back.
        """
        path = self._path(ref.sha256)
        try:
            data = read_whole(self._files, path)
        except FileNotFoundError as error:
            raise MissingBlobError(
                sha256=ref.sha256.hex(), reason="not in the blob store"
            ) from error
        except OSError as error:
            raise OplogReadError(path=str(path), cause=str(error)) from error
        return _check(ref, data)

    def start_sweep(self) -> None:
        """Begin a sweep: call this, then look which blobs the logs reach, then `finish_sweep`."""
        with self._lock:
            self._spared = set(self._being_put)

    def abandon_sweep(self) -> None:
        """End a sweep without deleting anything."""
        with self._lock:
            self._spared = None

    def finish_sweep(
        self, reachable: Container[bytes], *, dry_run: bool = False
    ) -> tuple[int, int]:
        """
        Delete the blobs that are neither reachable nor stored since the sweep began.

        The logs that are open for writing must have been read through their open objects, which
        know what is still in their buffers.  Returns how many files were deleted, and their bytes;
        with ``dry_run`` they are only counted.

        Raises:
            OplogWriteError: The disk refused; what was deleted is gone.
        """
        deleted = size_bytes = 0
        try:
            for prefix, is_dir in self._files.list_dir(self._root):
                for name, _ in self._files.list_dir(self._root / prefix) if is_dir else ():
                    freed = self._sweep(prefix, name, reachable, dry_run=dry_run)
                    deleted += freed is not None
                    size_bytes += freed or 0
        except FileNotFoundError:
            pass  # Nothing was ever stored.
        except OSError as error:
            raise OplogWriteError(path=str(self._root), cause=str(error)) from error
        finally:
            with self._lock:
                self._spared = None
        return deleted, size_bytes

    def _sweep(
        self, prefix: str, name: str, reachable: Container[bytes], *, dry_run: bool
    ) -> int | None:
        """Delete one file if nothing needs it; returns its size then."""
        path = self._root / prefix / name
        # A temporary file belongs to the blob whose name it begins with.
        digits = prefix + name.partition(".")[0]
        if _BLOB_NAME.fullmatch(digits) is None:
            return None
        digest = bytes.fromhex(digits)
        with self._lock:
            assert self._spared is not None, "start_sweep comes first"
            if digest in self._spared or (digest in reachable and path == self._path(digest)):
                return None
            size_bytes = size_of(self._files, path)
            if not dry_run:
                self._files.remove(path)
        return size_bytes

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._root / name[:_PREFIX_DIGITS] / name[_PREFIX_DIGITS:]
