"""
The guest that `tests/crash/test_processes.py` kills, in text form.

Exports ``test:crash/api@1.0.0``:

``work(steps: u32) -> tuple<u64, u64, u64>``
    Counts its calls, and draws 12,000 random bytes, so that the log outgrows its first segment.
    Per step it reads the clock, draws a random number, writes
    ``call 03 step 002`` to stdout, waits a millisecond and writes ``call 03 woke 002`` to stderr.
    Every fourth step waits 12 ms in a poll of two.  Returns the sum of all steps ever made, the
    numbers drawn (combined by xor) and the last time seen.
``fail()``
    Writes to stderr and traps.
``leave()``
    Writes to stdout and exits with code 1.
"""

from __future__ import annotations

from tests.support.wasi_text import wasi_guest

_MAIN = r"""
  (data (i32.const 1024) "call 00 step 000\n")
  (data (i32.const 1056) "call 00 woke 000\n")
  (data (i32.const 1088) "on the way down\n")
  (data (i32.const 1120) "good bye\n")
  (global $calls (mut i32) (i32.const 0))
  (global $sum (mut i64) (i64.const 0))
  (func $digit (param $at i32) (param $value i32)
    (i32.store8 (local.get $at)
      (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10)))))
  (func $say (param $text i32) (param $step i32) (param $stream i32)
    (call $digit (i32.add (local.get $text) (i32.const 5))
      (i32.div_u (global.get $calls) (i32.const 10)))
    (call $digit (i32.add (local.get $text) (i32.const 6)) (global.get $calls))
    (call $digit (i32.add (local.get $text) (i32.const 13))
      (i32.div_u (local.get $step) (i32.const 100)))
    (call $digit (i32.add (local.get $text) (i32.const 14))
      (i32.div_u (local.get $step) (i32.const 10)))
    (call $digit (i32.add (local.get $text) (i32.const 15)) (local.get $step))
    (call $blocking-write (local.get $stream) (local.get $text) (i32.const 17)
      (i32.const 65536)))
  (func $nap (local $timer i32)
    (local.set $timer (call $duration (i64.const 1000000)))
    (call $block (local.get $timer))
    (call $drop-pollable (local.get $timer)))
  (func $doze (local $short i32) (local $long i32)
    (local.set $short (call $duration (i64.const 12000000)))
    (local.set $long (call $duration (i64.const 60000000000)))
    (i32.store (i32.const 2080) (local.get $long))
    (i32.store (i32.const 2084) (local.get $short))
    (call $poll (i32.const 2080) (i32.const 2) (i32.const 65536))
    (call $drop-pollable (local.get $short))
    (call $drop-pollable (local.get $long)))
  (func (export "work") (param $steps i32) (result i32)
    (local $step i32) (local $drawn i64) (local $seen i64) (local $out i32) (local $err i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (local.set $out (call $stdout))
    (local.set $err (call $stderr))
    (call $random-bytes (i64.const 12000) (i32.const 65536))
    (local.set $drawn (i64.load (i32.load (i32.const 65536))))
    (block $end (loop $again
      (br_if $end (i32.ge_u (local.get $step) (local.get $steps)))
      (local.set $step (i32.add (local.get $step) (i32.const 1)))
      (global.set $sum (i64.add (global.get $sum) (i64.extend_i32_u (local.get $step))))
      (local.set $seen (call $now))
      (local.set $drawn (i64.xor (local.get $drawn) (call $random)))
      (call $say (i32.const 1024) (local.get $step) (local.get $out))
      (if (i32.and (local.get $step) (i32.const 3)) (then (call $nap)) (else (call $doze)))
      (call $say (i32.const 1056) (local.get $step) (local.get $err))
      (br $again)))
    (call $drop-output (local.get $out))
    (call $drop-output (local.get $err))
    (i64.store (i32.const 2048) (global.get $sum))
    (i64.store (i32.const 2056) (local.get $drawn))
    (i64.store (i32.const 2064) (local.get $seen))
    (i32.const 2048))
  (func (export "fail")
    (drop (call $random))
    (call $blocking-write (call $stderr) (i32.const 1088) (i32.const 16) (i32.const 65536))
    unreachable)
  (func (export "leave")
    (drop (call $random))
    (call $blocking-write (call $stdout) (i32.const 1120) (i32.const 9) (i32.const 65536))
    (call $exit (i32.const 1)))
"""

_EXPORTS = """
  (func $work (param "steps" u32) (result (tuple u64 u64 u64))
    (canon lift (core func $main "work") (memory (core memory $memory "memory"))))
  (func $fail (canon lift (core func $main "fail")))
  (func $leave (canon lift (core func $main "leave")))
  (instance $api
    (export "work" (func $work)) (export "fail" (func $fail)) (export "leave" (func $leave)))
  (export "test:crash/api@1.0.0" (instance $api))
"""


def crash_guest() -> bytes:
    """The guest that the module's docstring describes, in binary form."""
    return wasi_guest(_MAIN, _EXPORTS)
