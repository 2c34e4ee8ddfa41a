"""
What a guest's open file or directory can do.

`Descriptor` is all that the interface knows of one; `OpenNode` is one of the worker's private files.
Every method raises `FileError` where the guest gets an error code.

Source: WASI 0.2 ``wasi:filesystem/types``; which error where, from wasmtime's own WASI.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple, Protocol

from golem_host.files import paths
from golem_host.files.errors import FileError
from golem_host.files.pages import SIZE_MAX
from golem_host.files.tree import Directory, Node, RegularFile, SymbolicLink, Tree
from golem_oplog.lazy_dataclass import dataclass

READ_BYTES_MAX: Final = 65_536
"""Most that one call reads, as wasmtime's WASI has it."""

REGULAR_FILE: Final = "regular-file"
DIRECTORY: Final = "directory"
SYMBOLIC_LINK: Final = "symbolic-link"

_SYNC_FLAGS: Final = frozenset(
    ("file-integrity-sync", "data-integrity-sync", "requested-write-sync")
)

Flags = AbstractSet[str]


NOW: Final = -1
"""In `Times`: the moment of the change."""


class Times(NamedTuple):
    """Unix nanoseconds or `NOW`; None leaves one as it is."""

    accessed_ns: int | None
    modified_ns: int | None


class Facts(NamedTuple):
    """What ``stat`` tells of a file, but for its times."""

    type: str
    link_count: int
    size: int


class Looked(Protocol):
    """A file that was found, to be asked for what is known of it."""

    @property
    def is_recorded(self) -> bool:
        """Whether what is known is what the log has: it need not be recorded again."""
        ...

    @property
    def shown_path(self) -> str:
        """For people, and for the log."""
        ...

    def facts(self) -> Facts: ...

    def times(self) -> tuple[int, int]:
        """Unix nanoseconds of the last access and the last change of the content."""
        ...

    def note_times(self, accessed_ns: int, modified_ns: int) -> None:
        """These are what the guest was told: from now on they are the file's."""
        ...


class Entries(Protocol):
    """A directory that is being read."""

    def next(self) -> tuple[str, str] | None:
        """Type and name of the next entry; None after the last."""
        ...


