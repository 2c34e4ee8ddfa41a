"""
Components made of components, as composing tools make them: instances inside of one file.

An inner component has a memory and a table of its own; what passes from one to the other goes
through an adapter of the engine, and never through the host.
"""

from __future__ import annotations

from typing import Final

from tests.support.components import component

API: Final = "test:composed/api"
STORE: Final = "test:composed/store"
RANDOM: Final = "wasi:random/random@0.2.0"
CLOCK: Final = "wasi:clocks/monotonic-clock@0.2.0"

_ALLOCATOR: Final = """
    (memory (export "memory") 1)
    (table $table 1 funcref)
    (global $free (mut i32) (i32.const 1024))
    (func $take (export "realloc") (param i32 i32 i32) (param $size i32) (result i32)
      (global.set $free (i32.add (global.get $free) (local.get $size)))
      (i32.sub (global.get $free) (local.get $size)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "widen") (param i32) (result i32)
      (table.grow $table (ref.null func) (local.get 0)))"""

_STORE_TYPE: Final = """
      (export "cell" (type $cell (sub resource)))
      (export "[constructor]cell" (func (param "start" u64) (result (own $cell))))
      (export "[method]cell.add" (func (param "self" (borrow $cell)) (param "n" u64) (result u64)))
      (export "roll" (func (result u64)))
      (export "turn" (func (param "text" string) (result string)))
      (export "grow" (func (param "pages" u32) (result s32)))
      (export "widen" (func (param "by" u32) (result s32)))"""

_STORE_COMPONENT: Final = f"""(component $Store
    (import "{RANDOM}" (instance $random
      (export "get-random-u64" (func (result u64)))))
    (core func $draw (canon lower (func $random "get-random-u64")))
    (core module $Memory {_ALLOCATOR}
      (func (export "dtor") (param i32)))
    (core instance $memory (instantiate $Memory))
    (type $cell' (resource (rep i32) (dtor (core func $memory "dtor"))))
    (core func $new (canon resource.new $cell'))
    (core module $Main
      (import "m" "memory" (memory 1))
      (import "m" "realloc" (func $take (param i32 i32 i32 i32) (result i32)))
      (import "h" "draw" (func $draw (result i64)))
      (import "h" "new" (func $new (param i32) (result i32)))
      (func (export "new-cell") (param $start i64) (result i32) (local $at i32)
        (local.set $at (call $take (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 8)))
        (i64.store (local.get $at) (local.get $start))
        (call $new (local.get $at)))
      (func (export "add") (param $at i32) (param $n i64) (result i64)
        (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (local.get $n)))
        (i64.load (local.get $at)))
      (func (export "roll") (result i64) (call $draw))
      (func (export "turn") (param $at i32) (param $size i32) (result i32)
        (local $to i32) (local $out i32) (local $i i32)
        (local.set $to (call $take (i32.const 0) (i32.const 0) (i32.const 1) (local.get $size)))
        (local.set $out (call $take (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 11)))
        (local.set $out (i32.and (i32.add (local.get $out) (i32.const 3)) (i32.const -4)))
        (block $done (loop $next
          (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
          (i32.store8
            (i32.add (local.get $to)
              (i32.sub (i32.sub (local.get $size) (local.get $i)) (i32.const 1)))
            (i32.load8_u (i32.add (local.get $at) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
        (i32.store (local.get $out) (local.get $to))
        (i32.store offset=4 (local.get $out) (local.get $size))
        (local.get $out)))
    (core instance $main (instantiate $Main
      (with "m" (instance $memory))
      (with "h" (instance (export "draw" (func $draw)) (export "new" (func $new))))))
    (func $new-cell (param "start" u64) (result (own $cell'))
      (canon lift (core func $main "new-cell")))
    (func $add (param "self" (borrow $cell')) (param "n" u64) (result u64)
      (canon lift (core func $main "add")))
    (func $roll (result u64) (canon lift (core func $main "roll")))
    (func $turn (param "text" string) (result string)
      (canon lift (core func $main "turn") (memory (core memory $memory "memory"))
        (realloc (core func $memory "realloc"))))
    (func $grow (param "pages" u32) (result s32) (canon lift (core func $memory "grow")))
    (func $widen (param "by" u32) (result s32) (canon lift (core func $memory "widen")))
    (component $Shape
      (import "cell" (type $cell (sub resource)))
      (import "new-cell" (func $new-cell (param "start" u64) (result (own $cell))))
      (import "add" (func $add (param "self" (borrow $cell)) (param "n" u64) (result u64)))
      (import "roll" (func $roll (result u64)))
      (import "turn" (func $turn (param "text" string) (result string)))
      (import "grow" (func $grow (param "pages" u32) (result s32)))
      (import "widen" (func $widen (param "by" u32) (result s32)))
      (export $public "cell" (type $cell))
      (export "[constructor]cell" (func $new-cell)
        (func (param "start" u64) (result (own $public))))
      (export "[method]cell.add" (func $add)
        (func (param "self" (borrow $public)) (param "n" u64) (result u64)))
      (export "roll" (func $roll)) (export "turn" (func $turn))
      (export "grow" (func $grow)) (export "widen" (func $widen)))
    (instance $store (instantiate $Shape
      (with "cell" (type $cell')) (with "new-cell" (func $new-cell)) (with "add" (func $add))
      (with "roll" (func $roll)) (with "turn" (func $turn))
      (with "grow" (func $grow)) (with "widen" (func $widen))))
    (export "{STORE}@1.0.0" (instance $store)))"""

