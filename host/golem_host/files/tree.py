"""
Names, and what they stand for: regular files, directories and symbolic links.

Lookups begin at a directory and never leave it, whatever ``..`` and symbolic links say.  Which code
an error has, and which of two comes first, is as wasmtime's WASI has it on Linux; the tests compare.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from typing import Final, NamedTuple

from golem_host.files import paths
from golem_host.files.errors import FileError
from golem_host.files.pages import Backing, Content, Initial, Pages
from golem_host.files.settings import Quota

INLINE_BYTES_MAX: Final = 60
"""A longer target of a symbolic link lies with the contents, and counts as they do."""


class Node:
    """
    What a name stands for.

    Attributes:
        number: No other node of the tree has had it.
        links: How many names it has.
        read_only: An initial file that the guest may not change, rename or remove (R32), or a
            directory above one, which therefore stays where it is.
        accessed_ns: Unix nanoseconds.
        modified_ns: Unix nanoseconds.
    """

    __slots__ = ("accessed_ns", "links", "modified_ns", "number", "read_only")

    def __init__(self, number: int, now_ns: int) -> None:
        self.number = number
        self.links = 1
        self.read_only = False
        self.accessed_ns = self.modified_ns = now_ns

    @property
    def size(self) -> int:
        raise NotImplementedError

    def refuse_if_read_only(self) -> None:
        if self.read_only:
            raise FileError("not-permitted")

    def free_if_unused(self) -> None:
        """Give back what it holds, once nobody can reach it."""


class RegularFile(Node):
    """`opened` is how many descriptors and streams there are of it."""

    __slots__ = ("content", "opened")

    def __init__(self, number: int, now_ns: int, content: Content) -> None:
        super().__init__(number, now_ns)
        self.content = content
        self.opened = 0

    @property
    def size(self) -> int:
        return self.content.size

    def open(self) -> None:
        self.opened += 1

    def close(self) -> None:
        self.opened -= 1
        self.free_if_unused()

    def free_if_unused(self) -> None:
        if not self.opened and not self.links:
            self.content.free()


class SymbolicLink(Node):
    __slots__ = ("_content", "_inline")

    def __init__(self, number: int, now_ns: int, target: str, pages: Pages) -> None:
        """Raises `FileError` where the quota has no room for a long target."""
        super().__init__(number, now_ns)
        data = target.encode()
        self._inline = target
        self._content: Content | None = None
        if len(data) > INLINE_BYTES_MAX:
            self._inline = ""
            self._content = Content(pages)
            self._content.write(0, data)

    @property
    def target(self) -> str:
        content = self._content
        return self._inline if content is None else content.read(0, content.size).decode()

    @property
    def size(self) -> int:
        return len(self._inline.encode()) if self._content is None else self._content.size

    def free_if_unused(self) -> None:
        if not self.links and self._content is not None:
            self._content.free()


class Directory(Node):
    """
    Its names, and the directory that it is in; the topmost is in itself.

    `held` is how many read-only files are below it.
    """

    __slots__ = ("_sorted", "held", "names", "parent")

    def __init__(self, number: int, now_ns: int, parent: Directory | None) -> None:
        super().__init__(number, now_ns)
        self.names: dict[str, Node] = {}
        self.parent = parent or self
        self.links = 2
        self.held = 0
        # Made when somebody first reads the directory, then kept up.
        self._sorted: list[str] | None = None

    @property
    def size(self) -> int:
        return 4096

    def put(self, name: str, node: Node) -> None:
        if self._sorted is not None and name not in self.names:
            insort(self._sorted, name)
        self.names[name] = node
        if isinstance(node, Directory):
            node.parent = self
            self.links += 1

    def take(self, name: str) -> Node:
        node = self.names.pop(name)
        if self._sorted is not None:
            del self._sorted[bisect_left(self._sorted, name)]
        if isinstance(node, Directory):
            self.links -= 1
        return node

    def next_name(self, after: str | None) -> str | None:
        """The first name, in the order of code points, or the one that follows another."""
        if self._sorted is None:
            self._sorted = sorted(self.names)
        at = 0 if after is None else bisect_right(self._sorted, after)
        return self._sorted[at] if at < len(self._sorted) else None

    def is_within(self, other: Node) -> bool:
        """Whether it is the other one or below it."""
        at = self
        while at is not other:
            if at.parent is at:
                return False
            at = at.parent
        return True

    @property
    def is_removed(self) -> bool:
        return not self.links


class Place(NamedTuple):
    """Where a path leads."""

    directory: Directory
    name: str
    """In the directory; empty where the path ends with ``.`` or ``..`` or a slash."""
    node: Node | None
    """None where there is nothing of the name."""

    @property
    def is_named(self) -> bool:
        return bool(self.name)


class Tree:
    """The files of one instance."""

    def __init__(self, backing: Backing, quota: Quota, clock_ns: Callable[[], int]) -> None:
        self.pages = Pages(backing, quota.bytes_max)
        self.entries_max = quota.entries_max
        self.entries = 0
        self._clock_ns = clock_ns
        self._numbers = 0
        self.root = Directory(self._next_number(), clock_ns(), None)

    def set_quota(self, quota: Quota) -> None:
        self.pages.bytes_max = quota.bytes_max
        self.entries_max = quota.entries_max

    @property
    def quota(self) -> Quota:
        return Quota(self.pages.bytes_max, self.entries_max)

    def now_ns(self) -> int:
        return self._clock_ns()

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    # -- looking up -----------------------------------------------------------------------------

    def find(self, base: Directory, path: str, *, follow: bool) -> Place:
        """
        Where a path leads that begins at ``base``.

        Args:
            base: Cannot be left.
            path: What the guest says.
            follow: Whether a symbolic link at the very end stands for what it points to.

        Raises:
            FileError: It leads nowhere, or out of ``base``.
        """
        paths.check(path)
        left = paths.parts(path)
        at: Node = base
        directory, name = base, ""
        links = 0
        while left:
            part = left.pop()
            if not isinstance(at, Directory):
                raise FileError("not-directory")
            directory, name = at, ""
            if part == paths.HERE:
                continue
            if part == paths.ABOVE:
                if at is base:
                    raise FileError("not-permitted")
                directory = at = at.parent
                continue
            found = at.names.get(part)
            name = part
            if found is None:
                return self._missing(at, part, left)
            if isinstance(found, SymbolicLink) and (left or follow):
                links += 1
                if links > paths.LINKS_MAX:
                    raise FileError("loop")
                left += self._linked(found)
                continue
            at = found
        return Place(directory, name, at)

    @staticmethod
    def _missing(directory: Directory, name: str, left: list[str]) -> Place:
        if paths.is_longer(name, paths.NAME_BYTES_MAX):
            raise FileError("name-too-long")
        if left:
            raise FileError("no-entry")
        return Place(directory, name, None)

    @staticmethod
    def _linked(link: SymbolicLink) -> list[str]:
        # None is made with an absolute one.
        return paths.parts(link.target)

    def node(self, base: Directory, path: str, *, follow: bool) -> Node:
        """
        What a path leads to.

        Raises:
            FileError: As `find`, and if there is nothing.
        """
        found = self.find(base, path, follow=follow).node
        if found is None:
            raise FileError("no-entry")
        return found

    # -- changing -------------------------------------------------------------------------------

    def create(self, place: Place) -> RegularFile:
        """A new, empty file at a place where there is nothing."""
        self._refuse_entry(place.directory)
        return self._create(place, None)

    def _create(self, place: Place, initial: Initial | None) -> RegularFile:
        content = Content(self.pages, initial)
        made = RegularFile(self._next_number(), self._clock_ns(), content)
        self._put(place, made)
        return made

    # Not the guest's doing: no quota refuses it, although it counts.

    def add_initial(self, directory: Directory, name: str, content: Initial) -> RegularFile:
        """A file that the guest finds; until it writes to it, its content lies where it is."""
        return self._create(Place(directory, name, None), content)

    def add_directory(self, parent: Directory, name: str) -> Directory:
        made = Directory(self._next_number(), self._clock_ns(), parent)
        self._put(Place(parent, name, None), made)
        return made

    def remove_initial(self, directory: Directory, name: str) -> None:
        self._remove(Place(directory, name, directory.names[name]))

    def make_directory(self, base: Directory, path: str) -> Directory:
        paths.check(path)
        # Here alone a slash at the end says nothing.
        place = self.find(base, paths.unslashed(path)[0], follow=False)
        if place.node is not None:
            raise FileError("exist")
        self._refuse_entry(place.directory)
        return self.add_directory(place.directory, place.name)

    def symlink(self, base: Directory, target: str, path: str) -> None:
        if target.startswith("/"):
            raise FileError("not-permitted")
        paths.check(target)
        place = self._vacant(base, path)
        self._refuse_entry(place.directory)
        made = SymbolicLink(self._next_number(), self._clock_ns(), target, self.pages)
        self._put(place, made)

    def link(self, base: Directory, path: str, new_base: Directory, new_path: str) -> None:
        node = self.node(base, path, follow=False)
        if isinstance(node, Directory):
            # What is in the way is said first.
            self._vacant(new_base, new_path)
            raise FileError("not-permitted")
        place = self._vacant(new_base, new_path)
        self._refuse_entry(place.directory)
        node.refuse_if_read_only()
        node.links += 1
        self._put(place, node)

    def _vacant(self, base: Directory, path: str) -> Place:
        place = self.find(base, path, follow=False)
        if place.node is not None:
            raise FileError("exist")
        return place

    def remove_directory(self, base: Directory, path: str) -> None:
        place = self.find(base, path, follow=False)
        node = _there(place)
        if not place.is_named:
            raise FileError("invalid")
        if not isinstance(node, Directory):
            raise FileError("not-directory")
        if node.names:
            raise FileError("not-empty")
        self._remove(place)

    def unlink(self, base: Directory, path: str) -> None:
        place = self.find(base, path, follow=False)
        node = _there(place)
        if isinstance(node, Directory):
            raise FileError("is-directory")
        node.refuse_if_read_only()
        self._remove(place)

    def rename(self, base: Directory, path: str, new_base: Directory, new_path: str) -> None:
        paths.check(path)
        paths.check(new_path)
        bare, is_slashed = paths.unslashed(path)
        new_bare, is_new_slashed = paths.unslashed(new_path)
        old = self.find(base, bare, follow=False)
        new = self.find(new_base, new_bare, follow=False)
        if not old.is_named or not new.is_named:
            raise FileError("busy")
        node = _there(old)
        if not isinstance(node, Directory) and (is_slashed or is_new_slashed):
            raise FileError("not-directory")
        if new.directory.is_within(node):
            raise FileError("invalid")
        if new.node is not None and old.directory.is_within(new.node):
            raise FileError("not-empty")
        if node is new.node:
            return
        if new.node is not None:
            _refuse_replacing(node, new.node)
        elif new.directory.is_removed:
            raise FileError("no-entry")
        node.refuse_if_read_only()
        if new.node is not None:
            self._remove(new)
        self._move(old, new, node)

    def _move(self, old: Place, new: Place, node: Node) -> None:
        old.directory.take(old.name)
        new.directory.put(new.name, node)
        old.directory.modified_ns = new.directory.modified_ns = self._clock_ns()

    def _put(self, place: Place, node: Node) -> None:
        place.directory.put(place.name, node)
        place.directory.modified_ns = self._clock_ns()
        self.entries += 1

    def _remove(self, place: Place) -> None:
        node = place.directory.take(place.name)
        place.directory.modified_ns = self._clock_ns()
        self.entries -= 1
        node.links = 0 if isinstance(node, Directory) else node.links - 1
        node.free_if_unused()

    def _refuse_entry(self, directory: Directory) -> None:
        if directory.is_removed:
            raise FileError("no-entry")
        if self.entries >= self.entries_max:
            raise FileError("quota")

    # -- contents -------------------------------------------------------------------------------

    def write(self, file: RegularFile, offset: int, data: bytes) -> None:
        file.refuse_if_read_only()
        if data:
            file.content.write(offset, data)
            file.modified_ns = self._clock_ns()

    def resize(self, file: RegularFile, size: int) -> None:
        file.refuse_if_read_only()
        file.content.resize(size)
        file.modified_ns = self._clock_ns()


def _there(place: Place) -> Node:
    if place.node is None:
        raise FileError("no-entry")
    return place.node


def _refuse_replacing(node: Node, victim: Node) -> None:
    if isinstance(node, Directory):
        if not isinstance(victim, Directory):
            raise FileError("not-directory")
        if victim.names:
            raise FileError("not-empty")
    elif isinstance(victim, Directory):
        raise FileError("is-directory")
    victim.refuse_if_read_only()
