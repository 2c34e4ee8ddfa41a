"""
The io, clocks, random and cli interfaces of WASI for guests in text form.

`wasi_guest` puts a core module and its exports behind imports of all of them, so that a test writes
down only what its guest does.  There every function goes by its name in `LOWERED`, such as
``(call $now)``.  Results that need space are written to where the last parameter says; lists come
to lie from 131072 on, behind everything else, and are never freed.
"""

from __future__ import annotations

from tests.support.components import MEMORY, OPTIONS, component

VERSION = "0.2.3"

_POLLABLE = '(alias outer 1 $pollable (type $p0)) (export "pollable" (type $p (eq $p0)))'
_OUTPUT = '(alias outer 1 $output (type $o0)) (export "output-stream" (type $o (eq $o0)))'
_INPUT = '(alias outer 1 $input (type $i0)) (export "input-stream" (type $i (eq $i0)))'


def _input(name: str, result: str) -> str:
    return f"""(export "[method]input-stream.{name}"
      (func (param "self" (borrow $i)) (param "len" u64) (result (result {result} (error $se)))))"""


def _output(name: str, params: str, result: str = "") -> str:
    return f"""(export "[method]output-stream.{name}"
      (func (param "self" (borrow $o)) {params} (result (result {result} (error $se)))))"""


_CONTENTS = '(param "contents" (list u8))'
_SIZE = '(param "len" u64)'
_SOURCE = '(param "src" (borrow $i)) (param "len" u64)'

_IMPORTS = f"""
  (import "wasi:io/error@{VERSION}" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error-type))
  (import "wasi:io/poll@{VERSION}" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))
    (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@{VERSION}" (instance $streams
    (alias outer 1 $error-type (type $e0)) (export "error" (type $e (eq $e0)))
    {_POLLABLE}
    (export "input-stream" (type $i (sub resource)))
    (export "output-stream" (type $o (sub resource)))
    (type $se0 (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $se (eq $se0)))
    {_input("read", "(list u8)")} {_input("blocking-read", "(list u8)")}
    {_input("skip", "u64")} {_input("blocking-skip", "u64")}
    (export "[method]input-stream.subscribe"
      (func (param "self" (borrow $i)) (result (own $p))))
    {_output("check-write", "", "u64")} {_output("write", _CONTENTS)}
    {_output("blocking-write-and-flush", _CONTENTS)}
    {_output("flush", "")} {_output("blocking-flush", "")}
    (export "[method]output-stream.subscribe"
      (func (param "self" (borrow $o)) (result (own $p))))
    {_output("write-zeroes", _SIZE)} {_output("blocking-write-zeroes-and-flush", _SIZE)}
    {_output("splice", _SOURCE, "u64")} {_output("blocking-splice", _SOURCE, "u64")}))
  (alias export $streams "input-stream" (type $input))
  (alias export $streams "output-stream" (type $output))
  (import "wasi:clocks/monotonic-clock@{VERSION}" (instance $monotonic {_POLLABLE}
    (export "now" (func (result u64)))
    (export "resolution" (func (result u64)))
    (export "subscribe-instant" (func (param "when" u64) (result (own $p))))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:clocks/wall-clock@{VERSION}" (instance $wall
    (type $d0 (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $d (eq $d0)))
    (export "now" (func (result $d)))
    (export "resolution" (func (result $d)))))
  (import "wasi:random/random@{VERSION}" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-random-u64" (func (result u64)))))
  (import "wasi:random/insecure@{VERSION}" (instance $insecure
    (export "get-insecure-random-bytes" (func (param "len" u64) (result (list u8))))
    (export "get-insecure-random-u64" (func (result u64)))))
  (import "wasi:random/insecure-seed@{VERSION}" (instance $seed
    (export "insecure-seed" (func (result (tuple u64 u64))))))
  (import "wasi:cli/environment@{VERSION}" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "initial-cwd" (func (result (option string))))))
  (import "wasi:cli/exit@{VERSION}" (instance $exit
    (export "exit" (func (param "status" (result))))))
  (import "wasi:cli/stdin@{VERSION}" (instance $stdin {_INPUT}
    (export "get-stdin" (func (result (own $i))))))
  (import "wasi:cli/stdout@{VERSION}" (instance $stdout {_OUTPUT}
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:cli/stderr@{VERSION}" (instance $stderr {_OUTPUT}
    (export "get-stderr" (func (result (own $o))))))
"""

