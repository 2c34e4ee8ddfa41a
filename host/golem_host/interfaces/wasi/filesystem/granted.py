"""
Descriptors of what lies in a directory of the host that the guest was granted.

Whatever a guest learns there or does there is recorded, and no replay touches the host.  A
descriptor that was opened before a replay is opened again when it is first used: by the names that
led to it, and only if the same file is still there, else it is ``not-recoverable``.  Appending is
recorded as a look at the size and a write behind it, so that one that is repeated after a kill
does not append twice.

Source: ARCHITECTURE section 7 (powers are granted); spec 2.0.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, Self

from golem_host.context import InstanceContext
from golem_host.declare import Recorded
from golem_host.dispatch import recorded_call
from golem_host.files import paths
from golem_host.files.descriptor import (
    DIRECTORY,
    NOW,
    Descriptor,
    Facts,
    Flags,
    Times,
    asks_to_write,
)
from golem_host.files.errors import FileError
from golem_host.files.live.node import Known, LiveNode
from golem_host.files.mapping import Mapping
from golem_host.interfaces.wasi.filesystem.records import (
    CREATE,
    ENTRIES,
    LINK,
    LOOK,
    LOOK_AT,
    MKDIR,
    OPEN,
    READ,
    READLINK,
    RENAME,
    RESIZE,
    RMDIR,
    SET_TIMES,
    SET_TIMES_AT,
    SYMLINK,
    SYNC,
    UNLINK,
    WRITE,
)
from golem_host.wire import Wire
from golem_oplog.lazy_dataclass import dataclass

OPEN_MAX: Final = 256
"""Descriptors of the host that one guest has at a time; the next one is ``insufficient-memory``."""

UNKNOWN: Final = (0, 0)
"""The identity of what was granted: whatever has that name on the host."""


class LiveFiles:
    """The `Part` of host directories: what the instance has open of the host's."""

    def __init__(self) -> None:
        self._open: set[LiveNode] = set()
        self.nodes: set[GrantedNode] = set()
        """The guest's descriptors."""

    @classmethod
    def begin(cls, context: InstanceContext) -> Self:
        del context
        return cls()

    def refuse_more(self) -> None:
        if len(self._open) >= OPEN_MAX:
            raise FileError("insufficient-memory")

    def take(self, node: LiveNode) -> LiveNode:
        self._open.add(node)
        return node

    def give_back(self, node: LiveNode) -> None:
        self._open.discard(node)
        node.close()

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


@dataclass(frozen=True, slots=True)
class LookedLive:
    """What a recorded ``stat`` has told."""

    known: Known
    shown_path: str

    @property
    def is_recorded(self) -> bool:
        return True

    def facts(self) -> Facts:
        return self.known.facts

    def times(self) -> tuple[int, int]:
        return self.known.accessed_ns, self.known.modified_ns

    def note_times(self, accessed_ns: int, modified_ns: int) -> None:
        """They are the host's."""


@dataclass(slots=True)
class ListedEntries:
    """The entries of a directory as they were when it was asked for them."""

    entries: list[tuple[str, str | None]]
    at: int = 0

    def next(self) -> tuple[str, str] | None:
        if self.at == len(self.entries):
            return None
        self.at += 1
        kind, name = self.entries[self.at - 1]
        if name is None:
            # WASI has no name for it.
            raise FileError("illegal-byte-sequence")
        return kind, name


@dataclass(slots=True)
class Opened:
    """What a descriptor is, whether or not the host has it open: plain data."""

    guest: str
    """The grant, by its path in the guest."""
    read_only: bool
    type: str
    flags: frozenset[str]
    trail: tuple[bytes, ...]
    identity: tuple[int, int]


