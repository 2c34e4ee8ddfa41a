"""
``wasi:filesystem/types``: what a guest does to its files is done again on replay.

Recorded are the times that it is told: everything else follows from its own doing.  A ``stat`` that
fails records nothing.  What it does to directories of the host is recorded in `granted`.

Source: WASI 0.2 ``wasi:filesystem/types``; spec 4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_LOCAL,
    UNRECORDED,
    Recorded,
    function,
    interface,
    on_drop,
    resource,
)
from golem_host.dispatch import recorded_call
from golem_host.files.descriptor import NOW, Descriptor, Entries, Looked, Times
from golem_host.files.errors import FileError
from golem_host.interfaces.wasi.filesystem.streams import DOMAIN, FileInput, FileOutput
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.io.streams import InputStream, OutputStream
from golem_host.wire import Wire
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType, Prim, RecordType
from golem_oplog.values import Err, Ok, Variant

Q = ParamSpec("Q")
R = TypeVar("R")

NS_PER_S: Final = 1_000_000_000
_SECONDS_MAX: Final = (1 << 63) - 1

_DATETIME: Final = RecordType((("seconds", Prim.U64), ("nanoseconds", Prim.U32)))
_TIMES: Final = RecordType(
    (("data-access-timestamp", _DATETIME), ("data-modification-timestamp", _DATETIME))
)
_PATH: Final = (("path", Prim.STRING),)


def _stat(name: str) -> Recorded:
    return Recorded(READ_LOCAL, FunctionType(name, _PATH, _TIMES))


STAT_RECORD: Final = "filesystem::types::descriptor::stat"
STAT_AT_RECORD: Final = "filesystem::types::descriptor::stat_at"
_STAT: Final = _stat(STAT_RECORD)
_STAT_AT: Final = _stat(STAT_AT_RECORD)


@dataclass(frozen=True, slots=True)
class DescriptorStat:
    """The record of the interface."""

    type: str
    link_count: int
    size: int
    data_access_timestamp: dict[str, int]
    data_modification_timestamp: dict[str, int]
    status_change_timestamp: None = None


def answered(action: Callable[Q, R]) -> Callable[Q, Ok[object] | Err[object]]:
    """What a method gives and raises, as the interface's ``result``."""

    @wraps(action)
    def answer(*args: Q.args, **named: Q.kwargs) -> Ok[object] | Err[object]:
        try:
            return Ok(action(*args, **named))
        except FileError as error:
            return Err(error.code)

    return answer


def _told(context: InstanceContext, recorded: Recorded, looked: Looked) -> DescriptorStat:
    def perform() -> Wire:
        accessed_ns, modified_ns = looked.times()
        return divmod(accessed_ns, NS_PER_S), divmod(modified_ns, NS_PER_S)

    facts = looked.facts()
    if looked.is_recorded:
        first, last = (_datetime(*divmod(each, NS_PER_S)) for each in looked.times())
        return DescriptorStat(*facts, first, last)
    accessed, modified = recorded_call(context, recorded, (looked.shown_path,), perform)
    # A replay has other times until it comes here.
    looked.note_times(_ns(*accessed), _ns(*modified))
    return DescriptorStat(*facts, _datetime(*accessed), _datetime(*modified))


def _ns(seconds: int, nanoseconds: int) -> int:
    return seconds * NS_PER_S + nanoseconds


def _datetime(seconds: int, nanoseconds: int) -> dict[str, int]:
    return {"seconds": seconds, "nanoseconds": nanoseconds}


def _times(accessed: Variant, modified: Variant) -> Times:
    return Times(_new_time(accessed), _new_time(modified))


def _new_time(wanted: Variant) -> int | None:
    if wanted.case == "no-change":
        return None
    if wanted.case == "now":
        return NOW
    given = wanted.value
    assert isinstance(given, Mapping)
    time_ns = _ns(given["seconds"], given["nanoseconds"])
    if time_ns // NS_PER_S > _SECONDS_MAX:
        raise FileError("overflow")
    return time_ns


def _follows(path_flags: AbstractSet[str]) -> bool:
    return "symlink-follow" in path_flags


def _hash(value: tuple[int, int]) -> dict[str, int]:
    lower, upper = value
    return {"lower": lower, "upper": upper}