LOWERED = {
    "ready": ("poll", "[method]pollable.ready"),
    "block": ("poll", "[method]pollable.block"),
    "poll": ("poll", "poll"),
    "read": ("streams", "[method]input-stream.read"),
    "blocking-read": ("streams", "[method]input-stream.blocking-read"),
    "skip": ("streams", "[method]input-stream.skip"),
    "blocking-skip": ("streams", "[method]input-stream.blocking-skip"),
    "subscribe-input": ("streams", "[method]input-stream.subscribe"),
    "check-write": ("streams", "[method]output-stream.check-write"),
    "write": ("streams", "[method]output-stream.write"),
    "blocking-write": ("streams", "[method]output-stream.blocking-write-and-flush"),
    "flush": ("streams", "[method]output-stream.flush"),
    "blocking-flush": ("streams", "[method]output-stream.blocking-flush"),
    "subscribe-output": ("streams", "[method]output-stream.subscribe"),
    "write-zeroes": ("streams", "[method]output-stream.write-zeroes"),
    "blocking-write-zeroes": (
        "streams",
        "[method]output-stream.blocking-write-zeroes-and-flush",
    ),
    "splice": ("streams", "[method]output-stream.splice"),
    "blocking-splice": ("streams", "[method]output-stream.blocking-splice"),
    "now": ("monotonic", "now"),
    "resolution": ("monotonic", "resolution"),
    "instant": ("monotonic", "subscribe-instant"),
    "duration": ("monotonic", "subscribe-duration"),
    "wall": ("wall", "now"),
    "wall-resolution": ("wall", "resolution"),
    "random-bytes": ("random", "get-random-bytes"),
    "random": ("random", "get-random-u64"),
    "insecure-bytes": ("insecure", "get-insecure-random-bytes"),
    "insecure": ("insecure", "get-insecure-random-u64"),
    "seed": ("seed", "insecure-seed"),
    "environment": ("environment", "get-environment"),
    "arguments": ("environment", "get-arguments"),
    "cwd": ("environment", "initial-cwd"),
    "exit": ("exit", "exit"),
    "stdin": ("stdin", "get-stdin"),
    "stdout": ("stdout", "get-stdout"),
    "stderr": ("stderr", "get-stderr"),
}
"""Name in the core module -> the instance and the function behind it."""

DROPPED = {"drop-pollable": "pollable", "drop-input": "input", "drop-output": "output"}
"""The same for what gives up a handle."""


_READS = ("i32", "i64", "i32")
_SIGNATURES = {
    "ready": ("i32", "->", "i32"),
    "block": ("i32",),
    "poll": ("i32", "i32", "i32"),
    **dict.fromkeys(("read", "blocking-read", "skip", "blocking-skip"), _READS),
    **dict.fromkeys(("write-zeroes", "blocking-write-zeroes"), _READS),
    **dict.fromkeys(("subscribe-input", "subscribe-output"), ("i32", "->", "i32")),
    **dict.fromkeys(("check-write", "flush", "blocking-flush"), ("i32", "i32")),
    **dict.fromkeys(("write", "blocking-write"), ("i32", "i32", "i32", "i32")),
    **dict.fromkeys(("splice", "blocking-splice"), ("i32", "i32", "i64", "i32")),
    **dict.fromkeys(("now", "resolution", "random", "insecure"), ("->", "i64")),
    **dict.fromkeys(("instant", "duration"), ("i64", "->", "i32")),
    **dict.fromkeys(("random-bytes", "insecure-bytes"), ("i64", "i32")),
    **dict.fromkeys(("wall", "wall-resolution", "seed"), ("i32",)),
    **dict.fromkeys(("environment", "arguments", "cwd"), ("i32",)),
    **dict.fromkeys(("stdin", "stdout", "stderr"), ("->", "i32")),
    **dict.fromkeys(("exit", *DROPPED), ("i32",)),
}


def _core_import(name: str) -> str:
    params, _, results = " ".join(_SIGNATURES[name]).partition("->")
    return f'(import "host" "{name}" (func ${name} (param {params}) (result {results})))'


def wasi_guest(main: str, exports: str, version: str = VERSION) -> bytes:
    """
    A component from the text of what stands in its core module and behind it.

    Args:
        main: Content of the core module, ``$main`` once it is instantiated, behind its imports.
        exports: Component-level text: lifted functions, instances, exports.
        version: Of everything that is imported.
    """
    lowers = [
        f'(core func $h-{name} (canon lower (func ${instance} "{function}") {OPTIONS}))'
        for name, (instance, function) in LOWERED.items()
    ]
    drops = [
        f"(core func $h-{name} (canon resource.drop ${type_name}))"
        for name, type_name in DROPPED.items()
    ]
    host = " ".join(f'(export "{name}" (func $h-{name}))' for name in [*LOWERED, *DROPPED])
    imports = " ".join(map(_core_import, [*LOWERED, *DROPPED]))
    wasi = _IMPORTS.replace(f"@{VERSION}", f"@{version}")
    return component(f"""(component {wasi} {MEMORY} {" ".join(lowers + drops)}
      (core module $Main (import "memory" "memory" (memory 3)) {imports} {main})
      (core instance $main (instantiate $Main
        (with "memory" (instance $memory)) (with "host" (instance {host}))))
      {exports})""")


def command(main: str) -> bytes:
    """A ``wasi:cli/run`` component; the core module exports ``run: func() -> i32``, 0 for ok."""
    return wasi_guest(
        main,
        f"""(func $run (result (result)) (canon lift (core func $main "run")))
        (instance $command (export "run" (func $run)))
        (export "wasi:cli/run@{VERSION}" (instance $command))""",
    )


CAT = r"""
  (func (export "run") (result i32) (local $in i32) (local $out i32)
    (local.set $in (call $stdin))
    (local.set $out (call $stdout))
    (loop $more
      (call $blocking-read (local.get $in) (i64.const 4) (i32.const 65536))
      (if (i32.eqz (i32.load8_u (i32.const 65536))) (then
        (call $blocking-write (local.get $out)
          (i32.load (i32.const 65540)) (i32.load (i32.const 65544)) (i32.const 66000))
        (br $more))))
    (i32.ne (i32.load8_u (i32.const 65540)) (i32.const 1)))
"""
"""Copies four bytes at a time, and is content with ``closed`` alone."""
