"""
What crashes have left in a directory of logs.

A log that was being made or deleted has files and no manifest.  A log that was about to begin its
next segment may have one that its manifest does not list.  Neither is ever read again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TypeAlias

from golem_oplog.errors import OplogError
from golem_oplog.files import TEMPORARY_SUFFIX, Files, size_of
from golem_oplog.manifest import MANIFEST_NAME, load_manifest
from golem_oplog.segment import SEGMENT_SUFFIX, segment_name

Unclaimed: TypeAlias = Callable[[Path], AbstractContextManager[bool]]


def sweep_logs(files: Files, root: Path, unclaimed: Unclaimed, *, dry_run: bool) -> tuple[int, int]:
    """
    Remove such files, and directories that have become empty.

    Args:
        files: The file system.
        root: The directory of logs; it stays.
        unclaimed: Whether nobody uses a log in a directory, nor will before the block ends.
        dry_run: Only count.

    Returns:
        How many files, and their bytes.
    """
    sweep = _Sweep(files, unclaimed, dry_run=dry_run)
    sweep.below(root)
    return sweep.count, sweep.size_bytes


class _Sweep:
    def __init__(self, files: Files, unclaimed: Unclaimed, *, dry_run: bool) -> None:
        self._files = files
        self._unclaimed = unclaimed
        self._dry_run = dry_run
        self.count = 0
        self.size_bytes = 0

    def below(self, directory: Path) -> None:
        for name, is_dir in self._names(directory):
            if is_dir:
                self._visit(directory / name)

    def _visit(self, directory: Path) -> None:
        if (MANIFEST_NAME, False) not in self._names(directory):
            self.below(directory)
        with self._unclaimed(directory) as is_unclaimed:
            if is_unclaimed:
                self._clear(directory)

    def _names(self, directory: Path) -> list[tuple[str, bool]]:
        try:
            return self._files.list_dir(directory)
        except FileNotFoundError:
            return []  # Deleted meanwhile, or nothing was ever created.

    def _clear(self, directory: Path) -> None:
        # Looked at again: before nobody used it somebody may have finished it, or deleted it.
        names = self._names(directory)
        try:
            kept = self._kept(directory, has_manifest=(MANIFEST_NAME, False) in names)
        except OplogError:
            return  # Damaged: whoever repairs it decides what belongs to it.
        for name, is_dir in names:
            if (
                not is_dir
                and name not in kept
                and name.endswith((SEGMENT_SUFFIX, TEMPORARY_SUFFIX))
            ):
                self._remove(directory / name)
        if not self._dry_run and not self._names(directory):
            with suppress(FileNotFoundError):
                self._files.remove_dir(directory)

    def _kept(self, directory: Path, *, has_manifest: bool) -> set[str]:
        if not has_manifest:
            return set()
        manifest = load_manifest(self._files, directory)
        return {segment_name(segment.number) for segment in manifest.segments}

    def _remove(self, path: Path) -> None:
        self.count += 1
        self.size_bytes += size_of(self._files, path)
        if not self._dry_run:
            self._files.remove(path)
