"""The initial files of components: which there are, and their contents by hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from golem_host.errors import InvalidRequestError, os_reason
from golem_host.files.initial import FILE_BYTES_MAX, FILES_MAX, DeployedFile, InitialFile
from golem_host.files.mapping import guest_path
from golem_host.storage.layout import StateLayout
from golem_oplog.files import Files, exists, size_of, write_durably

if TYPE_CHECKING:
    import sqlite3

GivenFile: TypeAlias = InitialFile | DeployedFile
"""One with its content, or one whose content is kept here already."""


class ComponentFiles:
    """Those of one state directory."""

    def __init__(self, layout: StateLayout, files: Files) -> None:
        self._layout = layout
        self._files = files

    def locate(self, file: DeployedFile) -> Path:
        return self._layout.initial_file(file.sha256)

    def store(self, content: bytes) -> tuple[str, int]:
        """
        Keep a content, durably; its hash and size.

        Nothing refers to it before a component is deployed with it: `gc` may take it away.

        Raises:
            InvalidRequestError: It is too large.
        """
        if len(content) > FILE_BYTES_MAX:
            raise InvalidRequestError(
                reason=f"an initial file has at most {FILE_BYTES_MAX >> 20} MiB"
            )
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._layout.initial_file(sha256)
        if not exists(self._files, path):
            write_durably(self._files, path, content)
        return sha256, len(content)

    def take(self, given: Sequence[GivenFile]) -> tuple[DeployedFile, ...]:
        """
        Keep the contents; the files as a component has them, sorted by path.

        Raises:
            InvalidRequestError: They cannot be: too many, too large, not readable, a path that is
                none, or two that are in each other's way.
        """
        if len(given) > FILES_MAX:
            raise InvalidRequestError(
                reason=f"a component has at most {FILES_MAX} initial files, not {len(given)}"
            )
        by_path = {_path_of(each): each for each in given}
        if len(by_path) < len(given):
            raise InvalidRequestError(reason="two initial files have the same path in the guest")
        _refuse_nested(by_path)
        return tuple(self._taken(path, by_path[path]) for path in sorted(by_path))

    def _taken(self, path: str, given: GivenFile) -> DeployedFile:
        if isinstance(given, InitialFile):
            return DeployedFile(path, *self.store(read_source(given)), given.read_only)
        content = self.locate(given)
        if not _is_hash(given.sha256) or not exists(self._files, content):
            raise InvalidRequestError(
                reason=f"no content with SHA-256 {given.sha256[:64]!r} is kept here: upload it first"
            )
        return DeployedFile(path, given.sha256, size_of(self._files, content), given.read_only)

    @staticmethod
    def insert(
        connection: sqlite3.Connection,
        component_id: str,
        version: int,
        files: Sequence[DeployedFile],
    ) -> None:
        connection.executemany(
            "INSERT INTO initial_file VALUES (?, ?, ?, ?, ?, ?)",
            [
                (component_id, version, each.path, each.sha256, each.size_bytes, each.read_only)
                for each in files
            ],
        )

    @staticmethod
    def select(
        connection: sqlite3.Connection, component_id: str, version: int
    ) -> tuple[DeployedFile, ...]:
        rows = connection.execute(
            "SELECT path, sha256, size_bytes, read_only FROM initial_file "
            "WHERE component_id = ? AND version = ? ORDER BY path",
            (component_id, version),
        )
        return tuple(
            DeployedFile(path, sha256, size_bytes, bool(read_only))
            for path, sha256, size_bytes, read_only in rows
        )


def read_source(file: InitialFile) -> bytes:
    """
    The content of a file that is about to be deployed.

    Raises:
        InvalidRequestError: It cannot be read, or is too large.
    """
    if isinstance(file.source, bytes):
        return file.source
    try:
        with Path(file.source).open("rb") as opened:
            # One byte more than there may be: whoever stores it sees that it is too large.
            return opened.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = os_reason(error) if isinstance(error, OSError) else str(error)
        raise InvalidRequestError(reason=f"initial file {file.source}: {reason}") from error


def _path_of(given: GivenFile) -> str:
    try:
        return guest_path(given.path)
    except ValueError as error:
        raise InvalidRequestError(reason=f"initial file: {error}") from None


def _refuse_nested(given: dict[str, GivenFile]) -> None:
    for path in given:
        above = path
        while above := above.rpartition("/")[0]:
            if above in given:
                raise InvalidRequestError(
                    reason=f"initial file {path} would lie below {above}, which is a file"
                )


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")
