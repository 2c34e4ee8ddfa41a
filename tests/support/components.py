"""
Components in text form, for tests that need a real guest and no toolchain.

`echo_component` makes a guest for any list of types: each export hands its argument to a host
function and returns what comes back, so a value travels every path of the boundary.  The others are
small fixed guests, each named for what it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import zip_longest

import wasmtime

from golem_oplog.types import (
    EnumType,
    FlagsType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)

FLAT_PARAMS_MAX = 16
"""More core values than this are passed in memory."""

ECHO_INTERFACE = "test:echo/host"

_NOMINAL = RecordType | VariantType | EnumType | FlagsType
_CORE = {Prim.S64: "i64", Prim.U64: "i64", Prim.F32: "f32", Prim.F64: "f64"}

MEMORY = """
  (core module $Memory
    (memory (export "memory") 3)
    (global $next (mut i32) (i32.const 131072))
    (func (export "mark") (result i32) (global.get $next))
    (func (export "reset") (param i32) (global.set $next (local.get 0)))
    (func (export "free") (param i32) (global.set $next (i32.const 131072)))
    (func (export "free-all") (global.set $next (i32.const 131072)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $start i32) (local $short i32)
      (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $start) (local.get 3)))
      (local.set $short (i32.sub (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.gt_s (local.get $short) (i32.const 0)) (then
        (if (i32.eq (i32.const -1) (memory.grow
            (i32.add (i32.const 1) (i32.div_u (local.get $short) (i32.const 65536)))))
          (then unreachable))))
      (local.get $start)))
  (core instance $memory (instantiate $Memory))
