"""
Logs as the command line names them, opened for reading: no lock, and never a write.

WORKER is ``COMPONENT/NAME``; FILE is a worker's directory, wherever it lies, or a single segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from golem_cli.exits import CommandError, ExitCode
from golem_cli.options import WORKER
from golem_cli.session import state_root

if TYPE_CHECKING:
    from golem_oplog import BlobStore, Entry, OplogReader, ReadableOplog


def open_log(target: str, state_dir: Path | None) -> OplogReader:
    """The log of a worker, or else the one at a path."""
    from golem_host.storage.layout import MANIFEST, StateLayout
    from golem_oplog import OsFiles, open_directory

    layout = StateLayout(state_root(state_dir))
    try:
        directory = layout.worker_dir(*WORKER.convert(target, None, None))
    except click.UsageError:
        # A path such as /tmp/log names no worker.
        pass
    else:
        if (directory / MANIFEST).is_file():
            return open_directory(OsFiles(), directory, blob_store(layout.blobs))
    path = Path(target)
    if not path.exists():
        raise CommandError(
            f"{target}: no such worker, file or directory "
            "(`golem-host worker list` shows the workers)",
            ExitCode.NOT_FOUND,
        )
    return _open_path(path)


def blob_store(root: Path) -> BlobStore | None:
    from golem_oplog import BlobStore, OsFiles, SyncLevel

    return BlobStore(root, OsFiles(), SyncLevel.POWER) if root.is_dir() else None


def blobs_beside(path: Path) -> BlobStore | None:
    """The blob store of the state directory that a log lies in, if it lies in one."""
    return next(filter(None, (blob_store(parent / "blobs") for parent in _parents(path))), None)


def readable(log: ReadableOplog) -> Iterator[tuple[int, Entry]]:
    """The entries before the first damage: whoever reads all of them is told of it later."""
    from golem_oplog import CorruptOplogError

    try:
        yield from log.read()
    except CorruptOplogError:
        return


def _open_path(path: Path) -> OplogReader:
    from golem_oplog import OplogNotFoundError, open_file, open_segments
    from golem_oplog.files import OsFiles

    blobs = blobs_beside(path)
    try:
        return open_file(path, blobs=blobs)
    except OplogNotFoundError:
        # A directory without a manifest may still have segments.
        return open_segments(OsFiles(), path, blobs)


def _parents(path: Path) -> tuple[Path, ...]:
    # <root>/workers/<component>/<worker>/<segment>
    return tuple(path.absolute().parents)[:4]
