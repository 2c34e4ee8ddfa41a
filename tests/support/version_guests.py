"""
A guest in text form whose versions differ in one respect each, for tests of updates and forks.

Exports, all at the root:

==================================  =============================================================
``add(by: u64) -> u64``             the sum of all that was added, each ``step`` times
``draw(size: u64) -> u64``          asks for as many random bytes (and ``more``): the first eight
``nap(ns: u64) -> u64``             sleeps, adds 1, returns the sum
``wait() -> u64``                   makes a promise, waits for it, adds the size of its data
``race(ns: u64) -> u64``            reads the clock until so much has passed: a random number
``spin() -> u64``                   reads the clock, then computes for ever; or returns 7
``fail() -> u64``                   reads the clock, then traps; or returns 8
``gone() -> u64``                   returns 9
==================================  =============================================================
"""

from __future__ import annotations

from typing import Final

from tests.support.components import MEMORY, OPTIONS, component
from tests.support.snapshot_guests import LOADS, SAVES

FOR_EVER: Final = "(loop $again (br $again))"

_IMPORTS: Final = """
  (import "wasi:io/poll@0.2.3" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
    (alias outer 1 $pollable (type $p0)) (export "pollable" (type $p (eq $p0)))
    (export "now" (func (result u64)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:random/random@0.2.3" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "golem:api/host@1.1.7" (instance $golem
    (type $uuid0 (record (field "high-bits" u64) (field "low-bits" u64)))
    (export "uuid" (type $uuid (eq $uuid0)))
    (type $component0 (record (field "uuid" $uuid)))
    (export "component-id" (type $component (eq $component0)))
    (type $worker0 (record (field "component-id" $component) (field "worker-name" string)))
    (export "worker-id" (type $worker (eq $worker0)))
    (type $promise0 (record (field "worker-id" $worker) (field "oplog-idx" u64)))
    (export "promise-id" (type $promise (eq $promise0)))
    (export "create-promise" (func (result $promise)))
    (export "await-promise" (func (param "promise-id" $promise) (result (list u8))))))
"""

_LOWERED: Final = {
    "block": ("poll", "[method]pollable.block", "(param i32)"),
    "now": ("clock", "now", "(result i64)"),
    "duration": ("clock", "subscribe-duration", "(param i64) (result i32)"),
    "random-bytes": ("random", "get-random-bytes", "(param i64 i32)"),
    "random": ("random", "get-random-u64", "(result i64)"),
    "create-promise": ("golem", "create-promise", "(param i32)"),
    "await-promise": ("golem", "await-promise", "(param i64 i64 i32 i32 i64 i32)"),
}
_PARAMS: Final = {
    "add": '(param "by" u64)',
    "draw": '(param "size" u64)',
    "nap": '(param "ns" u64)',
    "race": '(param "ns" u64)',
    **dict.fromkeys(("wait", "spin", "fail", "gone"), ""),
}


def _main(step: int, more: int, add: str, nap: str, spin: str, fail: str) -> str:
    return f"""
  (global $count (mut i64) (i64.const 0))
  (func (export "add") (param i64) (result i64) {add}
    (global.set $count (i64.add (global.get $count)
      (i64.mul (local.get 0) (i64.const {step})))) (global.get $count))
  (func (export "draw") (param i64) (result i64)
    (call $random-bytes (i64.add (local.get 0) (i64.const {more})) (i32.const 65536))
    (i64.load (i32.load (i32.const 65536))))
  (func (export "nap") (param i64) (result i64) (local $timer i32)
    (local.set $timer (call $duration (local.get 0)))
    {nap}
    (global.set $count (i64.add (global.get $count) (i64.const {step}))) (global.get $count))
  (func (export "wait") (result i64)
    (call $create-promise (i32.const 1024))
    (call $await-promise (i64.load (i32.const 1024)) (i64.load (i32.const 1032))
      (i32.load (i32.const 1040)) (i32.load (i32.const 1044)) (i64.load (i32.const 1048))
      (i32.const 1056))
    (global.set $count (i64.add (global.get $count) (i64.mul (i64.const {step})
      (i64.extend_i32_u (i32.load (i32.const 1060)))))) (global.get $count))
  (func (export "race") (param i64) (result i64) (local $start i64)
    (local.set $start (call $now))
    (loop $again (br_if $again
      (i64.lt_u (i64.sub (call $now) (local.get $start)) (local.get 0))))
    (call $random))
  (func (export "spin") (result i64) (drop (call $now)) {spin} (i64.const 7))
  (func (export "fail") (result i64) (drop (call $now)) {fail} (i64.const 8))
  (func (export "gone") (result i64) (i64.const 9))
  (func (export "save") (result i32) {SAVES}
    (i32.store (i32.const 512) (i32.const 2048)) (i32.store (i32.const 516) (i32.const 8))
    (i32.const 512))
  (func (export "load") (param i32 i32) (result i32) {LOADS}
    (i32.store (i32.const 512) (i32.const 0)) (i32.const 512))
"""


def version(
    *,
    step: int = 1,
    more: int = 0,
    add: str = "",
    nap: str = "(call $block (local.get $timer))",
    spin: str = FOR_EVER,
    fail: str = "unreachable",
    without: str = "",
) -> bytes:
    """
    The guest that the module's docstring describes, in binary form.

    Args:
        step: What each one that is added counts for.
        more: So many bytes more are drawn than were asked for.
        add: What ``add`` does first.
        nap: What ``nap`` does between making its timer and counting.
        spin: What ``spin`` does; empty for one that returns.
        fail: What ``fail`` does; empty for one that returns.
        without: An export that this version does not have.
    """
    lowers = " ".join(
        f'(core func $h-{name} (canon lower (func ${instance} "{function}") {OPTIONS}))'
        for name, (instance, function, _) in _LOWERED.items()
    )
    imports = " ".join(
        f'(import "host" "{name}" (func ${name} {core}))' for name, (_, _, core) in _LOWERED.items()
    )
    host = " ".join(f'(export "{name}" (func $h-{name}))' for name in _LOWERED)
    exports = " ".join(
        f'(func ${name} {params} (result u64) (canon lift (core func $main "{name}")))'
        f'(export "{name}" (func ${name}))'
        for name, params in _PARAMS.items()
        if name != without
    )
    return component(f"""(component {_IMPORTS} {MEMORY} {lowers}
  (core module $Main (import "memory" "memory" (memory 3)) {imports}
    {_main(step, more, add, nap, spin, fail)})
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory)) (with "host" (instance {host}))))
  {exports}
  (func $save (result (list u8)) (canon lift (core func $main "save") {OPTIONS}))
  (instance $saving (export "save" (func $save)))
  (export "golem:api/save-snapshot@1.1.7" (instance $saving))
  (func $load (param "bytes" (list u8)) (result (result (error string)))
    (canon lift (core func $main "load") {OPTIONS}))
  (instance $loading (export "load" (func $load)))
  (export "golem:api/load-snapshot@1.1.7" (instance $loading)))""")
