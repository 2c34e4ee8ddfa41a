"""
A guest that misbehaves in every way it can, in text form.

Exports ``test:hostile/api@1.0.0``:

==================================  =============================================================
``add(by: u64) -> u64``             behaves: the sum of all that was added
``spin()``                          writes a byte, then computes for ever
``watch()``                         writes a byte, then calls the clock for ever
``pour-for-ever()``                 writes for ever
``deep()``                          calls itself for ever
``grow(pages: u32) -> s32``         the former size of its memory in pages, or -1
``hoard(count: u32)``               makes as many pollables and keeps them
``huge(size: u32)``                 writes as many bytes in one call
``hoard-text()``                    asks for 70,000 random bytes for ever
``pour(count: u32)``                writes 64 KiB as many times
``draw(size: u64)``                 asks for as many random bytes
``fail()``                          writes to stderr and traps
``leave()``                         exits
``poll-nothing()``                  polls an empty list, which WASI forbids
``doze()``                            waits for as long as a u64 of nanoseconds can say
``forge()``                         uses a handle that it was never given
==================================  =============================================================
"""

from __future__ import annotations

from functools import cache
from typing import Final

from tests.support.components import component
from tests.support.wasi_text import wasi_guest

_AT = "(i32.const 65536)"

_MAIN = f"""
  (data (i32.const 1024) "about to fail\\n")
  (global $sum (mut i64) (i64.const 0))
  (func $write-all (param $size i32) (local $out i32)
    (local.set $out (call $stdout))
    (call $blocking-write (local.get $out) (i32.const 0) (local.get $size) {_AT})
    (call $drop-output (local.get $out)))
  (func (export "add") (param i64) (result i64)
    (global.set $sum (i64.add (global.get $sum) (local.get 0))) (global.get $sum))
  (func (export "spin") (call $write-all (i32.const 1)) (loop $again (br $again)))
  (func (export "watch") (call $write-all (i32.const 1)) (loop $again (drop (call $now)) (br $again)))
  (func (export "pour-for-ever") (loop $again (call $write-all (i32.const 1024)) (br $again)))
  (func $deep (export "deep") (call $deep) (drop (call $now)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "hoard") (param $count i32)
    (loop $again
      (drop (call $instant (i64.const 0)))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "huge") (param $size i32)
    (drop (memory.grow (i32.div_u (local.get $size) (i32.const 65536))))
    (call $write-all (local.get $size)))
  (func (export "pour") (param $count i32)
    (loop $again
      (call $write-all (i32.const 65536))
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
  (func (export "hoard-text")
    (loop $again (call $random-bytes (i64.const 70000) (i32.const 65536)) (br $again)))
  (func (export "draw") (param i64) (call $random-bytes (local.get 0) {_AT}))
  (func (export "fail")
    (call $blocking-write (call $stderr) (i32.const 1024) (i32.const 14) {_AT})
    unreachable)
  (func (export "leave") (call $exit (i32.const 1)))
  (func (export "poll-nothing") (call $poll (i32.const 0) (i32.const 0) {_AT}))
  (func (export "doze") (call $block (call $duration (i64.const -1))))
  (func (export "forge") (call $block (i32.const 7)))
"""

_SIGNATURES: Final = {
    "add": '(param "by" u64) (result u64)',
    "grow": '(param "pages" u32) (result s32)',
    "hoard": '(param "count" u32)',
    "huge": '(param "size" u32)',
    "pour": '(param "count" u32)',
    "draw": '(param "size" u64)',
    **dict.fromkeys(("spin", "watch", "pour-for-ever", "hoard-text", "deep"), ""),
    **dict.fromkeys(("fail", "leave", "poll-nothing", "doze", "forge"), ""),
}


@cache
def hostile_guest() -> bytes:
    """The guest that the module's docstring describes, in binary form."""
    functions = " ".join(
        f'(func ${name} {signature} (canon lift (core func $main "{name}")))'
        for name, signature in _SIGNATURES.items()
    )
    exports = " ".join(f'(export "{name}" (func ${name}))' for name in _SIGNATURES)
    return wasi_guest(
        _MAIN,
        f'{functions} (instance $api {exports}) (export "test:hostile/api@1.0.0" (instance $api))',
    )


def starting_with(body: str) -> bytes:
    """A guest whose start function does this, before any of its exports can be called."""
    return wasi_guest(
        f"""(func $begin {body}) (start $begin)
        (func (export "add") (param i64) (result i64) (local.get 0))""",
        """(func $add (param "by" u64) (result u64) (canon lift (core func $main "add")))
        (export "add" (func $add))""",
    )


def large(pages: int) -> bytes:
    """A guest that begins with so many pages of memory."""
    return component(
        f"(component (core module $M (memory {pages})) (core instance (instantiate $M)))"
    )