_FRONT_COMPONENT: Final = f"""(component $Front
    (import "{RANDOM}" (instance $random
      (export "get-random-u64" (func (result u64)))))
    (import "{CLOCK}" (instance $clock (export "now" (func (result u64)))))
    (import "{STORE}@1.0.0" (instance $store {_STORE_TYPE}))
    (alias export $store "cell" (type $cell))
    (core module $Memory {_ALLOCATOR})
    (core instance $memory (instantiate $Memory))
    (core func $draw (canon lower (func $random "get-random-u64")))
    (core func $now (canon lower (func $clock "now")))
    (core func $roll (canon lower (func $store "roll")))
    (core func $new (canon lower (func $store "[constructor]cell")))
    (core func $add (canon lower (func $store "[method]cell.add")))
    (core func $drop (canon resource.drop $cell))
    (core func $turn (canon lower (func $store "turn") (memory (core memory $memory "memory"))
      (realloc (core func $memory "realloc"))))
    (core module $Main
      (import "m" "memory" (memory 1))
      (import "m" "realloc" (func $take (param i32 i32 i32 i32) (result i32)))
      (import "h" "draw" (func $draw (result i64)))
      (import "h" "now" (func $now (result i64)))
      (import "h" "roll" (func $roll (result i64)))
      (import "h" "new" (func $new (param i64) (result i32)))
      (import "h" "add" (func $add (param i32 i64) (result i64)))
      (import "h" "drop" (func $drop (param i32)))
      (import "h" "turn" (func $turn (param i32 i32 i32)))
      (global $kept (mut i32) (i32.const 0))
      (func $cell (result i32)
        (if (i32.eqz (global.get $kept)) (then (global.set $kept (call $new (i64.const 0)))))
        (global.get $kept))
      (func (export "play") (param $rounds i64) (result i64)
        (block $done (loop $next
          (br_if $done (i64.eqz (local.get $rounds)))
          (drop (call $add (call $cell) (call $draw)))
          (drop (call $add (call $cell) (call $roll)))
          (drop (call $add (call $cell) (call $now)))
          (local.set $rounds (i64.sub (local.get $rounds) (i64.const 1)))
          (br $next)))
        (call $add (call $cell) (i64.const 0)))
      (func (export "fail") (drop (call $roll)) unreachable)
      (func (export "put") (param $it i32)
        (if (global.get $kept) (then (call $drop (global.get $kept))))
        (global.set $kept (local.get $it)))
      (func (export "get") (result i32) (local $it i32)
        (local.set $it (call $cell))
        (global.set $kept (i32.const 0))
        (local.get $it))
      (func (export "peek") (param $it i32) (result i64) (local $seen i64)
        (local.set $seen (call $add (local.get $it) (i64.const 0)))
        (call $drop (local.get $it))
        (local.get $seen))
      (func (export "turn") (param $at i32) (param $size i32) (result i32)
        (call $turn (local.get $at) (local.get $size) (i32.const 64))
        (i32.const 64)))
    (core instance $main (instantiate $Main
      (with "m" (instance $memory))
      (with "h" (instance (export "draw" (func $draw)) (export "now" (func $now))
        (export "roll" (func $roll)) (export "new" (func $new)) (export "add" (func $add))
        (export "drop" (func $drop)) (export "turn" (func $turn))))))
    (func $play (param "rounds" u64) (result u64) (canon lift (core func $main "play")))
    (func $fail (canon lift (core func $main "fail")))
    (func $put (param "it" (own $cell)) (canon lift (core func $main "put")))
    (func $get (result (own $cell)) (canon lift (core func $main "get")))
    (func $peek (param "it" (borrow $cell)) (result u64) (canon lift (core func $main "peek")))
    (func $turned (param "text" string) (result string)
      (canon lift (core func $main "turn") (memory (core memory $memory "memory"))
        (realloc (core func $memory "realloc"))))
    (func $grow (param "pages" u32) (result s32) (canon lift (core func $memory "grow")))
    (func $widen (param "by" u32) (result s32) (canon lift (core func $memory "widen")))
    (component $Shape
      (import "cell" (type $cell (sub resource)))
      (import "play" (func $play (param "rounds" u64) (result u64)))
      (import "fail" (func $fail))
      (import "put" (func $put (param "it" (own $cell))))
      (import "get" (func $get (result (own $cell))))
      (import "peek" (func $peek (param "it" (borrow $cell)) (result u64)))
      (import "turn" (func $turn (param "text" string) (result string)))
      (import "grow" (func $grow (param "pages" u32) (result s32)))
      (import "widen" (func $widen (param "by" u32) (result s32)))
      (export $public "cell" (type $cell))
      (export "play" (func $play)) (export "fail" (func $fail))
      (export "put" (func $put) (func (param "it" (own $public))))
      (export "get" (func $get) (func (result (own $public))))
      (export "peek" (func $peek) (func (param "it" (borrow $public)) (result u64)))
      (export "turn" (func $turn)) (export "grow" (func $grow)) (export "widen" (func $widen)))
    (instance $api (instantiate $Shape
      (with "cell" (type $cell)) (with "play" (func $play)) (with "fail" (func $fail))
      (with "put" (func $put)) (with "get" (func $get)) (with "peek" (func $peek))
      (with "turn" (func $turned)) (with "grow" (func $grow)) (with "widen" (func $widen))))
    (export "{API}@1.0.0" (instance $api)))"""


