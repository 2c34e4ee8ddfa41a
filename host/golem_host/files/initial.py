"""
Initial files: what every worker of a component version finds in its private root.

Their contents lie once in the state directory, by their hash, and are read there; only a page that
a guest changes is its own.  `place` lays them out in a new tree, `move_on` brings a tree that has
those of one version to those of another (spec 2.9.1): what a guest has made or could have changed
is never overwritten.

Source: spec 4.4 with the project's remark R32.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from golem_host.errors import os_reason
from golem_host.files.errors import PagesError
from golem_host.files.tree import Directory, RegularFile, Tree
from golem_oplog.lazy_dataclass import dataclass

FILES_MAX: Final = 100
"""Initial files of one component version."""
FILE_BYTES_MAX: Final = 256 << 20
"""The largest one."""


@dataclass(frozen=True, slots=True)
class InitialFile:
    """A file that every worker of a component begins with."""

    source: Path | str | bytes
    """The file, by its path on this machine, or its content."""
    path: str
    """Where guests find it: absolute."""
    read_only: bool = False
    """Guests may neither change, rename, link nor remove it."""


@dataclass(frozen=True, slots=True)
class DeployedFile:
    """An initial file of a component version, as it is kept."""

    path: str
    """In the worker's private root."""
    sha256: str
    """Of the content, in hexadecimal digits."""
    size_bytes: int
    """Of the content."""
    read_only: bool = False
    """Whether the guest may not change it."""


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A file of the host that never changes; opened for each read, so that it costs nothing."""

    path: Path
    size: int

    def read(self, position: int, size: int) -> bytes:
        """Raises `PagesError`."""
        try:
            with self.path.open("rb", buffering=0) as file:
                data = os.pread(file.fileno(), size, position)
        except OSError as error:
            raise PagesError(f"an initial file cannot be read: {os_reason(error)}") from error
        if len(data) != size:
            raise PagesError(f"an initial file is shorter than it was: {self.path.name}")
        return data


Locate = Callable[[DeployedFile], Path]
"""Where its content lies."""


class BlockedError(Exception):
    """The guest has something else where a file has to be."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the worker has something of its own where the file {path} has to be")


def place(tree: Tree, files: Sequence[DeployedFile], locate: Locate) -> None:
    """Lay them out in a tree that has nothing in their places."""
    for each in files:
        _put(tree, each, locate)


def move_on(
    tree: Tree, before: Sequence[DeployedFile], after: Sequence[DeployedFile], locate: Locate
) -> None:
    """
    Bring a tree from the files of one version to those of another.

    Raises:
        BlockedError: A read-only file cannot take its place.  The tree is of no use afterwards.
    """
    left = {each.path: each for each in after}
    for old in before:
        if old.read_only and left.get(old.path) != old:
            _remove(tree, old)
    for new in after:
        if new in before and new.read_only:
            continue
        directory, name = _directory_of(tree, new)
        if directory is None or name in directory.names:
            if new.read_only:
                raise BlockedError(new.path)
            # What the guest may have changed is its own.
            continue
        _put(tree, new, locate)


def _put(tree: Tree, file: DeployedFile, locate: Locate) -> None:
    directory, name = _directory_of(tree, file)
    if directory is None:
        raise BlockedError(file.path)
    content = StoredContent(locate(file), file.size_bytes)
    made = tree.add_initial(directory, name, content)
    if file.read_only:
        made.read_only = True
        _hold(directory, 1)


def _remove(tree: Tree, file: DeployedFile) -> None:
    directory, name = _directory_of(tree, file)
    assert directory is not None, "nobody can move what is read-only"
    node = directory.names[name]
    assert isinstance(node, RegularFile)
    node.read_only = False
    _hold(directory, -1)
    tree.remove_initial(directory, name)


def _hold(directory: Directory, by: int) -> None:
    """Count a read-only file in all directories above it: they stay where they are meanwhile."""
    while directory.parent is not directory:
        directory.held += by
        directory.read_only = directory.held > 0
        directory = directory.parent


def _directory_of(tree: Tree, file: DeployedFile) -> tuple[Directory | None, str]:
    """Its directory, made if need be, and its name; None where something else is in the way."""
    *above, name = file.path.strip("/").split("/")
    at = tree.root
    for each in above:
        found = at.names.get(each)
        if found is None:
            found = tree.add_directory(at, each)
        if not isinstance(found, Directory):
            return None, name
        at = found
    return at, name
