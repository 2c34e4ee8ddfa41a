"""
Objects of the C interface that live longer than one call: engine, component, linker, types.

Each wrapper owns what its ``pointer`` points to and frees it when it is collected, or earlier with
`Owned.close`.  Pointers are plain integers; hold the wrapper for as long as one is in use.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import c_bool, c_char_p, c_size_t, c_uint32
from pathlib import Path
from typing import Any, Final, Self

from golem_host.engine.abi import BYTES_OFFSET, address_of, byte_vec_delete, bytes_at, take_error
from golem_host.engine.library import brief, patient
from golem_oplog.closing import ClosesOnExit

_config_new: Final = brief("wasm_config_new", c_size_t)
_engine_new: Final = brief("wasm_engine_new_with_config", c_size_t, c_size_t)
_engine_delete: Final = patient("wasm_engine_delete", None, c_size_t)
_engine_increment_epoch: Final = brief("wasmtime_engine_increment_epoch", None, c_size_t)

_component_new: Final = patient("wasmtime_component_new", c_size_t, *[c_size_t] * 4)
_component_serialize: Final = patient("wasmtime_component_serialize", c_size_t, c_size_t, c_size_t)
_component_deserialize_file: Final = patient(
    "wasmtime_component_deserialize_file", c_size_t, c_size_t, c_char_p, c_size_t
)
_component_delete: Final = patient("wasmtime_component_delete", None, c_size_t)
_component_get_export_index: Final = brief(
    "wasmtime_component_get_export_index", c_size_t, c_size_t, c_size_t, c_char_p, c_size_t
)
_export_index_delete: Final = brief("wasmtime_component_export_index_delete", None, c_size_t)

_linker_new: Final = brief("wasmtime_component_linker_new", c_size_t, c_size_t)
_linker_delete: Final = patient("wasmtime_component_linker_delete", None, c_size_t)
_linker_root: Final = brief("wasmtime_component_linker_root", c_size_t, c_size_t)
_linker_instance_add: Final = brief(
    "wasmtime_component_linker_instance_add_instance",
    c_size_t,
    c_size_t,
    c_char_p,
    c_size_t,
    c_size_t,
)
_linker_instance_delete: Final = brief("wasmtime_component_linker_instance_delete", None, c_size_t)

_resource_type_new_host: Final = brief(
    "wasmtime_component_resource_type_new_host", c_size_t, c_uint32
)
_resource_type_clone: Final = brief("wasmtime_component_resource_type_clone", c_size_t, c_size_t)
_resource_type_equal: Final = brief(
    "wasmtime_component_resource_type_equal", c_bool, c_size_t, c_size_t
)
_resource_type_delete: Final = brief("wasmtime_component_resource_type_delete", None, c_size_t)

_wat2wasm: Final = patient("wasmtime_wat2wasm", c_size_t, c_char_p, c_size_t, c_size_t)

_ADDRESS: Final = struct.Struct("<Q")
_VECTOR: Final = struct.Struct("<QQ")


class EngineError(Exception):
    """What wasmtime itself says when it refuses something."""


class Owned(ClosesOnExit):
    """Something of wasmtime's that is freed with this object."""

    __slots__ = ("_delete", "pointer")

    def __init__(self, pointer: int, delete: Callable[[int], None]) -> None:
        self.pointer = pointer
        self._delete = delete

    def close(self) -> None:
        pointer, self.pointer = self.pointer, 0
        if pointer:
            self._delete(pointer)

    def __del__(self, _exiting: Callable[[], bool] = sys.is_finalizing) -> None:
        # When the interpreter goes, callbacks that wasmtime would call may be gone already; what
        # is left then is freed with the process.
        if not _exiting():
            self.close()


class RawEngine(Owned):
    """A wasmtime engine.  ``settings`` are names of setters of its configuration with values."""

    __slots__ = ()

    def __init__(self, settings: dict[str, Any]) -> None:
        config = _config_new()
        for name, value in settings.items():
            kind = c_bool if isinstance(value, bool) else c_size_t
            brief(f"wasmtime_config_{name}_set", None, c_size_t, kind)(config, value)
        # The engine takes the configuration.
        super().__init__(_engine_new(config), _engine_delete)

    def increment_epoch(self) -> None:
        _engine_increment_epoch(self.pointer)


class RawComponent(Owned):
    """Compiled code."""

    __slots__ = ()

    @classmethod
    def compile(cls, engine: RawEngine, wasm: bytes) -> Self:
        """Raises `EngineError` for bytes that are no component."""
        return cls(
            _returned(_component_new, engine.pointer, id(wasm) + BYTES_OFFSET, len(wasm)),
            _component_delete,
        )

    @classmethod
    def load(cls, engine: RawEngine, path: Path) -> Self:
        """
        Map code that `serialize` has made.

        The engine checks its own version and settings, not whether the code is damaged.
        """
        return cls(
            _returned(_component_deserialize_file, engine.pointer, bytes(path)), _component_delete
        )

    def serialize(self) -> bytes:
        return _taken(_component_serialize, self.pointer)

    def export_index(self, name: str, parent: Owned | None = None) -> Owned | None:
        """Where an export is found in every instance; inside of an exported interface's index."""
        encoded = name.encode()
        index = _component_get_export_index(
            self.pointer, parent.pointer if parent else 0, encoded, len(encoded)
        )
        return Owned(index, _export_index_delete) if index else None


class RawLinker(Owned):
    """A linker that can be added to one interface at a time."""

    __slots__ = ()

    def __init__(self, engine: RawEngine) -> None:
        super().__init__(_linker_new(engine.pointer), _linker_delete)

    @contextmanager
    def interface(self, name: str) -> Iterator[int]:
        """The pointer of an interface to define things in; the empty name is the world itself."""
        with Owned(_linker_root(self.pointer), _linker_instance_delete) as root:
            if not name:
                yield root.pointer
                return
            encoded = name.encode()
            inner = _returned(_linker_instance_add, root.pointer, encoded, len(encoded))
            with Owned(inner, _linker_instance_delete):
                yield inner


class ResourceType(Owned):
    """The identity of a resource type; equality is wasmtime's."""

    __slots__ = ()

    @classmethod
    def of_host(cls, number: int) -> Self:
        """The type of host resources with this number: the number is all its identity."""
        return cls(_resource_type_new_host(number), _resource_type_delete)

    @classmethod
    def copy_of(cls, pointer: int) -> Self:
        return cls(_resource_type_clone(pointer), _resource_type_delete)

    def is_type(self, pointer: int) -> bool:
        return bool(_resource_type_equal(self.pointer, pointer))


def wat2wasm(text: str) -> bytes:
    """The binary form of a component in text form."""
    encoded = text.encode()
    return _taken(_wat2wasm, encoded, len(encoded))


def _returned(function: Callable[..., int], *arguments: object) -> int:
    """The pointer that a function returns through its last parameter."""
    slot = bytearray(_ADDRESS.size)
    error = function(*arguments, address_of(slot))
    if error:
        raise EngineError(take_error(error))
    pointer: int = _ADDRESS.unpack(slot)[0]
    return pointer


def _taken(function: Callable[..., int], *arguments: object) -> bytes:
    """The bytes that a function returns through its last parameter, as a copy."""
    vector = bytearray(_VECTOR.size)
    error = function(*arguments, address_of(vector))
    if error:
        raise EngineError(take_error(error))
    size, address = _VECTOR.unpack(vector)
    content = bytes_at(address, size)
    byte_vec_delete(address_of(vector))
    return content
