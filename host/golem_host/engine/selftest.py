"""
A start-up check of what this package assumes about wasmtime and CPython.

The boundary reads and writes memory by layouts that no public interface promises.  If one of them
changed, values would be wrong without anybody noticing, so the first engine proves them: where the
content of ``bytes`` lies, then a value of every kind through a small component to a host function
and back, then the code of a trap.

What was proved stays so for the same builds of engine, interpreter and this package.  It is kept
beside the compiled code: the proof costs a twentieth of a short command.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from golem_host.engine import abi
from golem_host.engine.context import StoreContext
from golem_host.engine.raw import wat2wasm
from golem_host.engine.traps import Trap, TrapKind
from golem_host.errors import EngineMismatchError, HostError

if TYPE_CHECKING:
    from golem_host.engine.cache import CompileCache
    from golem_host.engine.component import Component
    from golem_host.engine.engine import Engine

# More than sixteen flat values go through memory, so the core function only passes two addresses.
_TYPE: Final = """(tuple bool s8 u8 s16 u16 s32 u32 s64 u64 f32 f64 char string (list u8) (list u16)
  (list $row) $row $shape $color (option u64) (result u8 (error string)) $marks)"""

_COMPONENT: Final = f"""
(component
  (type $color- (enum "red" "green")) (import "color" (type $color (eq $color-)))
  (type $shape- (variant (case "none") (case "side" u16))) (import "shape" (type $shape (eq $shape-)))
  (type $marks- (flags "a" "b" "c")) (import "marks" (type $marks (eq $marks-)))
  (type $row- (record (field "n" s8) (field "s" string))) (import "row" (type $row (eq $row-)))
  (import "echo" (func $echo (param "v" {_TYPE}) (result {_TYPE})))
  (core module $Memory
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $memory (instantiate $Memory))
  (core func $lowered (canon lower (func $echo)
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core module $Main
    (import "host" "echo" (func $echo (param i32 i32)))
    (func (export "echo") (param i32) (result i32)
      (call $echo (local.get 0) (i32.const 1024)) (i32.const 1024))
    (func (export "trap") unreachable))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "echo" (func $lowered))))))
  (func (export "echo-back") (param "v" {_TYPE}) (result {_TYPE}) (canon lift
    (core func $main "echo")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (func (export "trap") (canon lift (core func $main "trap"))))
"""

_VALUE: Final = (
    *(True, -100, 200, -30_000, 60_000, -2_000_000_000, 4_000_000_000),
    *(-(2**62), 2**64 - 2, 0x7F80_0001, 0xFFF0_0000_0000_0001),
    *("\u20ac", "text \u20ac", b"\x00\xff", [1, 65_535]),
    *([(-5, "a"), (5, "")], (7, "row"), (1, 513), 1, (9,), (1, "no"), 0b101),
)
# The engine makes NaNs canonical only where guest code computes them; these just pass through.

_lock = threading.Lock()
_passed = False


def run_once(engine: Engine, cache: CompileCache) -> None:
    """Check unless these very builds have passed; raises `EngineMismatchError`."""
    global _passed  # noqa: PLW0603 # one fact about the process
    with _lock:
        if _passed:
            return
        builds = _builds()
        if not cache.is_proved(builds):
            check(engine)
            cache.prove(builds)
        _passed = True


def _builds() -> str:
    """Of the interpreter and this package; the cache knows that of the engine."""
    with os.scandir(Path(__file__).parent) as found:
        facts = ((entry.name, entry.stat()) for entry in found if entry.name.endswith(".py"))
        files = sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in facts)
    return f"{sys.version!r} {files}"


def check(engine: Engine) -> None:
    """Raise `EngineMismatchError` where an assumption does not hold."""
    if not abi.bytes_layout_holds():
        raise EngineMismatchError(reason="bytes objects have another layout")
    component = engine.load(wat2wasm(_COMPONENT), name="self-test")
    received: list[Any] = []

    def echo(_: StoreContext, value: Any) -> Any:
        received.append(value)
        return value

    try:
        returned, trap = _run(component, echo)
    except (HostError, Trap) as error:
        raise EngineMismatchError(reason=f"the self-test failed: {error}") from error
    if received != [_VALUE] or returned != _VALUE:
        raise EngineMismatchError(reason="values have another layout")
    if trap is not TrapKind.UNREACHABLE:
        raise EngineMismatchError(reason="traps have other codes")


def _run(component: Component, echo: Any) -> tuple[Any, TrapKind | None]:
    exports = {export.name: export for export in component.exports}
    linked = component.link(lambda _: echo, lambda _: None)
    with linked.instantiate(StoreContext()) as instance:
        returned = instance.call(exports["echo-back"], [_VALUE])
        try:
            instance.call(exports["trap"], [])
        except Trap as trap:
            return returned, trap.kind
    return returned, None
