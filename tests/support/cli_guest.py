"""
A guest that does a little of everything that a command line can show, in text form.

Exports ``test:cli/api@1.0.0``, a counter among other things:

========================================  ==========================================================
``add(by: u64) -> u64``                   the sum of all that was ever added
``check(n: u32) -> result<u32, string>``  ``ok`` up to 100, then ``err("too much")``
``hello()``                               writes ``hello`` to stdout, without a line end
``nap(ms: u64) -> u64``                   writes ``napping``, sleeps, writes ``awake``
``spin()``                                writes ``spinning`` and never ends
``fail()``                                writes ``oops`` to stderr and traps
``leave(code: u8)``                       exits
========================================  ==========================================================

and ``wasi:cli/run``, which goes by the number of its arguments: 0 ok; 1 writes the argument, ok;
2 err; 3 exits with code 7; 4 ``nap(2000)``, ok; 5 traps.
"""

from __future__ import annotations

from tests.support.components import MEMORY, OPTIONS, component

_WASI = """
  (import "wasi:io/error@0.2.3" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-t))
  (import "wasi:io/poll@0.2.3" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.3" (instance $streams
    (alias outer 1 $error-t (type $e0))
    (export "error" (type $e (eq $e0)))
    (export "output-stream" (type $o (sub resource)))
    (type $se0 (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $se (eq $se0)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $o)) (param "contents" (list u8))
        (result (result (error $se)))))))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:cli/stdout@0.2.3" (instance $stdout
    (alias outer 1 $output (type $o0))
    (export "output-stream" (type $o (eq $o0)))
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:cli/stderr@0.2.3" (instance $stderr
    (alias outer 1 $output (type $o0))
    (export "output-stream" (type $o (eq $o0)))
    (export "get-stderr" (func (result (own $o))))))
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
    (alias outer 1 $pollable (type $p0))
    (export "pollable" (type $p (eq $p0)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:cli/environment@0.2.3" (instance $environment
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:cli/exit@0.2.3" (instance $exit
    (export "exit-with-code" (func (param "status-code" u8)))))
"""

_LOWERED = f"""
  (core func $out (canon lower (func $stdout "get-stdout")))
  (core func $err (canon lower (func $stderr "get-stderr")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") {OPTIONS}))
  (core func $timer (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $args (canon lower (func $environment "get-arguments") {OPTIONS}))
  (core func $exit (canon lower (func $exit "exit-with-code")))
"""

_MAIN = r"""
  (core module $Main
    (import "memory" "memory" (memory 3))
    (import "host" "out" (func $out (result i32)))
    (import "host" "err" (func $err (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "timer" (func $timer (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "args" (func $args (param i32)))
    (import "host" "exit" (func $exit (param i32)))
    (data (i32.const 1024) "hello")
    (data (i32.const 1040) "napping\n")
    (data (i32.const 1056) "awake\n")
    (data (i32.const 1072) "spinning\n")
    (data (i32.const 1088) "oops\n")
    (data (i32.const 1104) "too much")
    (global $sum (mut i64) (i64.const 0))
    (func $say (param i32 i32)
      (call $write (call $out) (local.get 0) (local.get 1) (i32.const 65536)))
    (func (export "add") (param i64) (result i64)
      (global.set $sum (i64.add (global.get $sum) (local.get 0))) (global.get $sum))
    (func (export "check") (param i32) (result i32)
      (if (i32.gt_u (local.get 0) (i32.const 100))
        (then
          (i32.store (i32.const 2048) (i32.const 1))
          (i32.store (i32.const 2052) (i32.const 1104))
          (i32.store (i32.const 2056) (i32.const 8)))
        (else
          (i32.store (i32.const 2048) (i32.const 0))
          (i32.store (i32.const 2052) (local.get 0))))
      (i32.const 2048))
    (func (export "hello") (call $say (i32.const 1024) (i32.const 5)))
    (func $nap (export "nap") (param i64) (result i64)
      (call $say (i32.const 1040) (i32.const 8))
      (call $block (call $timer (i64.mul (local.get 0) (i64.const 1000000))))
      (call $say (i32.const 1056) (i32.const 6))
      (local.get 0))
    (func (export "spin")
      (call $say (i32.const 1072) (i32.const 9))
      (loop $again (br $again)))
    (func $fail (export "fail")
      (call $write (call $err) (i32.const 1088) (i32.const 5) (i32.const 65536))
      unreachable)
    (func (export "leave") (param i32) (call $exit (local.get 0)))
    (func (export "run") (result i32) (local $count i32) (local $first i32)
      (call $args (i32.const 65536))
      (local.set $count (i32.load (i32.const 65540)))
      (local.set $first (i32.load (i32.const 65536)))
      (if (i32.eq (local.get $count) (i32.const 1)) (then
        (call $say (i32.load (local.get $first)) (i32.load offset=4 (local.get $first)))))
      (if (i32.eq (local.get $count) (i32.const 2)) (then (return (i32.const 1))))
      (if (i32.eq (local.get $count) (i32.const 3)) (then (call $exit (i32.const 7))))
      (if (i32.eq (local.get $count) (i32.const 4)) (then (drop (call $nap (i64.const 2000)))))
      (if (i32.eq (local.get $count) (i32.const 5)) (then (call $fail)))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "host" (instance
      (export "out" (func $out)) (export "err" (func $err)) (export "write" (func $write))
      (export "timer" (func $timer)) (export "block" (func $block))
      (export "args" (func $args)) (export "exit" (func $exit))))))
"""

_EXPORTS = f"""
  (func $add (param "by" u64) (result u64) (canon lift (core func $main "add")))
  (func $check (param "n" u32) (result (result u32 (error string)))
    (canon lift (core func $main "check") {OPTIONS}))
  (func $hello (canon lift (core func $main "hello")))
  (func $nap (param "ms" u64) (result u64) (canon lift (core func $main "nap")))
  (func $spin (canon lift (core func $main "spin")))
  (func $fail (canon lift (core func $main "fail")))
  (func $leave (param "code" u8) (canon lift (core func $main "leave")))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $api
    (export "add" (func $add)) (export "check" (func $check)) (export "hello" (func $hello))
    (export "nap" (func $nap)) (export "spin" (func $spin)) (export "fail" (func $fail))
    (export "leave" (func $leave)))
  (export "test:cli/api@1.0.0" (instance $api))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.3" (instance $command))
"""


def cli_guest() -> bytes:
    """The guest that the module's docstring describes, in binary form."""
    return component(f"(component {_WASI} {MEMORY} {_LOWERED} {_MAIN} {_EXPORTS})")
