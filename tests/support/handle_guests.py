"""A guest whose callers hold handles to its resources, in every form that a handle can travel in."""

from __future__ import annotations

from typing import Final

from tests.support.components import component

API: Final = "test:handles/api"

_OWN: Final = '(param "{}" (own $counter))'
_FUNCTIONS: Final = (
    ("[constructor]counter", '(param "start" u32)', "(own $counter)"),
    ("[method]counter.get", '(param "self" (borrow $counter))', "u32"),
    ("[method]counter.inc-by", '(param "self" (borrow $counter)) (param "n" u32)', "u32"),
    ("[static]counter.merge", f"{_OWN.format('a')} {_OWN.format('b')}", "(own $counter)"),
    ("[constructor]label", '(param "number" u32)', "(own $label)"),
    ("[method]label.number", '(param "self" (borrow $label))', "u32"),
    ("many", '(param "n" u32)', "(list (own $counter))"),
    ("perhaps", '(param "start" u32)', "(option (own $counter))"),
    ("attempt", '(param "start" u32)', "(result (own $counter) (error u32))"),
    ("pair", '(param "start" u32)', "(tuple u32 (own $counter))"),
    ("sum", '(param "counters" (list (borrow $counter)))', "u32"),
    ("eat", '(param "counters" (list (own $counter)))', "u32"),
    ("swap", '(param "it" (option (own $counter))) (param "by" (borrow $counter))', "u32"),
    ("last-dropped", "", "u32"),
)
_MEMORY: Final = '(memory (core memory $state "memory")) (realloc (core func $state "realloc"))'


def _core_name(name: str) -> str:
    return name.replace("[", "").replace("]", "-").replace(".", "-")


def _lifted() -> str:
    return "\n".join(
        f"""(func ${_core_name(name)}' {params} (result {result})
          (canon lift (core func $main "{_core_name(name)}") {_MEMORY}))"""
        for name, params, result in _FUNCTIONS
    )


def _imported() -> str:
    return "\n".join(
        f'(import "{_core_name(name)}" (func ${_core_name(name)} {params} (result {result})))'
        for name, params, result in _FUNCTIONS
    )


def _exported() -> str:
    def public(text: str) -> str:
        return text.replace("$counter", "$public-counter").replace("$label", "$public-label")

    return "\n".join(
        f"""(export "{name}" (func ${_core_name(name)})
          (func {public(params)} (result {public(result)})))"""
        for name, params, result in _FUNCTIONS
    )


def _given() -> str:
    return "\n".join(
        f"""(with "{_core_name(name)}" (func ${_core_name(name)}'))""" for name, *_ in _FUNCTIONS
    )


_SNAPSHOTS: Final = """
  (func $save (result (list u8))
    (canon lift (core func $main "save") (memory (core memory $state "memory"))))
  (instance $saving (export "save" (func $save)))
  (export "golem:api/save-snapshot@1.1.7" (instance $saving))
  (func $load (param "bytes" (list u8)) (result (result (error string)))
    (canon lift (core func $main "load") (memory (core memory $state "memory"))
      (realloc (core func $state "realloc"))))
  (instance $loading (export "load" (func $load)))
  (export "golem:api/load-snapshot@1.1.7" (instance $loading))"""