@resource("wasi:filesystem/types", "descriptor")
class DescriptorResource:
    @function(UNRECORDED)
    @answered
    def read_via_stream(
        self, context: InstanceContext, descriptor: Descriptor, offset: int
    ) -> InputStream:
        return FileInput(descriptor.stream(writes=False), offset)

    @function(UNRECORDED)
    @answered
    def write_via_stream(
        self, context: InstanceContext, descriptor: Descriptor, offset: int
    ) -> OutputStream:
        return FileOutput(descriptor.stream(writes=True), offset)

    @function(UNRECORDED)
    @answered
    def append_via_stream(self, context: InstanceContext, descriptor: Descriptor) -> OutputStream:
        return FileOutput(descriptor.stream(writes=True), None)

    @function(UNRECORDED)
    @answered
    def advise(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        offset: int,
        length: int,
        advice: str,
    ) -> None:
        descriptor.check_file()

    @function(UNRECORDED)
    @answered
    def sync_data(self, context: InstanceContext, descriptor: Descriptor) -> None:
        descriptor.sync()

    @function(UNRECORDED)
    @answered
    def sync(self, context: InstanceContext, descriptor: Descriptor) -> None:
        descriptor.sync()

    @function(UNRECORDED)
    @answered
    def get_flags(self, context: InstanceContext, descriptor: Descriptor) -> frozenset[str]:
        return descriptor.flags

    @function(UNRECORDED)
    @answered
    def get_type(self, context: InstanceContext, descriptor: Descriptor) -> str:
        return descriptor.type

    @function(UNRECORDED)
    @answered
    def set_size(self, context: InstanceContext, descriptor: Descriptor, size: int) -> None:
        descriptor.resize(size)

    @function(UNRECORDED)
    @answered
    def set_times(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        accessed: Variant,
        modified: Variant,
    ) -> None:
        descriptor.set_times(_times(accessed, modified))

    @function(UNRECORDED)
    @answered
    def read(
        self, context: InstanceContext, descriptor: Descriptor, length: int, offset: int
    ) -> tuple[bytes, bool]:
        data = descriptor.read(offset, length)
        return data, not data

    @function(UNRECORDED)
    @answered
    def write(
        self, context: InstanceContext, descriptor: Descriptor, data: bytes, offset: int
    ) -> int:
        descriptor.write(offset, data)
        return len(data)

    @function(UNRECORDED)
    @answered
    def read_directory(self, context: InstanceContext, descriptor: Descriptor) -> Entries:
        return descriptor.entries()

    @function(UNRECORDED)
    @answered
    def create_directory_at(
        self, context: InstanceContext, descriptor: Descriptor, path: str
    ) -> None:
        descriptor.make_directory_at(path)

    @function(UNRECORDED)
    @answered
    def stat(self, context: InstanceContext, descriptor: Descriptor) -> DescriptorStat:
        return _told(context, _STAT, descriptor.look())

    @function(UNRECORDED)
    @answered
    def stat_at(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        path_flags: AbstractSet[str],
        path: str,
    ) -> DescriptorStat:
        looked = descriptor.look_at(path, follow=_follows(path_flags))
        return _told(context, _STAT_AT, looked)

    @function(UNRECORDED)
    @answered
    def set_times_at(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        path_flags: AbstractSet[str],
        path: str,
        accessed: Variant,
        modified: Variant,
    ) -> None:
        times = _times(accessed, modified)
        descriptor.set_times_at(path, times, follow=_follows(path_flags))

    @function(UNRECORDED)
    @answered
    def link_at(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        old_path_flags: AbstractSet[str],
        old_path: str,
        new_descriptor: Descriptor,
        new_path: str,
    ) -> None:
        if _follows(old_path_flags):
            raise FileError("invalid")
        descriptor.link_at(old_path, new_descriptor, new_path)

    @function(UNRECORDED)
    @answered
    def open_at(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        path_flags: AbstractSet[str],
        path: str,
        open_flags: AbstractSet[str],
        flags: AbstractSet[str],
    ) -> Descriptor:
        return descriptor.open_at(path, open_flags, flags, follow=_follows(path_flags))

    @function(UNRECORDED)
    @answered
    def readlink_at(self, context: InstanceContext, descriptor: Descriptor, path: str) -> str:
        return descriptor.readlink_at(path)

    @function(UNRECORDED)
    @answered
    def remove_directory_at(
        self, context: InstanceContext, descriptor: Descriptor, path: str
    ) -> None:
        descriptor.remove_directory_at(path)

    @function(UNRECORDED)
    @answered
    def rename_at(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        old_path: str,
        new_descriptor: Descriptor,
        new_path: str,
    ) -> None:
        descriptor.rename_at(old_path, new_descriptor, new_path)

    @function(UNRECORDED)
    @answered
    def symlink_at(
        self, context: InstanceContext, descriptor: Descriptor, old_path: str, new_path: str
    ) -> None:
        descriptor.symlink_at(old_path, new_path)

    @function(UNRECORDED)
    @answered
    def unlink_file_at(self, context: InstanceContext, descriptor: Descriptor, path: str) -> None:
        descriptor.unlink_at(path)

    @function(UNRECORDED)
    def is_same_object(
        self, context: InstanceContext, descriptor: Descriptor, other: Descriptor
    ) -> bool:
        return descriptor.is_same(other)

    @function(UNRECORDED)
    @answered
    def metadata_hash(self, context: InstanceContext, descriptor: Descriptor) -> dict[str, int]:
        return _hash(descriptor.hash)

    @function(UNRECORDED)
    @answered
    def metadata_hash_at(
        self,
        context: InstanceContext,
        descriptor: Descriptor,
        path_flags: AbstractSet[str],
        path: str,
    ) -> dict[str, int]:
        return _hash(descriptor.hash_at(path, follow=_follows(path_flags)))

    @on_drop
    def dropped(self, context: InstanceContext, descriptor: Descriptor) -> None:
        descriptor.close()


@resource("wasi:filesystem/types", "directory-entry-stream")
class DirectoryEntryStreamResource:
    @function(UNRECORDED)
    @answered
    def read_directory_entry(
        self, context: InstanceContext, entries: Entries
    ) -> dict[str, str] | None:
        found = entries.next()
        if found is None:
            return None
        kind, name = found
        return {"type": kind, "name": name}


@interface("wasi:filesystem/types")
class Types:
    @function(UNRECORDED)
    def filesystem_error_code(self, context: InstanceContext, error: IoError) -> str | None:
        return str(error.code) if error.domain == DOMAIN else None
