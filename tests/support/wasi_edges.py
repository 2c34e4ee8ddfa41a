"""
Commands in text form at the edges of io, clocks, random and cli, for `test_wasi_oracle.py`.

Each entry of `EDGES` is the body of a ``run`` that prints one number per line; it may use the locals
``$a`` to ``$d``, the functions of `tests.support.wasi_text`, and what `_HELPERS` adds:

``(call $show (i64))``       prints a number
``(call $list-result)``      after a call that gave ``result<list<u8>, stream-error>``: prints 0 and the
                             length, or 1 and the case of the error
``(call $number-result)``    the same for ``result<u64, stream-error>``
``(call $empty-result)``     the same for ``result<_, stream-error>``, with 0 for the value
``(call $list (i32) ...)``   puts handles into memory for `poll`; ``(call $polled)`` prints its result
"""

from __future__ import annotations

from functools import cache
from typing import Final

from tests.support.wasi_text import command

_HELPERS = r"""
  (func $show (param $value i64) (local $at i32)
    (local.set $at (i32.const 2047))
    (i32.store8 (local.get $at) (i32.const 10))
    (loop $more
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
      (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
      (br_if $more (i64.ne (local.get $value) (i64.const 0))))
    (call $blocking-write (call $stdout) (local.get $at)
      (i32.sub (i32.const 2048) (local.get $at)) (i32.const 66000)))
  (func $failed (result i32)
    (call $show (i64.load8_u (i32.const 65536))) (i32.load8_u (i32.const 65536)))
  (func $list-result
    (if (call $failed)
      (then (call $show (i64.load8_u (i32.const 65540))))
      (else (call $show (i64.load32_u (i32.const 65544))))))
  (func $number-result
    (if (call $failed)
      (then (call $show (i64.load8_u (i32.const 65544))))
      (else (call $show (i64.load (i32.const 65544))))))
  (func $empty-result
    (if (call $failed)
      (then (call $show (i64.load8_u (i32.const 65540))))
      (else (call $show (i64.const 0)))))
  (global $listed (mut i32) (i32.const 0))
  (func $list (param i32)
    (i32.store offset=4096 (i32.mul (global.get $listed) (i32.const 4)) (local.get 0))
    (global.set $listed (i32.add (global.get $listed) (i32.const 1))))
  (func $polled (local $at i32) (local $end i32)
    (call $poll (i32.const 4096) (global.get $listed) (i32.const 65536))
    (local.set $at (i32.load (i32.const 65536)))
    (local.set $end (i32.add (local.get $at)
      (i32.mul (i32.load (i32.const 65540)) (i32.const 4))))
    (loop $more
      (call $show (i64.load32_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $more (i32.lt_u (local.get $at) (local.get $end)))))
  (func $at-least (param $bytes i32)
    (drop (memory.grow
      (i32.add (i32.const 1) (i32.div_u (local.get $bytes) (i32.const 65536))))))
  (data (i32.const 1024) "text that is written")
"""

_AT = "(i32.const 65536)"
_TEXT = "(i32.const 1024) (i32.const 20)"
_OUT = "(local.set $a (call $stdout))"
_IN = "(local.set $b (call $stdin))"
_PERMITTED = f"(call $check-write (local.get $a) {_AT})"
_WRITE = f"(call $write (local.get $a) {_TEXT} {_AT}) (call $empty-result)"
_FAR = "(call $duration (i64.const 60000000000))"
_PAST = "(call $instant (i64.const 0))"
_SOON = "(call $duration (i64.const 3000000))"
_LATER = "(call $duration (i64.const 300000000))"
"""For what must come before it, also on a machine with more to do."""
_DIFFER = "(call $show (i64.extend_i32_u (i64.ne {0} {0})))"


def _write_permitted(more: int) -> str:
    """Write as much as `check-write` permits, and so many bytes beyond."""
    return f"""{_OUT} {_PERMITTED}
      (local.set $c (i32.add (i32.load (i32.const 65544)) (i32.const {more})))
      (call $at-least (local.get $c))
      (call $write-zeroes (local.get $a) (i64.extend_i32_u (local.get $c)) {_AT})
      (call $empty-result)"""


