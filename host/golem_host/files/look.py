"""
What people see of a worker's private files: a directory's entries, a file's content.

Paths begin at the root and stay below it, whatever ``..`` and symbolic links say.
"""

from __future__ import annotations

from typing import Final

from golem_host.files import paths
from golem_host.files.errors import FileError
from golem_host.files.tree import Directory, Node, RegularFile, SymbolicLink, Tree
from golem_oplog.lazy_dataclass import dataclass

READ_BYTES_MAX: Final = 64 << 20
"""The largest file that is read as a whole."""
LIST_MAX: Final = 100_000
"""Entries of the largest directory that is listed as a whole."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a name in a worker's private files stands for."""

    name: str
    """The last part of its path."""
    is_dir: bool
    """Of a symbolic link: whether it leads to a directory."""
    size: int
    """Bytes of content; of a symbolic link of its target, and 0 of a directory."""
    read_only: bool
    """Whether the guest may not change it (spec 4.4, R32)."""


class TooLargeError(Exception):
    """More than is given at once, in words for people."""


def list_files(tree: Tree, path: str) -> list[FileEntry]:
    """
    The entries of a directory by name; of a file the one of its own.

    Raises:
        FileError: There is nothing of this path.
        TooLargeError: They are too many.
    """
    node = _node(tree, path)
    if not isinstance(node, Directory):
        return [_entry(tree, tree.root, path.rstrip("/").rpartition("/")[2], node)]
    if len(node.names) > LIST_MAX:
        raise TooLargeError(f"the directory has more than {LIST_MAX} entries")
    return [_entry(tree, node, name, node.names[name]) for name in sorted(node.names)]


def read_file(tree: Tree, path: str) -> bytes:
    """
    The whole content of a file.

    Raises:
        FileError: There is none of this path.
        TooLargeError: It is too large.
    """
    node = _node(tree, path)
    if not isinstance(node, RegularFile):
        raise FileError("is-directory")
    if node.size > READ_BYTES_MAX:
        raise TooLargeError(
            f"the file has {node.size} bytes, and at most {READ_BYTES_MAX} are read at once"
        )
    return node.content.read(0, node.size)


def _node(tree: Tree, path: str) -> Node:
    bare = path.lstrip("/")
    return tree.node(tree.root, bare or paths.HERE, follow=True)


def _entry(tree: Tree, directory: Directory, name: str, node: Node) -> FileEntry:
    is_dir = isinstance(node, Directory)
    if isinstance(node, SymbolicLink):
        is_dir = _leads_to_directory(tree, directory, name)
    # A directory that holds read-only files stays where it is, but things may be put into it.
    is_read_only = node.read_only and isinstance(node, RegularFile)
    return FileEntry(name, is_dir, 0 if isinstance(node, Directory) else node.size, is_read_only)


def _leads_to_directory(tree: Tree, directory: Directory, name: str) -> bool:
    try:
        return isinstance(tree.node(directory, name, follow=True), Directory)
    except FileError:
        return False