class Stream(Protocol):
    """What a stream reads from and writes to; it may outlive its descriptor."""

    def read(self, offset: int, size: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None: ...

    @property
    def size(self) -> int: ...

    def close(self) -> None: ...


class Descriptor(Protocol):
    """An open file or directory, of whatever kind."""

    @property
    def type(self) -> str: ...

    @property
    def flags(self) -> frozenset[str]: ...

    @property
    def hash(self) -> tuple[int, int]: ...

    def is_same(self, other: Descriptor) -> bool: ...

    def look(self) -> Looked: ...

    def close(self) -> None:
        """The guest has given it up."""
        ...

    # Of files.
    def stream(self, *, writes: bool) -> Stream: ...

    def read(self, offset: int, size: int) -> bytes: ...

    def write(self, offset: int, data: bytes) -> None: ...

    def resize(self, size: int) -> None: ...

    def set_times(self, times: Times) -> None: ...

    def check_file(self) -> None:
        """Refuse a directory."""
        ...

    def sync(self) -> None:
        """See to it that what was written survives whatever its keeper survives."""
        ...

    # Of directories; paths begin there.
    def entries(self) -> Entries: ...

    def look_at(self, path: str, *, follow: bool) -> Looked: ...

    def hash_at(self, path: str, *, follow: bool) -> tuple[int, int]: ...

    def set_times_at(self, path: str, times: Times, *, follow: bool) -> None: ...

    def open_at(self, path: str, how: Flags, flags: Flags, *, follow: bool) -> Descriptor: ...

    def make_directory_at(self, path: str) -> None: ...

    def remove_directory_at(self, path: str) -> None: ...

    def unlink_at(self, path: str) -> None: ...

    def readlink_at(self, path: str) -> str: ...

    def symlink_at(self, target: str, path: str) -> None: ...

    def link_at(self, path: str, other: Descriptor, new_path: str) -> None: ...

    def rename_at(self, path: str, other: Descriptor, new_path: str) -> None: ...


def type_of(node: Node) -> str:
    match node:
        case Directory():
            return DIRECTORY
        case SymbolicLink():
            return SYMBOLIC_LINK
        case _:
            return REGULAR_FILE


def hash_of(node: Node) -> tuple[int, int]:
    """
    Its number alone: the same after a replay, although the times are not, and the guest's inode
    number.
    """
    return node.number, 0


def refuse_how(how: Flags, flags: Flags) -> None:
    """Refuse what no file can be opened with."""
    if flags & _SYNC_FLAGS:
        raise FileError("unsupported")
    if "directory" in how and how & {"create", "exclusive", "truncate"}:
        raise FileError("invalid")


def asks_to_write(how: Flags, flags: Flags) -> bool:
    return "write" in flags or "create" in how or "truncate" in how


def flags_opened(kind: str, how: Flags, flags: Flags) -> frozenset[str]:
    """
    The flags of a descriptor, from what is opened and how.

    Raises:
        FileError: It cannot be opened so.
    """
    writes = asks_to_write(how, flags)
    if kind == SYMBOLIC_LINK:
        raise FileError("loop")
    if kind == DIRECTORY:
        if writes:
            raise FileError("is-directory")
        return frozenset(("read",))
    if "directory" in how:
        raise FileError("not-directory")
    reads = "read" in flags or "write" not in flags
    return frozenset(("read",) * reads + ("write",) * writes)


@dataclass(frozen=True, slots=True)
class LookedNode:
    node: Node
    shown_path: str

    @property
    def is_recorded(self) -> bool:
        return False

    def facts(self) -> Facts:
        return Facts(type_of(self.node), self.node.links, self.node.size)

    def times(self) -> tuple[int, int]:
        return self.node.accessed_ns, self.node.modified_ns

    def note_times(self, accessed_ns: int, modified_ns: int) -> None:
        self.node.accessed_ns = accessed_ns
        self.node.modified_ns = modified_ns


@dataclass(slots=True)
class DirectoryEntries:
    """
    The names in their order.

    What is put in or taken out meanwhile is seen if its turn is still to come.
    """

    directory: Directory
    last: str | None = None

    def next(self) -> tuple[str, str] | None:
        name = self.directory.next_name(self.last)
        if name is None:
            return None
        self.last = name
        return type_of(self.directory.names[name]), name


@dataclass(slots=True)
class FileStream:
    """A regular file as a stream has it."""

    tree: Tree
    file: RegularFile
    reads: bool
    writes: bool

    def read(self, offset: int, size: int) -> bytes:
        if not self.reads:
            raise FileError("bad-descriptor")
        size = min(size, READ_BYTES_MAX)
        if offset + size > SIZE_MAX:
            raise FileError("invalid")
        return self.file.content.read(offset, size)

    def write(self, offset: int, data: bytes) -> None:
        self.file.refuse_if_read_only()
        if not self.writes:
            raise FileError("bad-descriptor")
        if offset + len(data) > SIZE_MAX:
            raise FileError("invalid")
        self.tree.write(self.file, offset, data)

    @property
    def size(self) -> int:
        return self.file.size

    def close(self) -> None:
        self.file.close()


class OpenNode:
    """A descriptor of one of the worker's private files."""

    __slots__ = ("_path", "_tree", "flags", "node")

    def __init__(self, tree: Tree, node: Node, path: str, flags: frozenset[str]) -> None:
        self._tree = tree
        self.node = node
        self._path = path
        self.flags = flags
        if isinstance(node, RegularFile):
            node.open()

    @property
    def type(self) -> str:
        return type_of(self.node)

    @property
    def hash(self) -> tuple[int, int]:
        return hash_of(self.node)

    def is_same(self, other: Descriptor) -> bool:
        return isinstance(other, OpenNode) and other.node is self.node

    def look(self) -> LookedNode:
        return LookedNode(self.node, self._path)

    def close(self) -> None:
        if isinstance(self.node, RegularFile):
            self.node.close()

    # -- files ----------------------------------------------------------------------------------

    @property
    def _file(self) -> RegularFile:
        if not isinstance(self.node, RegularFile):
            raise FileError("bad-descriptor")
        return self.node

    def check_file(self) -> None:
        _ = self._file

    def sync(self) -> None:
        """The log is what brings the files back: nothing else has to reach the disk."""

    def _stream(self) -> FileStream:
        return FileStream(self._tree, self._file, "read" in self.flags, "write" in self.flags)

    def stream(self, *, writes: bool) -> FileStream:
        if not writes and isinstance(self.node, Directory):
            raise FileError("is-directory")
        stream = self._stream()
        if writes:
            stream.file.refuse_if_read_only()
        stream.file.open()
        return stream

    def read(self, offset: int, size: int) -> bytes:
        return self._stream().read(offset, size)

    def write(self, offset: int, data: bytes) -> None:
        self._stream().write(offset, data)

    def resize(self, size: int) -> None:
        file = self._file
        file.refuse_if_read_only()
        if size > SIZE_MAX or "write" not in self.flags:
            raise FileError("invalid")
        self._tree.resize(file, size)

    def set_times(self, times: Times) -> None:
        _set_times(self.node, times, self._tree.now_ns())

    # -- directories ----------------------------------------------------------------------------

    @property
    def directory(self) -> Directory:
        if not isinstance(self.node, Directory):
            raise FileError("not-directory")
        return self.node

    @property
    def tree(self) -> Tree:
        return self._tree

    def _shown(self, path: str) -> str:
        return f"{self._path.rstrip('/')}/{path}"[-paths.PATH_BYTES_MAX :]

    def entries(self) -> DirectoryEntries:
        return DirectoryEntries(self.directory)

    def look_at(self, path: str, *, follow: bool) -> LookedNode:
        return LookedNode(self._tree.node(self.directory, path, follow=follow), self._shown(path))

    def hash_at(self, path: str, *, follow: bool) -> tuple[int, int]:
        return hash_of(self._tree.node(self.directory, path, follow=follow))

    def set_times_at(self, path: str, times: Times, *, follow: bool) -> None:
        node = self._tree.node(self.directory, path, follow=follow)
        _set_times(node, times, self._tree.now_ns())

    def open_at(self, path: str, how: Flags, flags: Flags, *, follow: bool) -> OpenNode:
        base = self.directory
        refuse_how(how, flags)
        node = self._node_to_open(base, path, how, follow=follow)
        opened = flags_opened(type_of(node), how, flags)
        if isinstance(node, RegularFile):
            if node.read_only:
                opened = _refuse_writing(node, how, flags)
            self._begin_writing(node, how)
        return OpenNode(self._tree, node, self._shown(path), opened)

    def _begin_writing(self, node: RegularFile, how: Flags) -> None:
        if "truncate" in how:
            self._tree.resize(node, 0)

    def _node_to_open(self, base: Directory, path: str, how: Flags, *, follow: bool) -> Node:
        if "create" not in how:
            return self._tree.node(base, path, follow=follow)
        exclusive = "exclusive" in how
        paths.check(path)
        bare, is_slashed = paths.unslashed(path)
        place = self._tree.find(base, bare, follow=follow and not exclusive and not is_slashed)
        if is_slashed and place.is_named:
            raise FileError("is-directory")
        if place.node is None:
            return self._tree.create(place)
        if exclusive:
            raise FileError("exist")
        return place.node

    def make_directory_at(self, path: str) -> None:
        self._tree.make_directory(self.directory, path)

    def remove_directory_at(self, path: str) -> None:
        self._tree.remove_directory(self.directory, path)

    def unlink_at(self, path: str) -> None:
        self._tree.unlink(self.directory, path)

    def readlink_at(self, path: str) -> str:
        node = self._tree.node(self.directory, path, follow=False)
        if not isinstance(node, SymbolicLink):
            raise FileError("invalid")
        return node.target

    def symlink_at(self, target: str, path: str) -> None:
        self._tree.symlink(self.directory, target, path)

    def link_at(self, path: str, other: Descriptor, new_path: str) -> None:
        self._tree.link(self.directory, path, self._directory_of(other), new_path)

    def rename_at(self, path: str, other: Descriptor, new_path: str) -> None:
        self._tree.rename(self.directory, path, self._directory_of(other), new_path)

    def _directory_of(self, other: Descriptor) -> Directory:
        if not isinstance(other, OpenNode) or other.tree is not self._tree:
            raise FileError("cross-device")
        return other.directory


def _refuse_writing(node: Node, how: Flags, flags: Flags) -> frozenset[str]:
    """
    The flags of a read-only file, which is never opened for writing.

    Refused here and not at the first write, so that a guest that can do without may open it anew.
    """
    if "write" in flags or "truncate" in how:
        node.refuse_if_read_only()
    return frozenset(("read",))


def _set_times(node: Node, times: Times, now_ns: int) -> None:
    if isinstance(node, RegularFile):
        node.refuse_if_read_only()
    accessed_ns, modified_ns = (now_ns if each == NOW else each for each in times)
    if accessed_ns is not None:
        node.accessed_ns = accessed_ns
    if modified_ns is not None:
        node.modified_ns = modified_ns
