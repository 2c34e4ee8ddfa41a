"""
Counters in text form that save and load what they have counted.

Exports ``add(by: u64) -> u64``, and ``save`` and ``load`` of ``golem:api`` as asked for.
"""

from __future__ import annotations

from tests.support.components import MEMORY, OPTIONS, component

SAVES = "(i64.store (i32.const 2048) (global.get $count))"
LOADS = "(global.set $count (i64.load (local.get 0)))"
TRAPS = "unreachable"


def counter(
    step: int = 1, *, save: str | None = SAVES, load: str | None = LOADS, refuses: bool = False
) -> bytes:
    """
    A counter of ``step`` for each one that is added.

    Args:
        step: Tells one version from another.
        save: What ``save`` does first; None for a guest without it.
        load: The same for ``load``.
        refuses: Whether ``load`` returns an error.
    """
    exports = ""
    if save is not None:
        exports += f"""
  (func $save (result (list u8)) (canon lift (core func $main "save") {OPTIONS}))
  (instance $saving (export "save" (func $save)))
  (export "golem:api/save-snapshot@1.1.7" (instance $saving))"""
    if load is not None:
        exports += f"""
  (func $load (param "bytes" (list u8)) (result (result (error string)))
    (canon lift (core func $main "load") {OPTIONS}))
  (instance $loading (export "load" (func $load)))
  (export "golem:api/load-snapshot@1.1.7" (instance $loading))"""
    return component(f"""(component {MEMORY}
  (core module $Main
    (import "memory" "memory" (memory 1))
    (data (i32.const 1024) "not mine")
    (global $count (mut i64) (i64.const 0))
    (func (export "add") (param i64) (result i64)
      (global.set $count (i64.add (global.get $count)
        (i64.mul (local.get 0) (i64.const {step})))) (global.get $count))
    (func (export "save") (result i32) {save or ""}
      (i32.store (i32.const 512) (i32.const 2048)) (i32.store (i32.const 516) (i32.const 8))
      (i32.const 512))
    (func (export "load") (param i32 i32) (result i32) {load or ""}
      (i32.store (i32.const 512) (i32.const {int(refuses)}))
      (i32.store (i32.const 516) (i32.const 1024)) (i32.store (i32.const 520) (i32.const 8))
      (i32.const 512)))
  (core instance $main (instantiate $Main (with "memory" (instance $memory))))
  (func $add (param "by" u64) (result u64) (canon lift (core func $main "add")))
  (export "add" (func $add)) {exports})""")
