"""Guests that use a resource of the host, and that offer one of their own."""

from __future__ import annotations

from golem_host.engine import Handler, ImportedFunction

HOST_RESOURCES = """(component
  (import "test:host/things@1.2.0" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "[method]thing.look" (func (param "self" (borrow $thing)) (result u32)))
    (export "[static]thing.eat" (func (param "it" (own $thing)) (result u32)))
    (export "maybe" (func (param "n" u32) (result (option (own $thing)))))))
  (alias export $things "thing" (type $thing))
  (import "test:host/more@1.2.0" (instance $more
    (export "thing" (type $alias (eq $thing)))
    (export "look-too" (func (param "it" (borrow $alias)) (result u32)))))
  (core module $Memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $memory (instantiate $Memory))
  (core func $drop (canon resource.drop $thing))
  (core func $new (canon lower (func $things "[constructor]thing")))
  (core func $look (canon lower (func $things "[method]thing.look")))
  (core func $eat (canon lower (func $things "[static]thing.eat")))
  (core func $maybe (canon lower (func $things "maybe") (memory (core memory $memory "memory"))))
  (core func $look-too (canon lower (func $more "look-too")))
  (core module $Main
    (import "m" "memory" (memory 1))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "look" (func $look (param i32) (result i32)))
    (import "h" "eat" (func $eat (param i32) (result i32)))
    (import "h" "maybe" (func $maybe (param i32 i32)))
    (import "h" "look-too" (func $look-too (param i32) (result i32)))
    (func (export "look-and-drop") (param i32) (result i32) (local $it i32) (local $seen i32)
      (local.set $it (call $new (local.get 0)))
      (local.set $seen (i32.add (call $look (local.get $it)) (call $look-too (local.get $it))))
      (call $drop (local.get $it)) (local.get $seen))
    (func (export "feed") (param i32) (result i32) (call $eat (call $new (local.get 0))))
    (func (export "perhaps") (param i32) (result i32)
      (call $maybe (local.get 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (call $drop (i32.load (i32.const 20)))))
      (i32.load8_u (i32.const 16)))
    (func (export "pass") (param i32) (result i32) (local.get 0))
    (func (export "borrow") (param i32) (result i32) (local $seen i32)
      (local.set $seen (call $look (local.get 0))) (call $drop (local.get 0)) (local.get $seen))
    (func (export "leave") (param i32)))
  (core instance $main (instantiate $Main
    (with "m" (instance $memory))
    (with "h" (instance (export "drop" (func $drop)) (export "new" (func $new))
      (export "look" (func $look)) (export "eat" (func $eat)) (export "maybe" (func $maybe))
      (export "look-too" (func $look-too))))))
  (func (export "look-and-drop") (param "n" u32) (result u32)
    (canon lift (core func $main "look-and-drop")))
  (func (export "feed") (param "n" u32) (result u32) (canon lift (core func $main "feed")))
  (func (export "perhaps") (param "n" u32) (result bool) (canon lift (core func $main "perhaps")))
  (func (export "pass") (param "it" (own $thing)) (result (own $thing))
    (canon lift (core func $main "pass")))
  (func (export "borrow") (param "it" (borrow $thing)) (result u32)
    (canon lift (core func $main "borrow")))
  (func (export "leave") (param "it" (borrow $thing)) (canon lift (core func $main "leave"))))"""
"""
Makes, lends, gives away and drops handles of ``test:host/things.thing``.

Exports: ``look-and-drop(n: u32) -> u32``, ``feed(n: u32) -> u32`` (gives one away),
``perhaps(n: u32) -> bool`` (an optional one), ``pass(it: thing) -> thing``,
``borrow(it: borrow<thing>) -> u32``, ``leave(it: borrow<thing>)`` (forgets to end the borrow).
"""

GUEST_RESOURCE = """(component
  (core module $Table
    (global $dropped (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32)
      (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
      (global.set $dropped (local.get 0)))
    (func (export "last") (result i32) (global.get $dropped)))
  (core instance $table (instantiate $Table))
  (type $counter' (resource (rep i32) (dtor (core func $table "dtor"))))
  (core func $new (canon resource.new $counter'))
  (core func $rep (canon resource.rep $counter'))
  (core func $drop (canon resource.drop $counter'))
  (core module $Main
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "get") (param i32) (result i32) (local.get 0))
    (func (export "end") (param i32) (result i32) (local $value i32)
      (local.set $value (call $rep (local.get 0))) (call $drop (local.get 0)) (local.get $value))
    (func (export "two") (param i32 i32) (call $drop (local.get 0)) (call $drop (local.get 1))))
  (core instance $main (instantiate $Main
    (with "h" (instance (export "new" (func $new)) (export "rep" (func $rep))
      (export "drop" (func $drop))))))
  (func $make' (param "value" u32) (result (own $counter')) (canon lift (core func $main "make")))
  (func $get' (param "self" (borrow $counter')) (result u32) (canon lift (core func $main "get")))
  (func $end' (param "it" (own $counter')) (result u32) (canon lift (core func $main "end")))
  (func $two' (param "a" (own $counter')) (param "b" (own $counter'))
    (canon lift (core func $main "two")))
  (func (export "last-dropped") (result u32) (canon lift (core func $table "last")))
  (component $Shape
    (import "counter" (type $counter (sub resource)))
    (import "make" (func $make (param "value" u32) (result (own $counter))))
    (import "get" (func $get (param "self" (borrow $counter)) (result u32)))
    (import "end" (func $end (param "it" (own $counter)) (result u32)))
    (import "two" (func $two (param "a" (own $counter)) (param "b" (own $counter))))
    (export $public "counter" (type $counter))
    (export "[constructor]counter" (func $make)
      (func (param "value" u32) (result (own $public))))
    (export "[method]counter.get" (func $get)
      (func (param "self" (borrow $public)) (result u32)))
    (export "[static]counter.end" (func $end)
      (func (param "it" (own $public)) (result u32)))
    (export "two" (func $two) (func (param "a" (own $public)) (param "b" (own $public)))))
  (instance $api (instantiate $Shape
    (with "counter" (type $counter')) (with "make" (func $make')) (with "get" (func $get'))
    (with "end" (func $end')) (with "two" (func $two'))))
  (export "test:guest/counters@1.0.0" (instance $api)))"""