def _read(name: str, size: int, result: str) -> str:
    # Before that, wasmtime may not have noticed yet that there is nothing.
    return f"""{_IN} (call $block (call $subscribe-input (local.get $b)))
      (call ${name} (local.get $b) (i64.const {size}) {_AT}) (call ${result})
      (call ${name} (local.get $b) (i64.const {size}) {_AT}) (call ${result})"""


def _blocking_write(size: int) -> str:
    return f"""{_OUT} (call $at-least (i32.const {size}))
      (call $blocking-write (local.get $a) (i32.const 0) (i32.const {size}) {_AT})
      (call $empty-result)"""


def _blocking_zeroes(size: int) -> str:
    return f"""{_OUT} (call $blocking-write-zeroes (local.get $a) (i64.const {size}) {_AT})
      (call $empty-result)"""


def _splice(name: str, size: int) -> str:
    return f"""{_OUT} {_IN} {_PERMITTED} (call $block (call $subscribe-input (local.get $b)))
      (call ${name} (local.get $a) (local.get $b) (i64.const {size}) {_AT}) (call $number-result)"""


EDGES: Final = {
    "nothing": "",
    "returns err": "(return (i32.const 1))",
    "exits with ok": f"{_OUT} {_WRITE} (call $exit (i32.const 0)) unreachable",
    "exits with err": f"{_OUT} {_WRITE} (call $exit (i32.const 1)) unreachable",
    "traps after a write": f"{_OUT} {_WRITE} unreachable",
    "loads beyond its memory": "(drop (i32.load (i32.const -1)))",
    "writes": f"{_OUT} {_PERMITTED} {_WRITE} (call $flush (local.get $a) {_AT}) (call $empty-result)",
    "writes and ends without a flush": f"{_OUT} {_PERMITTED} {_WRITE}",
    "writes nothing": f"""{_OUT} {_PERMITTED}
      (call $write (local.get $a) (i32.const 0) (i32.const 0) {_AT}) (call $empty-result)""",
    "writes one byte more than is permitted": _write_permitted(1),
    "writes to both outputs": f"""{_OUT} {_PERMITTED} {_WRITE} (call $flush (local.get $a) {_AT})
      (local.set $a (call $stderr)) {_PERMITTED} {_WRITE} (call $blocking-flush (local.get $a) {_AT})
      (call $empty-result)""",
    "writes by two handles": f"""{_OUT} (local.set $b (local.get $a)) {_OUT} {_PERMITTED} {_WRITE}
      (call $blocking-flush (local.get $a) {_AT}) (call $drop-output (local.get $a))
      (local.set $a (local.get $b)) {_PERMITTED} {_WRITE}
      (call $blocking-flush (local.get $a) {_AT})""",
    "blocking write of 4,096": _blocking_write(4096),
    "blocking write of nothing": _blocking_write(0),
    "blocking zeroes of 4,096": _blocking_zeroes(4096),
    "zeroes": f"""{_OUT} {_PERMITTED} (call $write-zeroes (local.get $a) (i64.const 7) {_AT})
      (call $empty-result) (call $blocking-flush (local.get $a) {_AT})""",
    "an output is ready": f"""{_OUT} (local.set $b (call $subscribe-output (local.get $a)))
      (call $block (local.get $b)) (call $show (i64.extend_i32_u (call $ready (local.get $b))))""",
    **{
        f"{name} of {size} from the empty input": _read(name, size, result)
        for name, result in (
            ("read", "list-result"),
            ("blocking-read", "list-result"),
            ("skip", "number-result"),
            ("blocking-skip", "number-result"),
        )
        for size in (1, 65_537)
    },
    "an input that has ended is ready": f"""{_IN}
      (local.set $c (call $subscribe-input (local.get $b)))
      (call $block (local.get $c)) (call $show (i64.extend_i32_u (call $ready (local.get $c))))""",
    "splice from the empty input": _splice("splice", 100),
    "blocking splice from the empty input": _splice("blocking-splice", 100),
    "poll of nothing": f"(call $poll (i32.const 0) (i32.const 0) {_AT})",
    "poll of one that is past": f"(call $list {_PAST}) (call $polled)",
    "poll of several": f"""(call $list {_FAR}) (call $list {_PAST}) (call $list {_FAR})
      (call $list {_PAST}) (call $polled)""",
    "poll of a near and a far timer": f"(call $list {_FAR}) (call $list {_SOON}) (call $polled)",
    "poll of the same one twice": f"""(local.set $a {_SOON}) (call $list (local.get $a))
      (call $list (local.get $a)) (call $polled)""",
    "poll twice": f"""(call $list {_FAR}) (call $list {_PAST}) (call $polled) (call $polled)""",
    "a timer before and after": f"""(local.set $a {_LATER})
      (call $show (i64.extend_i32_u (call $ready (local.get $a))))
      (call $block (local.get $a))
      (call $show (i64.extend_i32_u (call $ready (local.get $a))))
      (call $block (local.get $a))""",
    "a far timer is not ready": f"(call $show (i64.extend_i32_u (call $ready {_FAR})))",
    "the last instant is not ready": """(call $show
      (i64.extend_i32_u (call $ready (call $instant (i64.const -1)))))""",
    "the longest duration is not ready": """(call $show
      (i64.extend_i32_u (call $ready (call $duration (i64.const -1)))))""",
    "an instant ahead": """(call $block
        (call $instant (i64.add (call $now) (i64.const 5000000))))""",
    "instants do not go back": """(local.set $d (call $now)) (local.set $c (i32.const 1000))
      (loop $more
        (if (i64.lt_u (call $now) (local.get $d)) (then unreachable))
        (local.set $d (call $now))
        (br_if $more (local.tee $c (i32.sub (local.get $c) (i32.const 1)))))""",
    "resolutions": f"""(call $show (i64.extend_i32_u (i64.gt_u (call $resolution) (i64.const 0))))
      (call $wall-resolution {_AT}) (call $show (i64.load {_AT}))
      (call $show (i64.extend_i32_u (i32.gt_u (i32.load (i32.const 65544)) (i32.const 0))))""",
    "the time of day": f"""(call $wall {_AT})
      (call $show (i64.extend_i32_u (i64.gt_u (i64.load {_AT}) (i64.const 1700000000))))
      (call $show (i64.extend_i32_u
        (i32.lt_u (i32.load (i32.const 65544)) (i32.const 1000000000))))""",
    **{
        f"{size} {name}": f"""(call ${name} (i64.const {size}) {_AT})
          (call $show (i64.load32_u (i32.const 65540)))"""
        for name in ("random-bytes", "insecure-bytes")
        for size in (0, 1, 65_537)
    },
    "random numbers differ": _DIFFER.format("(call $random)"),
    "insecure numbers differ": _DIFFER.format("(call $insecure)"),
    "arguments": f"""(call $arguments {_AT}) (call $show (i64.load32_u (i32.const 65540)))
      (call $blocking-write (call $stdout) (i32.load offset=8 (i32.load {_AT}))
        (i32.load offset=12 (i32.load {_AT})) {_AT})""",
    "handles are given out again": f"""(local.set $c (i32.const 20000))
      (loop $more
        (call $drop-pollable {_PAST}) (call $drop-output (call $stdout))
        (br_if $more (local.tee $c (i32.sub (local.get $c) (i32.const 1)))))""",
    "a pollable outlives no stream": f"""{_OUT}
      (local.set $b (call $subscribe-output (local.get $a)))
      (call $drop-pollable (local.get $b)) (call $drop-output (local.get $a))""",
    "a handle dropped twice": f"{_OUT} (call $drop-output (local.get $a)) "
    "(call $drop-output (local.get $a))",
    "a handle used after its drop": f"{_OUT} (call $drop-output (local.get $a)) {_PERMITTED}",
    "a handle that never was": "(call $block (i32.const 77))",
    "a handle of another kind": f"{_OUT} (call $block (local.get $a))",
}
"""What both hosts do alike."""

APART: Final = {
    "a stream dropped before its pollable": f"""{_OUT}
      (local.set $b (call $subscribe-output (local.get $a)))
      (call $drop-output (local.get $a)) (call $drop-pollable (local.get $b))""",
    "blocking write of 4,097": _blocking_write(4097),
    "blocking zeroes of 4,097": _blocking_zeroes(4097),
}
"""What WASI lets a host refuse, and only wasmtime's does."""


@cache
def edge(body: str) -> bytes:
    """The command with this body."""
    return command(f"""{_HELPERS}
      (func (export "run") (result i32)
        (local $a i32) (local $b i32) (local $c i32) (local $d i64)
        {body} (i32.const 0))""")
