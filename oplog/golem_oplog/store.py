"""
A directory of logs: creating, opening, forking, deleting.

A log exists from the moment its manifest does, which is written last and deleted first.  Whatever
else a crash leaves in its directory is in nobody's way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Protocol

from golem_oplog.adopt import Exported, adopt_log
from golem_oplog.blobs import Blobs
from golem_oplog.codec import encode_entry
from golem_oplog.definitions import Definitions
from golem_oplog.entries import Create
from golem_oplog.errors import (
    OplogExistsError,
    OplogInUseError,
    OplogNotFoundError,
    OplogReadError,
    OplogWriteError,
)
from golem_oplog.files import TEMPORARY_SUFFIX, Files, exists, make_dirs_durably
from golem_oplog.fork import copy_log
from golem_oplog.frame import build_chunk, checksum_seed
from golem_oplog.log import SegmentedOplog, new_segment, publish
from golem_oplog.manifest import MANIFEST_NAME, Manifest, SegmentInfo, load_manifest
from golem_oplog.protocol import SyncLevel
from golem_oplog.reader import OplogReader, open_directory
from golem_oplog.recovery import Place, Recovery, Tail, open_tail
from golem_oplog.segment import SEGMENT_SUFFIX
from golem_oplog.sequel import Sequel
from golem_oplog.sweep import sweep_logs


class MakeLog(Protocol):
    """`SegmentedOplog`, or one that does more."""

    def __call__(
        self, place: Place, tail: Tail, on_close: Callable[[], None]
    ) -> SegmentedOplog: ...


class OplogStore:
    """`Store` below one directory, which belongs to this process alone."""

    def __init__(
        self,
        root: Path,
        files: Files,
        sync_level: SyncLevel,
        blobs: Blobs,
        make_log: MakeLog = SegmentedOplog,
    ) -> None:
        """``make_log`` makes what `create`, `open` and `fork` return."""
        self._root = root
        self._make_log = make_log
        self._files = files
        self._sync_level = sync_level
        self._blobs = blobs
        self._lock = Lock()
        self._claimed: set[Path] = set()
        """Logs that have a writer, or are just being made or deleted."""

    def create(self, directory_name: str, create: Create) -> SegmentedOplog:
        place = self._place(directory_name)
        self._claim(place)
        with self._releasing_on_failure(place):
            self._prepare(place)
            lineage = self._files.unique_id()
            segments = (SegmentInfo(1, lineage, 1, None),)
            manifest = Manifest(lineage, create, promise=1, segments=segments)
            definitions = Definitions()
            chunk = build_chunk(checksum_seed(lineage), 1, 0, [encode_entry(create)])
            writer = new_segment(place, manifest, definitions, len(chunk))
            writer.write(chunk)
            publish(place, writer, manifest)
            tail = Tail(manifest, writer, definitions, 1, 1, Recovery())
            return self._make_log(place, tail, lambda: self._release(place))

    def open(self, directory_name: str) -> SegmentedOplog:
        place = self._place(directory_name)
        self._claim(place)
        with self._releasing_on_failure(place):
            return self._make_log(place, open_tail(place), lambda: self._release(place))

    def reader(self, directory_name: str) -> OplogReader:
        place = self._place(directory_name)
        return open_directory(self._files, place.directory, self._blobs)

    def created(self, directory_name: str) -> Create:
        """
        The first entry of a log, whatever state the rest of it is in.

        Raises:
            OplogError: Not even the manifest can be read.
        """
        return load_manifest(self._files, self._place(directory_name).directory).create

    def fork(
        self, source: str, target: str, cut: int, create: Create, sequels: Sequence[Sequel] = ()
    ) -> SegmentedOplog:
        place = self._place(target)
        self._claim(place)
        with self._releasing_on_failure(place), self.reader(source) as reader:
            self._prepare(place)
            tail = copy_log(reader, place, cut, create, sequels)
            return self._make_log(place, tail, lambda: self._release(place))

    def adopt(self, exported: Exported, target: str, create: Create) -> SegmentedOplog:
        """
        A new log of an exported one, whose first entry is ``create``; blobs go to the blob store.

        Raises:
            MalformedExportError: The file is damaged; there is no log then.
            OplogExistsError: There is a log of this name.
        """
        place = self._place(target)
        self._claim(place)
        with self._releasing_on_failure(place):
            self._prepare(place)
            try:
                tail = adopt_log(exported, place, create)
            except BaseException:
                self._remove_segments(place)
                raise
            return self._make_log(place, tail, lambda: self._release(place))

    def delete(self, directory_name: str) -> None:
        place = self._place(directory_name)
        self._claim(place)
        with self._releasing_on_failure(place):
            self._files.remove(place.directory / MANIFEST_NAME)
            self._files.sync_dir(place.directory)
            self._remove_segments(place)
            if not self._files.list_dir(place.directory):
                self._files.remove_dir(place.directory)
        self._release(place)

    def sweep(self, *, dry_run: bool = False) -> tuple[int, int]:
        """
        Remove what crashes have left: logs that were half made or half deleted, and in the others
        the files that no manifest lists.

        A log that has a writer, or is just being made or deleted, is passed over.  Returns how many
        files were removed, and their bytes; with ``dry_run`` they are only counted.

        Raises:
            OplogWriteError: The disk refused; what was removed is gone.
        """
        try:
            return sweep_logs(self._files, self._root, self._unclaimed, dry_run=dry_run)
        except OSError as error:
            raise OplogWriteError(path=str(self._root), cause=str(error)) from error

    @contextmanager
    def _unclaimed(self, directory: Path) -> Iterator[bool]:
        """Whether no log in or below a directory is in use; nobody begins to while this lasts."""
        with self._lock:
            yield not any(claimed.is_relative_to(directory) for claimed in self._claimed)

    def list(self) -> Iterator[str]:
        """
        Names of all logs, sorted.

        Raises:
            OplogReadError: A directory cannot be read.
        """
        try:
            yield from self._walk(self._root)
        except OSError as error:
            raise OplogReadError(path=str(self._root), cause=str(error)) from error

    def _walk(self, directory: Path) -> Iterator[str]:
        try:
            names = self._files.list_dir(directory)
        except FileNotFoundError:
            return  # Deleted meanwhile, or nothing was ever created.
        if (MANIFEST_NAME, False) in names:
            yield directory.relative_to(self._root).as_posix()
            return
        for name, is_dir in names:
            if is_dir:
                yield from self._walk(directory / name)

    def _place(self, directory_name: str) -> Place:
        parts = PurePosixPath(directory_name).parts
        if not parts or directory_name.startswith("/") or ".." in parts:
            raise ValueError(f"no name of a log: {directory_name!r}")
        directory = self._root.joinpath(*parts)
        return Place(self._files, directory, self._sync_level, self._blobs)

    def _claim(self, place: Place) -> None:
        with self._lock:
            if place.directory in self._claimed:
                raise OplogInUseError(path=str(place.directory))
            self._claimed.add(place.directory)

    def _release(self, place: Place) -> None:
        with self._lock:
            self._claimed.discard(place.directory)

    @contextmanager
    def _releasing_on_failure(self, place: Place) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._release(place)
            if isinstance(error, FileNotFoundError):
                raise OplogNotFoundError(path=str(place.directory)) from error
            if isinstance(error, OSError):
                raise OplogWriteError(path=str(place.directory), cause=str(error)) from error
            raise

    def _prepare(self, place: Place) -> None:
        """An empty directory for a new log."""
        if exists(self._files, place.directory / MANIFEST_NAME):
            raise OplogExistsError(path=str(place.directory))
        make_dirs_durably(self._files, self._root, place.directory)
        self._remove_segments(place)

    def _remove_segments(self, place: Place) -> None:
        for name, is_dir in self._files.list_dir(place.directory):
            if not is_dir and name.endswith((SEGMENT_SUFFIX, TEMPORARY_SUFFIX)):
                self._files.remove(place.directory / name)