def composed_guest() -> bytes:
    """
    A front and a store, each with a memory of 1 page and a table of 1 element; both draw random numbers
    of the host's, and the front looks at its clock, too.

    ``test:composed/store@1.0.0`` (of the store): resource ``cell`` with ``constructor(start: u64)`` and
    ``add(n: u64) -> u64``; ``roll() -> u64``, a random number; ``turn(text: string) -> string``, the
    bytes in reverse; ``grow`` and ``widen`` by pages and elements, giving what they were before or -1.
    ``test:composed/api@1.0.0`` (of the front): ``play(rounds: u64) -> u64``, which adds a random number
    of its own, one of the store's and the time to a cell that it keeps; ``fail()``, which traps after a
    roll; ``put(cell)``, ``get() -> cell`` and ``peek(borrow<cell>) -> u64``; ``turn``, which the store
    does; ``grow`` and ``widen``.
    """
    return component(f"""(component
  (import "{RANDOM}" (instance $random (export "get-random-u64" (func (result u64)))))
  (import "{CLOCK}" (instance $clock (export "now" (func (result u64)))))
  {_STORE_COMPONENT}
  {_FRONT_COMPONENT}
  (instance $inner (instantiate $Store (with "{RANDOM}" (instance $random))))
  (alias export $inner "{STORE}@1.0.0" (instance $cells))
  (export $store "{STORE}@1.0.0" (instance $cells))
  (instance $outer (instantiate $Front
    (with "{RANDOM}" (instance $random)) (with "{CLOCK}" (instance $clock))
    (with "{STORE}@1.0.0" (instance $store))))
  (alias export $outer "{API}@1.0.0" (instance $api))
  (export "{API}@1.0.0" (instance $api)))""")


def composed_of_versions(first: str, second: str) -> bytes:
    """
    Two components that import ``wasi:random/random`` in these versions; ``draw() -> u64`` is the sum of
    a number that each has drawn.
    """

    def drawer(name: str, version: str) -> str:
        return f"""(component ${name}
    (import "wasi:random/random@{version}" (instance $random
      (export "get-random-u64" (func (result u64)))))
    (core func $draw (canon lower (func $random "get-random-u64")))
    (core module $Main (import "h" "draw" (func $draw (result i64)))
      (func (export "draw") (result i64) (call $draw)))
    (core instance $main (instantiate $Main (with "h" (instance (export "draw" (func $draw))))))
    (func (export "draw") (result u64) (canon lift (core func $main "draw"))))"""

    def given(version: str) -> str:
        return f"""(import "wasi:random/random@{version}" (instance $random-{version}
    (export "get-random-u64" (func (result u64)))))"""

    def made(name: str, version: str) -> str:
        return f"""(instance ${name} (instantiate ${name}
    (with "wasi:random/random@{version}" (instance $random-{version}))))"""

    return component(f"""(component
  {given(first)} {given(second)}
  {drawer("first", first)} {drawer("second", second)}
  {made("first", first)} {made("second", second)}
  (component $Sum
    (import "first" (func $first (result u64))) (import "second" (func $second (result u64)))
    (core func $one (canon lower (func $first))) (core func $other (canon lower (func $second)))
    (core module $Main
      (import "h" "one" (func $one (result i64))) (import "h" "other" (func $other (result i64)))
      (func (export "draw") (result i64) (i64.add (call $one) (call $other))))
    (core instance $main (instantiate $Main (with "h" (instance
      (export "one" (func $one)) (export "other" (func $other))))))
    (func (export "draw") (result u64) (canon lift (core func $main "draw"))))
  (instance $sum (instantiate $Sum
    (with "first" (func $first "draw")) (with "second" (func $second "draw"))))
  (export "draw" (func $sum "draw")))""")
