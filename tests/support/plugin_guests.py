"""A plugin in text form: an oplog processor that keeps account of the batches it was given."""

from __future__ import annotations

from functools import cache
from typing import Final

from golem_host.interfaces.golem.api.values import COMPONENT_ID, METADATA, WORKER_ID
from golem_host.worker import processor
from golem_oplog.types import ListType, Prim, ResultType, TupleType
from tests.support.components import TypeNames, component

SEEN: Final = "test:plugin/seen"
_TABLE: Final = 1024
_HEAP: Final = 131_072


@cache
def plugin_guest() -> bytes:
    """
    ``golem:api/oplog-processor@1.1.7``, with types that it imports as ``golem:api/oplog@1.1.7``.

    ``test:plugin/seen.{batches}() -> list<tuple<u32, u32, u64, u64>>``: of each batch the first byte of
    the worker's name, the case of its first entry, the index of that and the number of entries.
    ``made() -> u32``: how often the constructor was called.

    A first configuration value of one letter names a worker by the first letter of its name: under a
    key that begins with ``t`` its batches trap, under one with ``r`` they are refused.
    """
    names = TypeNames()
    entries = names.text(ListType(processor._entry_type()), "$out-")
    worker_id, metadata = (names.text(ty, "$out-") for ty in (WORKER_ID, METADATA))
    account = names.text(processor._ACCOUNT, "$out-")
    component_id = names.text(COMPONENT_ID, "$out-")
    config = names.text(processor._CONFIG, "$out-")
    result = names.text(ResultType(None, Prim.STRING), "$out-")
    batches = names.text(ListType(TupleType((Prim.U32, Prim.U32, Prim.U64, Prim.U64))), "$out-")
    new = f'(param "account-info" {account}) (param "component-id" {component_id}) (param "config" {config})'
    process = (
        f'(param "worker-id" {worker_id}) (param "metadata" {metadata}) '
        f'(param "first-entry-index" u64) (param "entries" {entries}) (result {result})'
    )
    options = '(memory (core memory $main "memory")) (realloc (core func $main "realloc"))'
    return component(f"""(component
  (import "golem:api/oplog@1.1.7" (instance $host {" ".join(names.definitions)}))
  {" ".join(names.aliases())}
  (type $processor' (resource (rep i32)))
  (core func $new (canon resource.new $processor'))
  (core module $Main
    (import "h" "new" (func $new (param i32) (result i32)))
    (memory (export "memory") 3)
    (global $next (mut i32) (i32.const {_HEAP}))
    (global $made (mut i32) (i32.const 0))
    (global $batches (mut i32) (i32.const 0))
    (global $mode (mut i32) (i32.const 0))
    (global $whom (mut i32) (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $start i32) (local $short i32)
      (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $start) (local.get 3)))
      (local.set $short (i32.sub (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
      (if (i32.gt_s (local.get $short) (i32.const 0)) (then
        (if (i32.eq (i32.const -1) (memory.grow
            (i32.add (i32.const 1) (i32.div_u (local.get $short) (i32.const 65536)))))
          (then unreachable))))
      (local.get $start))
    (func (export "new") (param i32 i32 i64 i64) (param $config i32) (param $count i32) (result i32)
      (global.set $made (i32.add (global.get $made) (i32.const 1)))
      (if (local.get $count) (then
        (global.set $mode (i32.load8_u (i32.load (local.get $config))))
        (global.set $whom (i32.load8_u (i32.load offset=8 (local.get $config))))))
      (global.set $next (i32.const {_HEAP}))
      (call $new (global.get $made)))
    (func (export "process") (param $args i32) (result i32) (local $name i32) (local $row i32)
      (local.set $name (i32.load8_u (i32.load offset=24 (local.get $args))))
      (global.set $next (i32.const {_HEAP}))
      (i32.store8 (i32.const 64) (i32.const 0))
      (if (i32.eq (local.get $name) (global.get $whom)) (then
        (if (i32.eq (global.get $mode) (i32.const {ord("t")})) (then unreachable))
        (if (i32.eq (global.get $mode) (i32.const {ord("r")})) (then
          (i32.store8 (i32.const 64) (i32.const 1))
          (i32.store (i32.const 68) (i32.const 96))
          (i32.store (i32.const 72) (i32.const 2))
          (i32.store16 (i32.const 96) (i32.const 0x6f6e))
          (return (i32.const 64))))))
      (local.set $row
        (i32.add (i32.const {_TABLE}) (i32.mul (global.get $batches) (i32.const 24))))
      (global.set $batches (i32.add (global.get $batches) (i32.const 1)))
      (i32.store (local.get $row) (local.get $name))
      (i32.store offset=4 (local.get $row)
        (i32.load8_u (i32.load offset=112 (local.get $args))))
      (i64.store offset=8 (local.get $row) (i64.load offset=104 (local.get $args)))
      (i64.store offset=16 (local.get $row)
        (i64.extend_i32_u (i32.load offset=116 (local.get $args))))
      (i32.const 64))
    (func (export "batches") (result i32)
      (i32.store (i32.const 32) (i32.const {_TABLE}))
      (i32.store (i32.const 36) (global.get $batches))
      (i32.const 32))
    (func (export "made") (result i32) (global.get $made)))
  (core instance $main (instantiate $Main (with "h" (instance (export "new" (func $new))))))
  (func $new' {new} (result (own $processor')) (canon lift (core func $main "new") {options}))
  (func $process' (param "self" (borrow $processor')) {process}
    (canon lift (core func $main "process") {options}))
  (func $batches (result {batches}) (canon lift (core func $main "batches") {options}))
  (func $made (result u32) (canon lift (core func $main "made")))
  (component $Shape
    (import "types" (instance $host {" ".join(names.definitions)}))
    {" ".join(names.aliases())}
    (import "processor" (type $processor (sub resource)))
    (import "new" (func $new {new} (result (own $processor))))
    (import "process" (func $process (param "self" (borrow $processor)) {process}))
    (export $public "processor" (type $processor))
    (export "[constructor]processor" (func $new) (func {new} (result (own $public))))
    (export "[method]processor.process" (func $process)
      (func (param "self" (borrow $public)) {process})))
  (instance $api (instantiate $Shape (with "types" (instance $host))
    (with "processor" (type $processor')) (with "new" (func $new')) (with "process" (func $process'))))
  (export "golem:api/oplog-processor@1.1.7" (instance $api))
  (instance $seen (export "batches" (func $batches)) (export "made" (func $made)))
  (export "{SEEN}@1.0.0" (instance $seen)))""")
