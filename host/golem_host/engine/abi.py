"""
The raw C interface of wasmtime: prototypes, and one view of the whole address space.

wasmtime-py converts every value through ctypes structures, keeps the last exception of *all* threads
in one global, and lets `BaseException` out of callbacks.  So this package calls the C interface
itself, and takes nothing but the library from it.

A component value is a **cell** of 32 bytes: one kind byte, seven of padding, 24 of payload.

===============================  =====================================================
kind                             payload
===============================  =====================================================
bool, integers, floats, char     the value itself
string, enum                     size, address of UTF-8 bytes
list, tuple                      size, address of cells
record                           size, address of 48-byte entries: name size, name address, cell
flags                            size, address of 16-byte entries: name size, name address
variant                          name size, name address, address of the payload's cell or 0
option                           address of the payload's cell or 0
result                           one byte: is it ok; address of the payload's cell or 0
resource                         address of a boxed handle
===============================  =====================================================

Who owns memory:

- arguments of a host function belong to wasmtime, which frees them after the callback: read only;
- the result cell of a host function is ours to fill and wasmtime's to free, so its heap parts must
  be allocated by wasmtime (`val_clone`, `vallist_new`, `byte_vec_new`);
- arguments of an export are only read, so they may lie in Python-owned ``bytes``;
- the result cell of an export is ours: `val_delete` it after lifting.

Addresses are plain integers throughout: ctypes pointer objects double the cost of a callback.

Source: the C headers of wasmtime 50, and measurements with wasmtime-py 50.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint32, c_uint64
from typing import Final

from golem_host.engine.library import brief, patient

ADDRESS_SPACE_BYTES: Final = 1 << 48  # user addresses of aarch64 Linux go up to here

MEMORY: Final = memoryview((ctypes.c_ubyte * ADDRESS_SPACE_BYTES).from_address(0)).cast("B")
"""All memory as bytes: for ``struct`` and for casts."""
CHARS: Final = (ctypes.c_char * ADDRESS_SPACE_BYTES).from_address(0)
"""All memory again: a slice of it is a ``bytes`` copy, and a strided slice gathers in C."""

BYTES_OFFSET: Final = bytes.__basicsize__ - 1
"""``id(b) + BYTES_OFFSET`` is the address of the content of the bytes object ``b``."""

CELL_BYTES: Final = 32
RECORD_ENTRY_BYTES: Final = 48

(
    KIND_BOOL,
    KIND_S8,
    KIND_U8,
    KIND_S16,
    KIND_U16,
    KIND_S32,
    KIND_U32,
    KIND_S64,
    KIND_U64,
    KIND_F32,
    KIND_F64,
    KIND_CHAR,
    KIND_STRING,
    KIND_LIST,
    KIND_RECORD,
    KIND_TUPLE,
    KIND_VARIANT,
    KIND_ENUM,
    KIND_OPTION,
    KIND_RESULT,
    KIND_FLAGS,
    KIND_RESOURCE,
) = range(22)

CALLBACK: Final = ctypes.CFUNCTYPE(c_size_t, *[c_size_t] * 7)
"""``(data, context, type, arguments, count, results, count) -> error or 0``: a host function."""
DESTRUCTOR: Final = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_uint32)
"""``(data, context, rep) -> error or 0``: the guest dropped a host resource."""
EPOCH_CALLBACK: Final = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_size_t, c_size_t)
"""``(context, data, address of delta, address of kind) -> error or 0``."""
FINALIZER: Final = ctypes.CFUNCTYPE(None, c_size_t)

# Run guest code, or take long.
func_call = patient("wasmtime_component_func_call", c_size_t, *[c_size_t] * 6)
linker_instantiate = patient("wasmtime_component_linker_instantiate", c_size_t, *[c_size_t] * 4)
resource_any_drop = patient("wasmtime_component_resource_any_drop", c_size_t, c_size_t, c_size_t)
store_delete = patient("wasmtime_store_delete", None, c_size_t)
val_clone = patient("wasmtime_component_val_clone", None, c_size_t, c_size_t)
val_delete = patient("wasmtime_component_val_delete", None, c_size_t)
vallist_new = patient("wasmtime_component_vallist_new", None, *[c_size_t] * 3)
byte_vec_new = patient("wasm_byte_vec_new", None, c_size_t, c_size_t, c_char_p)

# Values
byte_vec_delete = brief("wasm_byte_vec_delete", None, c_size_t)

# Errors
error_new = brief("wasmtime_error_new", c_size_t, c_char_p)
error_delete = brief("wasmtime_error_delete", None, c_size_t)
error_message = brief("wasmtime_error_message", None, c_size_t, c_size_t)
trap_code = brief("wasmtime_trap_code", c_bool, c_size_t, c_size_t)

# Resources
resource_any_to_host = brief("wasmtime_component_resource_any_to_host", c_size_t, *[c_size_t] * 3)
resource_any_clone = brief("wasmtime_component_resource_any_clone", c_size_t, c_size_t)
resource_any_delete = brief("wasmtime_component_resource_any_delete", None, c_size_t)
resource_host_new = brief(
    "wasmtime_component_resource_host_new", c_size_t, c_bool, c_uint32, c_uint32
)
resource_host_rep = brief("wasmtime_component_resource_host_rep", c_uint32, c_size_t)
resource_host_delete = brief("wasmtime_component_resource_host_delete", None, c_size_t)
resource_host_to_any = brief("wasmtime_component_resource_host_to_any", c_size_t, *[c_size_t] * 3)

# Linking
linker_add_func = brief(
    "wasmtime_component_linker_instance_add_func",
    c_size_t,
    c_size_t,
    c_char_p,
    c_size_t,
    CALLBACK,
    c_size_t,
    FINALIZER,
)
linker_add_resource = brief(
    "wasmtime_component_linker_instance_add_resource",
    c_size_t,
    c_size_t,
    c_char_p,
    c_size_t,
    c_size_t,
    DESTRUCTOR,
    c_size_t,
    FINALIZER,
)

# Stores and instances
store_new = brief("wasmtime_store_new", c_size_t, c_size_t, c_size_t, c_size_t)
store_context = brief("wasmtime_store_context", c_size_t, c_size_t)
store_limiter = brief("wasmtime_store_limiter", None, c_size_t, *[c_int64] * 5)
store_epoch_deadline_callback = brief(
    "wasmtime_store_epoch_deadline_callback",
    None,
    c_size_t,
    EPOCH_CALLBACK,
    c_size_t,
    c_size_t,
)
context_set_epoch_deadline = brief("wasmtime_context_set_epoch_deadline", None, c_size_t, c_uint64)
instance_get_func = brief("wasmtime_component_instance_get_func", c_bool, *[c_size_t] * 4)

_SIZE_AND_ADDRESS = struct.Struct("<QQ")


def address_of(
    buffer: bytearray,
    _first: Callable[[bytearray], ctypes.c_char] = ctypes.c_char.from_buffer,
    _address: Callable[[ctypes.c_char], int] = ctypes.addressof,
) -> int:
    """The address of a buffer's content, valid while the buffer lives and keeps its size."""
    return _address(_first(buffer))


def bytes_at(address: int, size: int) -> bytes:
    """A copy of memory; of no bytes at no address is fine."""
    return bytes(MEMORY[address : address + size])


def take_message(error: int) -> str:
    """The text of an error object.  The caller still owns the error."""
    vector = bytearray(16)
    error_message(error, address_of(vector))
    size, address = _SIZE_AND_ADDRESS.unpack(vector)
    text = bytes_at(address, size)
    byte_vec_delete(address_of(vector))
    return text.decode("utf-8", "replace")


def take_error(error: int) -> str:
    """The text of an error object, which is freed."""
    text = take_message(error)
    error_delete(error)
    return text


def bytes_layout_holds() -> bool:
    """True where the content of ``bytes`` lies where `BYTES_OFFSET` says."""
    probe = b"golem-host layout probe"
    start = id(probe) + BYTES_OFFSET
    return bytes_at(start, len(probe)) == probe