"""
Offers ``test:guest/counters@1.0.0`` with the resource ``counter``, whose rep is the value it was made
with; ``last-dropped() -> u32`` tells what its destructor saw.  The destructor of 13 traps.
"""

WRAPPING = """(component
  (import "test:both/api@1.0.0" (instance $imported
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))))
  (core func $made (canon lower (func $imported "[constructor]thing")))
  (type $mine (resource (rep i32)))
  (core func $new (canon resource.new $mine))
  (core module $Main
    (import "h" "made" (func $made (param i32) (result i32)))
    (import "h" "new" (func $new (param i32) (result i32)))
    (func (export "wrap") (param i32) (result i32) (call $new (call $made (local.get 0)))))
  (core instance $main (instantiate $Main
    (with "h" (instance (export "made" (func $made)) (export "new" (func $new))))))
  (func $wrap (param "n" u32) (result (own $mine)) (canon lift (core func $main "wrap")))
  (component $Shape
    (import "thing" (type $thing (sub resource)))
    (import "wrap" (func $wrap (param "n" u32) (result (own $thing))))
    (export $public "thing" (type $thing))
    (export "[constructor]thing" (func $wrap) (func (param "n" u32) (result (own $public)))))
  (instance $api (instantiate $Shape (with "thing" (type $mine)) (with "wrap" (func $wrap))))
  (export "test:both/api@1.0.0" (instance $api)))"""
"""Imports an interface with a resource, and exports the same with one of its own."""


TWO_VERSIONS = """(component
  (core module $Main
    (import "h" "new-1" (func $new-1 (param i32) (result i32)))
    (import "h" "new-2" (func $new-2 (param i32) (result i32)))
    (func (export "make-1") (param i32) (result i32) (call $new-1 (local.get 0)))
    (func (export "make-2") (param i32) (result i32) (call $new-2 (local.get 0)))
    (func (export "get") (param i32) (result i32) (local.get 0)))
  (type $one (resource (rep i32)))
  (type $two (resource (rep i32)))
  (core func $new-1 (canon resource.new $one))
  (core func $new-2 (canon resource.new $two))
  (core instance $main (instantiate $Main
    (with "h" (instance (export "new-1" (func $new-1)) (export "new-2" (func $new-2))))))
  (func $make-1 (param "n" u32) (result (own $one)) (canon lift (core func $main "make-1")))
  (func $make-2 (param "n" u32) (result (own $two)) (canon lift (core func $main "make-2")))
  (func $get-1 (param "self" (borrow $one)) (result u32) (canon lift (core func $main "get")))
  (func $get-2 (param "self" (borrow $two)) (result u32) (canon lift (core func $main "get")))
  (component $Shape
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (param "n" u32) (result (own $thing))))
    (import "get" (func $get (param "self" (borrow $thing)) (result u32)))
    (export $public "thing" (type $thing))
    (export "[constructor]thing" (func $make) (func (param "n" u32) (result (own $public))))
    (export "[method]thing.get" (func $get) (func (param "self" (borrow $public)) (result u32))))
  (instance $first (instantiate $Shape
    (with "thing" (type $one)) (with "make" (func $make-1)) (with "get" (func $get-1))))
  (instance $second (instantiate $Shape
    (with "thing" (type $two)) (with "make" (func $make-2)) (with "get" (func $get-2))))
  (export "test:both/api@1.0.0" (instance $first))
  (export "test:both/api@2.0.0" (instance $second)))"""
"""Exports two versions of an interface, each with a resource ``thing`` of its own."""


def answer_with_reps(function: ImportedFunction) -> Handler:
    """Answers `HOST_RESOURCES`: a rep is a hundred more than the number it was made with."""
    match function.name:
        case "[constructor]thing":
            return lambda _, number: number + 100
        case "maybe":
            return lambda _, number: (number + 100,) if number else None
        case _:
            return lambda _, rep: rep