class GrantedNode:
    """A descriptor of one file or directory; with its streams it shares what the host has open."""

    def __init__(
        self, context: InstanceContext, opened: Opened, path: str, live: LiveNode | None = None
    ) -> None:
        self._context = context
        self.opened = opened
        self._path = path
        self._live = live
        self._users = 1
        context.part(LiveFiles).nodes.add(self)

    @classmethod
    def of_grant(cls, context: InstanceContext, guest: str, *, read_only: bool) -> GrantedNode:
        flags = frozenset(("read",) if read_only else ("read", "mutate-directory"))
        return cls(context, Opened(guest, read_only, DIRECTORY, flags, (), UNKNOWN), guest)

    @property
    def type(self) -> str:
        return self.opened.type

    @property
    def flags(self) -> frozenset[str]:
        return self.opened.flags

    @property
    def hash(self) -> tuple[int, int]:
        known = self.opened.identity
        return self._stat().identity if known == UNKNOWN else known

    def is_same(self, other: Descriptor) -> bool:
        if not isinstance(other, GrantedNode):
            return False
        return other is self or self.hash == other.hash

    def look(self) -> LookedLive:
        return LookedLive(self._stat(), self._path)

    def close(self) -> None:
        self._users -= 1
        if self._users:
            return
        part = self._context.part(LiveFiles)
        part.nodes.discard(self)
        if self._live is not None:
            part.give_back(self._live)
            self._live = None

    # -- the host ---------------------------------------------------------------------------------

    def node(self) -> LiveNode:
        """What the host has open for this; opened again where a replay has come in between."""
        if self._live is None:
            part = self._context.part(LiveFiles)
            part.refuse_more()
            self._live = part.take(self._reopened())
        return self._live

    def _reopened(self) -> LiveNode:
        opened = self.opened
        root = LiveNode.of_grant(_grant(self._context, opened))
        if not opened.trail:
            return root
        try:
            node = root.again(opened.trail, opened.flags)
        except FileError as error:
            if error.code in ("access", "insufficient-memory"):
                raise
            raise FileError("not-recoverable") from error
        finally:
            root.close()
        if node.known().identity != opened.identity:
            node.close()
            raise FileError("not-recoverable")
        return node

    def _call(
        self,
        recorded: Recorded,
        request: tuple[Wire, ...],
        act: Callable[[LiveNode], Wire],
        path: str | None = None,
    ) -> Wire:
        def perform() -> Wire:
            try:
                return 0, act(self.node())
            except FileError as error:
                return 1, error.code

        shown = self._path if path is None else self.shown(path)
        is_error, value = recorded_call(self._context, recorded, (shown, *request), perform)
        if is_error:
            raise FileError(value)
        return value

    def shown(self, path: str) -> str:
        return f"{self._path.rstrip('/')}/{path}"[-paths.PATH_BYTES_MAX :]

    # -- files ------------------------------------------------------------------------------------

    def check_file(self) -> None:
        if self.type == DIRECTORY:
            raise FileError("bad-descriptor")

    def stream(self, *, writes: bool) -> GrantedNode:
        if self.type == DIRECTORY:
            raise FileError("bad-descriptor" if writes else "is-directory")
        self._users += 1
        return self

    @property
    def size(self) -> int:
        return self._stat().facts.size

    def read(self, offset: int, size: int) -> bytes:
        self.check_file()
        if "read" not in self.flags:
            raise FileError("bad-descriptor")
        found: bytes = self._call(READ, (offset, size), lambda node: node.read(offset, size))
        return found

    def write(self, offset: int, data: bytes) -> None:
        self.check_file()
        if "write" not in self.flags:
            raise FileError("bad-descriptor")
        request = (offset, len(data), hashlib.sha256(data).digest())
        self._call(WRITE, request, lambda node: node.write(offset, data))

    def resize(self, size: int) -> None:
        self.check_file()
        if "write" not in self.flags:
            raise FileError("invalid")
        self._call(RESIZE, (size,), lambda node: node.resize(size))

    def sync(self) -> None:
        self._call(SYNC, (), lambda node: node.sync())

    def set_times(self, times: Times) -> None:
        self._refuse_if_read_only()
        self._call(SET_TIMES, _options(times), lambda node: node.set_times(self._meant(times)))

    def _meant(self, times: Times) -> Times:
        now_ns = self._context.clock_ns()
        return Times(*(now_ns if each == NOW else each for each in times))

    def _stat(self) -> Known:
        return _known(self._call(LOOK, (), lambda node: _stat_wire(node.known())))

    # -- directories ------------------------------------------------------------------------------

    def _check_directory(self) -> None:
        if self.type != DIRECTORY:
            raise FileError("not-directory")

    def _refuse_if_read_only(self) -> None:
        if self.opened.read_only:
            raise FileError("not-permitted")

    def check_change(self) -> None:
        self._check_directory()
        self._refuse_if_read_only()

    def entries(self) -> ListedEntries:
        self._check_directory()

        def act(node: LiveNode) -> Wire:
            return [(kind, None if name is None else (name,)) for kind, name in node.entries()]

        found = self._call(ENTRIES, (), act)
        return ListedEntries([(kind, None if name is None else name[0]) for kind, name in found])

    def look_at(self, path: str, *, follow: bool) -> LookedLive:
        return LookedLive(self._stat_at(path, follow=follow), self.shown(path))

    def hash_at(self, path: str, *, follow: bool) -> tuple[int, int]:
        return self._stat_at(path, follow=follow).identity

    def _stat_at(self, path: str, *, follow: bool) -> Known:
        self._check_directory()

        def act(node: LiveNode) -> Wire:
            return _stat_wire(node.known_at(path, follow=follow))

        return _known(self._call(LOOK_AT, (follow,), act, path))

    def set_times_at(self, path: str, times: Times, *, follow: bool) -> None:
        self.check_change()
        self._call(
            SET_TIMES_AT,
            (*_options(times), follow),
            lambda node: node.set_times_at(path, self._meant(times), follow=follow),
            path,
        )

    def open_at(self, path: str, how: Flags, flags: Flags, *, follow: bool) -> GrantedNode:
        self._check_directory()
        writes = asks_to_write(how, flags)
        if self.opened.read_only and (writes or "mutate-directory" in flags):
            raise FileError("not-permitted")
        changes = how & {"create", "truncate"}
        part = self._context.part(LiveFiles)
        live: LiveNode | None = None

        def act(node: LiveNode) -> Wire:
            nonlocal live
            part.refuse_more()
            live = part.take(node.open_at(path, how, flags, follow=follow))
            return live.type, sorted(live.flags), list(live.trail), *live.known().identity

        kind, opened, trail, inode, device = self._call(
            CREATE if changes else OPEN, (sorted(how), sorted(flags), follow), act, path
        )
        base = self.opened
        told = Opened(
            base.guest,
            base.read_only,
            kind,
            frozenset(opened),
            (*base.trail, *trail),
            (inode, device),
        )
        return GrantedNode(self._context, told, self.shown(path), live)

    def make_directory_at(self, path: str) -> None:
        self.check_change()
        self._call(MKDIR, (), lambda node: node.make_directory_at(path), path)

    def remove_directory_at(self, path: str) -> None:
        self.check_change()
        self._call(RMDIR, (), lambda node: node.remove_directory_at(path), path)

    def unlink_at(self, path: str) -> None:
        self.check_change()
        self._call(UNLINK, (), lambda node: node.unlink_at(path), path)

    def readlink_at(self, path: str) -> str:
        self._check_directory()
        found: str = self._call(READLINK, (), lambda node: node.readlink_at(path), path)
        return found

    def symlink_at(self, target: str, path: str) -> None:
        self.check_change()
        self._call(SYMLINK, (target,), lambda node: node.symlink_at(target, path), path)

    def link_at(self, path: str, other: Descriptor, new_path: str) -> None:
        there = self._target(other)
        self._call(
            LINK,
            (there.shown(new_path),),
            lambda node: node.link_at(path, there.node(), new_path),
            path,
        )

    def rename_at(self, path: str, other: Descriptor, new_path: str) -> None:
        there = self._target(other)

        def act(node: LiveNode) -> Wire:
            old, new = node.rename_at(path, there.node(), new_path)
            return list(old), list(new)

        old, new = self._call(RENAME, (there.shown(new_path),), act, path)
        came_from, goes_to = (*self.opened.trail, *old), (*there.opened.trail, *new)
        for each in self._context.part(LiveFiles).nodes:
            each.follow(self.opened.guest, came_from, there.opened.guest, goes_to)

    def follow(
        self, guest: str, old: tuple[bytes, ...], new_guest: str, new: tuple[bytes, ...]
    ) -> None:
        """Something was renamed: other names lead to this too, if it is that or below it."""
        opened = self.opened
        if opened.guest == guest and opened.trail[: len(old)] == old:
            opened.guest, opened.trail = new_guest, (*new, *opened.trail[len(old) :])

    def _target(self, other: Descriptor) -> GrantedNode:
        """The other directory.  A link into a writable one must not make a file writable."""
        self.check_change()
        if not isinstance(other, GrantedNode):
            raise FileError("cross-device")
        other.check_change()
        return other


def _grant(context: InstanceContext, opened: Opened) -> Mapping:
    """The grant as it is now: a host may be started with others, or with none."""
    for each in context.services.files.dirs:
        if each.guest == opened.guest and (opened.read_only or not each.read_only):
            return each
    raise FileError("access")


def _options(times: Times) -> tuple[Wire, Wire]:
    accessed, modified = times
    return _option(accessed), _option(modified)


def _option(value: int | None) -> Wire:
    return None if value is None else (value,)


def _stat_wire(known: Known) -> Wire:
    return (*known.facts, known.accessed_ns, known.modified_ns, *known.identity)


def _known(wire: Wire) -> Known:
    kind, links, size, accessed_ns, modified_ns, inode, device = wire
    return Known(Facts(kind, links, size), accessed_ns, modified_ns, (inode, device))