def handle_guest(version: int = 0, *, snapshots: bool = False, step: str = "u32") -> bytes:
    """
    Offers ``test:handles/api@1.0.0`` with the resources ``counter`` (an ``u32`` that starts where its
    constructor says) and ``label``.

    ``counter``: methods ``get() -> u32`` and ``inc-by(n: u32) -> u32`` (traps for 666), static
    ``merge(a: counter, b: counter) -> counter``; the destructor traps for a value of 13.
    ``label``: constructor with a number, method ``number() -> u32``.
    Functions that give handles: ``many(n) -> list<counter>`` of 0, 1, 2..., ``perhaps(start) ->
    option<counter>`` (none for 0), ``attempt(start) -> result<counter, u32>`` (``err(7)`` for 0),
    ``pair(start) -> tuple<u32, counter>``.  Functions that take them: ``sum(list<borrow<counter>>)``,
    ``eat(list<counter>)``, both giving the sum; ``swap(it: option<counter>, by: borrow<counter>)``,
    too.  ``last-dropped() -> u32`` tells what the destructor saw.

    Args:
        version: Tells one version from another, and does nothing else.
        snapshots: Whether it saves and loads snapshots, of nothing.
        step: What ``inc-by`` takes: any type that is one ``i32`` within.
    """
    snapshots_text = _SNAPSHOTS if snapshots else ""
    text = f"""(component
  (core module $State
    (memory (export "memory") 4)
    (global $free (mut i32) (i32.const 1024))
    (global $dropped (mut i32) (i32.const 0))
    (func $take (export "take") (param $size i32) (result i32)
      (global.set $free (i32.add (global.get $free) (local.get $size)))
      (i32.sub (global.get $free) (local.get $size)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $take (local.get 3)))
    (func (export "dtor") (param i32)
      (if (i32.eq (i32.load (local.get 0)) (i32.const 13)) (then unreachable))
      (global.set $dropped (i32.load (local.get 0))))
    (func (export "last") (result i32) (global.get $dropped)))
  (core instance $state (instantiate $State))
  (type $counter (resource (rep i32) (dtor (core func $state "dtor"))))
  (type $label (resource (rep i32)))
  (core func $new (canon resource.new $counter))
  (core func $rep (canon resource.rep $counter))
  (core func $drop (canon resource.drop $counter))
  (core func $new-label (canon resource.new $label))
  (core module $Main
    (import "s" "memory" (memory 4))
    (import "s" "take" (func $take (param i32) (result i32)))
    (import "s" "last" (func $last (result i32)))
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "new-label" (func $new-label (param i32) (result i32)))
    (func $make (export "constructor-counter") (param $start i32) (result i32) (local $at i32)
      (local.set $at (call $take (i32.const 4)))
      (i32.store (local.get $at) (local.get $start))
      (call $new (local.get $at)))
    (func (export "method-counter-get") (param $at i32) (result i32) (i32.load (local.get $at)))
    (func (export "method-counter-inc-by") (param $at i32) (param $n i32) (result i32)
      (if (i32.eq (local.get $n) (i32.const 666)) (then unreachable))
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (local.get $n)))
      (i32.load (local.get $at)))
    (func $end (param $handle i32) (result i32) (local $value i32)
      (local.set $value (i32.load (call $rep (local.get $handle))))
      (call $drop (local.get $handle))
      (local.get $value))
    (func (export "static-counter-merge") (param $a i32) (param $b i32) (result i32)
      (call $make (i32.add (call $end (local.get $a)) (call $end (local.get $b)))))
    (func (export "constructor-label") (param i32) (result i32) (call $new-label (local.get 0)))
    (func (export "method-label-number") (param i32) (result i32) (local.get 0))
    (func (export "many") (param $n i32) (result i32) (local $out i32) (local $i i32)
      (local.set $out (call $take (i32.add (i32.const 8) (i32.mul (i32.const 4) (local.get $n)))))
      (i32.store (local.get $out) (i32.add (local.get $out) (i32.const 8)))
      (i32.store offset=4 (local.get $out) (local.get $n))
      (block $done (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
        (i32.store offset=8
          (i32.add (local.get $out) (i32.mul (i32.const 4) (local.get $i)))
          (call $make (local.get $i)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
      (local.get $out))
    (func (export "perhaps") (param $start i32) (result i32) (local $out i32)
      (local.set $out (call $take (i32.const 8)))
      (if (local.get $start) (then
        (i32.store8 (local.get $out) (i32.const 1))
        (i32.store offset=4 (local.get $out) (call $make (local.get $start)))))
      (local.get $out))
    (func (export "attempt") (param $start i32) (result i32) (local $out i32)
      (local.set $out (call $take (i32.const 8)))
      (if (local.get $start)
        (then (i32.store offset=4 (local.get $out) (call $make (local.get $start))))
        (else (i32.store8 (local.get $out) (i32.const 1))
          (i32.store offset=4 (local.get $out) (i32.const 7))))
      (local.get $out))
    (func (export "pair") (param $start i32) (result i32) (local $out i32)
      (local.set $out (call $take (i32.const 8)))
      (i32.store (local.get $out) (local.get $start))
      (i32.store offset=4 (local.get $out) (call $make (local.get $start)))
      (local.get $out))
    (func (export "sum") (param $at i32) (param $n i32) (result i32) (local $sum i32)
      (block $done (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (i32.load (i32.load (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
      (local.get $sum))
    (func (export "eat") (param $at i32) (param $n i32) (result i32) (local $sum i32)
      (block $done (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $end (i32.load (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
      (local.get $sum))
    (func (export "swap") (param $has i32) (param $it i32) (param $by i32) (result i32)
      (if (i32.eqz (local.get $has)) (then (return (i32.load (local.get $by)))))
      (i32.add (i32.load (local.get $by)) (call $end (local.get $it))))
    (func (export "last-dropped") (result i32) (call $last))
    (func (export "save") (result i32) (i32.const 16))
    (func (export "load") (param i32 i32) (result i32) (i32.const 16))
    (func (export "version") (result i32) (i32.const {version})))
  (core instance $main (instantiate $Main
    (with "s" (instance $state))
    (with "h" (instance (export "new" (func $new)) (export "rep" (func $rep))
      (export "drop" (func $drop)) (export "new-label" (func $new-label))))))
  {_lifted()}
  (component $Shape
    (import "counter" (type $counter (sub resource)))
    (import "label" (type $label (sub resource)))
    {_imported()}
    (export $public-counter "counter" (type $counter))
    (export $public-label "label" (type $label))
    {_exported()})
  (instance $api (instantiate $Shape
    (with "counter" (type $counter)) (with "label" (type $label))
    {_given()}))
  (export "{API}@1.0.0" (instance $api)){snapshots_text})"""
    return component(text.replace('counter)) (param "n" u32)', f'counter)) (param "n" {step})'))