"""
"""A memory that never frees but at once: results of host functions lie at 65536, lists behind."""

OPTIONS = '(memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))'


@cache
def component(text: str) -> bytes:
    """The binary form of a component in text form."""
    return bytes(wasmtime.wat2wasm(text))


def flat(ty: WitType | None) -> list[str]:
    """
    The core values that a type takes when it is passed as a parameter.

    Source: ``CanonicalABI.md`` of the component model, "Flattening".
    """
    match ty:
        case None:
            return []
        case Prim.STRING | ListType():
            return ["i32", "i32"]
        case Prim():
            return [_CORE.get(ty, "i32")]
        case RecordType(fields):
            return [core for _, field in fields for core in flat(field)]
        case TupleType(elements):
            return [core for element in elements for core in flat(element)]
        case OptionType(payload):
            return ["i32", *flat(payload)]
        case ResultType(ok, err):
            return ["i32", *_joined([flat(ok), flat(err)])]
        case VariantType(cases):
            return ["i32", *_joined([flat(payload) for _, payload in cases])]
        case EnumType() | FlagsType() | HandleType():
            return ["i32"]


def _joined(cases: Sequence[Sequence[str]]) -> list[str]:
    columns = [{core for core in column if core} for column in zip_longest(*cases)]
    joined = {frozenset(["i32"]): "i32", frozenset(["f32"]): "f32", frozenset(["f64"]): "f64"}
    joined[frozenset(["i32", "f32"])] = "i32"
    return [joined.get(frozenset(column), "i64") for column in columns]


class TypeNames:
    """Text of types, where every nominal one is defined under a name of its own."""

    def __init__(self) -> None:
        self._names: dict[WitType, str] = {}
        self.definitions: list[str] = []

    def text(self, ty: WitType | None, prefix: str) -> str:
        """The type as it is written inside (``$in-``) or outside (``$out-``) of the interface."""
        match ty:
            case Prim():
                return ty.value
            case ListType(element):
                return f"(list {self.text(element, prefix)})"
            case TupleType(elements):
                return f"(tuple {' '.join(self.text(e, prefix) for e in elements)})"
            case OptionType(payload):
                return f"(option {self.text(payload, prefix)})"
            case ResultType(ok, err):
                first = f" {self.text(ok, prefix)}" if ok else ""
                second = f" (error {self.text(err, prefix)})" if err else ""
                return f"(result{first}{second})"
            case RecordType() | VariantType() | EnumType() | FlagsType():
                return prefix + (self._names.get(ty) or self._define(ty))
            case _:
                message = f"{ty} needs a guest of its own"
                raise ValueError(message)

    def aliases(self) -> Iterator[str]:
        return (f'(alias export $host "{n}" (type $out-{n}))' for n in self._names.values())

    def _define(self, ty: _NOMINAL) -> str:
        text = self._structure(ty)
        name = self._names[ty] = f"t{len(self._names)}"
        self.definitions.append(
            f'(type $def-{name} {text}) (export "{name}" (type $in-{name} (eq $def-{name})))'
        )
        return name

    def _structure(self, ty: _NOMINAL) -> str:
        match ty:
            case RecordType(fields):
                rows = [f'(field "{n}" {self.text(t, "$in-")})' for n, t in fields]
                return f"(record {' '.join(rows)})"
            case VariantType(cases):
                rows = [f'(case "{n}"{" " + self.text(t, "$in-") if t else ""})' for n, t in cases]
                return f"(variant {' '.join(rows)})"
            case EnumType(names):
                return f"(enum {_quoted(names)})"
            case FlagsType(names):
                return f"(flags {_quoted(names)})"


def _quoted(names: Sequence[str]) -> str:
    return " ".join(f'"{name}"' for name in names)


@cache
def echo_component(types: tuple[WitType, ...]) -> bytes:
    """
    A guest with, for the n-th type T, the exports ``echo-n: func(v: T) -> T`` and, where T takes at
    most 15 core values, ``loop-n: func(count: u32, v: T)``.

    Both call ``test:echo/host.{echo-n}``, ``loop-n`` as often as it is told to.
    """
    names = TypeNames()
    imports = [
        f'(export "echo-{i}" (func (param "v" {names.text(ty, "$in-")})'
        f" (result {names.text(ty, '$in-')})))"
        for i, ty in enumerate(types)
    ]
    parts = [_echo_parts(i, ty, names.text(ty, "$out-")) for i, ty in enumerate(types)]
    lowers, core_imports, core_functions, exports = ("\n".join(p) for p in zip(*parts, strict=True))
    instances = " ".join(f'(export "echo-{i}" (func $core-{i}))' for i in range(len(types)))
    return component(f"""(component
  (import "{ECHO_INTERFACE}" (instance $host
    {" ".join(names.definitions)}
    {" ".join(imports)}))
  {" ".join(names.aliases())}
  {MEMORY}
  {lowers}
  (core module $Main
    (import "memory" "mark" (func $mark (result i32)))
    (import "memory" "reset" (func $reset (param i32)))
    {core_imports}
    {core_functions})
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory)) (with "host" (instance {instances}))))
  {exports})""")


def _echo_parts(number: int, ty: WitType, text: str) -> tuple[str, str, str, str]:
    """Lowered import, core import, core functions and exports for one type."""
    cores = flat(ty)
    params = cores if len(cores) <= FLAT_PARAMS_MAX else ["i32"]
    returned = cores[0] if len(cores) == 1 else "i32"
    space = "" if len(cores) == 1 else " i32"
    result = f" (result {returned})" if len(cores) == 1 else ""
    lower = f"""(core func $core-{number} (canon lower (func $host "echo-{number}") {OPTIONS}))"""
    core_import = f'(import "host" "echo-{number}" (func $echo-{number} (param {" ".join(params)}{space}){result}))'

    def call(first: int) -> str:
        gets = " ".join(f"(local.get {first + i})" for i in range(len(params)))
        return f"(call $echo-{number} {gets}{' (i32.const 65536)' if space else ''})"

    function = (
        f'(func (export "echo-{number}") (param {" ".join(params)}) (result {returned})'
        f" {call(0)}{' (i32.const 65536)' if space else ''})"
    )
    free = '(post-return (core func $memory "free"))' if space else ""
    export = f"""(func (export "echo-{number}") (param "v" {text}) (result {text})
      (canon lift (core func $main "echo-{number}") {OPTIONS} {free}))"""
    if len(cores) < FLAT_PARAMS_MAX:
        function += _loop(number, params, call(1) if space else f"(drop {call(1)})")
        export += f"""(func (export "loop-{number}") (param "count" u32) (param "v" {text})
      (canon lift (core func $main "loop-{number}") {OPTIONS}
        (post-return (core func $memory "free-all"))))"""
    return lower, core_import, function, export


def _loop(number: int, params: Sequence[str], call: str) -> str:
    return f"""
    (func (export "loop-{number}") (param i32 {" ".join(params)}) (local $mark i32)
      (local.set $mark (call $mark))
      (block $end (loop $again
        (br_if $end (i32.eqz (local.get 0)))
        (call $reset (local.get $mark))
        {call}
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br $again))))"""


CLOCK_COMPONENT = """(component
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock
    (export "now" (func (result u64)))))
  (core func $now (canon lower (func $clock "now")))
  (core module $Main
    (import "clock" "now" (func $now (result i64)))
    (global $count (mut i64) (i64.const 0))
    (func (export "add") (param i64) (result i64)
      (global.set $count (i64.add (global.get $count) (local.get 0))) (global.get $count))
    (func (export "value") (result i64) (global.get $count))
    (func (export "now") (result i64) (call $now))
    (func (export "elapsed") (result i64) (local $start i64)
      (local.set $start (call $now)) (i64.sub (call $now) (local.get $start)))
    (func (export "spin") (drop (call $now)) (loop $again (br $again)))
    (func (export "watch") (loop $again (drop (call $now)) (br $again))))
  (core instance $main (instantiate $Main
    (with "clock" (instance (export "now" (func $now))))))
  (func $add (param "by" u64) (result u64) (canon lift (core func $main "add")))
  (func $value (result u64) (canon lift (core func $main "value")))
  (func $now-again (result u64) (canon lift (core func $main "now")))
  (func $elapsed (result u64) (canon lift (core func $main "elapsed")))
  (func $spin (canon lift (core func $main "spin")))
  (func $watch (canon lift (core func $main "watch")))
  (instance $api (export "add" (func $add)) (export "value" (func $value))
    (export "now" (func $now-again)) (export "elapsed" (func $elapsed))
    (export "spin" (func $spin)) (export "watch" (func $watch)))
  (export "test:guest/api@1.0.0" (instance $api)))"""
"""
A counter, a clock reader and two endless loops: one that only computes, one that calls the clock.

Exports ``test:guest/api@1.0.0``: ``add(by: u64) -> u64``, ``value() -> u64``, ``now() -> u64``,
``elapsed() -> u64`` (two calls of the clock), ``spin()`` (calls the clock once, then computes for
ever), ``watch()`` (calls the clock for ever).
"""


def clock_component() -> bytes:
    """`CLOCK_COMPONENT` in binary form."""
    return component(CLOCK_COMPONENT)
