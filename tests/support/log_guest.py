"""
A guest in text form that reads logs by ``golem:api/oplog@1.1.7``, and what is asked of it.

==============================  ==================================================================
``open(worker-id, start)``      begins a reading, in place of the one before
``next() -> page``              its next page, handed on as it is
``seek(worker-id, text)``       begins a search
``find() -> page``              its next page
``count(worker-id) -> u64``     reads a whole log from its beginning; the number of its entries.
                                Behind each page with an odd number of them it asks for the time
==============================  ==================================================================
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from golem_host import Host, HostConfig, Worker
from golem_host.interfaces.signatures import signatures
from golem_host.worker.retry import RetryPolicy
from golem_oplog.entries import HINT_CLASSES
from golem_oplog.protocol import SyncLevel
from golem_oplog.types import Prim
from tests.support.components import MEMORY, OPTIONS, TypeNames, component
from tests.support.host_api import uuid_value
from tests.support.hosts import open_host
from tests.support.world import FrozenClock, ScriptedRandom

INTERFACE: Final = "golem:api/oplog"
COMPONENT: Final = "reader"
TIMEOUT_S: Final = 60.0

_ID: Final = "(local.get 0) (local.get 1) (local.get 2) (local.get 3)"
_ID_PARAMS: Final = "(param i64 i64 i32 i32)"


def log_guest() -> bytes:
    """The guest that the module's docstring describes, in binary form."""
    table = signatures()
    (made,) = table.of(INTERFACE, "[constructor]get-oplog")
    worker_id = made.type.params[0][1]
    page, found = (
        table.of(INTERFACE, f"[method]{name}.get-next")[0].type.result
        for name in ("get-oplog", "search-oplog")
    )
    names = TypeNames()
    inside = {ty: names.text(ty, "$in-") for ty in (worker_id, page, found)}
    outside = {ty: names.text(ty, "$out-") for ty in (worker_id, page, found)}
    return component(f"""(component
  (import "{INTERFACE}@1.1.7" (instance $host
    (export "get-oplog" (type $in-get (sub resource)))
    (export "search-oplog" (type $in-search (sub resource)))
    {" ".join(names.definitions)}
    (export "[constructor]get-oplog" (func
      (param "worker-id" {inside[worker_id]}) (param "start" u64) (result (own $in-get))))
    (export "[method]get-oplog.get-next" (func
      (param "self" (borrow $in-get)) (result {inside[page]})))
    (export "[constructor]search-oplog" (func
      (param "worker-id" {inside[worker_id]}) (param "text" string) (result (own $in-search))))
    (export "[method]search-oplog.get-next" (func
      (param "self" (borrow $in-search)) (result {inside[found]})))))
  (import "wasi:clocks/monotonic-clock@0.2.9" (instance $clock
    (export "now" (func (result {Prim.U64.value})))))
  (alias export $host "get-oplog" (type $get))
  (alias export $host "search-oplog" (type $search))
  {" ".join(names.aliases())}
  {MEMORY}
  (core func $h-open (canon lower (func $host "[constructor]get-oplog") {OPTIONS}))
  (core func $h-next (canon lower (func $host "[method]get-oplog.get-next") {OPTIONS}))
  (core func $h-seek (canon lower (func $host "[constructor]search-oplog") {OPTIONS}))
  (core func $h-find (canon lower (func $host "[method]search-oplog.get-next") {OPTIONS}))
  (core func $h-close (canon resource.drop $get))
  (core func $h-now (canon lower (func $clock "now")))
  (core module $Main
    (import "memory" "memory" (memory 3))
    (import "memory" "reset" (func $reset (param i32)))
    (import "host" "open" (func $open (param i64 i64 i32 i32 i64) (result i32)))
    (import "host" "next" (func $next (param i32 i32)))
    (import "host" "seek" (func $seek (param i64 i64 i32 i32 i32 i32) (result i32)))
    (import "host" "find" (func $find (param i32 i32)))
    (import "host" "close" (func $close (param i32)))
    (import "host" "now" (func $now (result i64)))
    (global $reading (mut i32) (i32.const 0))
    (global $searching (mut i32) (i32.const 0))
    (func (export "open") {_ID_PARAMS} (param i64)
      (if (global.get $reading) (then (call $close (global.get $reading))))
      (global.set $reading (call $open {_ID} (local.get 4))))
    (func (export "next") (result i32)
      (call $next (global.get $reading) (i32.const 65536)) (i32.const 65536))
    (func (export "seek") {_ID_PARAMS} (param i32 i32)
      (global.set $searching (call $seek {_ID} (local.get 4) (local.get 5))))
    (func (export "find") (result i32)
      (call $find (global.get $searching) (i32.const 65536)) (i32.const 65536))
    (func (export "count") {_ID_PARAMS} (result i64)
      (local $handle i32) (local $size i32) (local $total i64)
      (local.set $handle (call $open {_ID} (i64.const 1)))
      (block $end (loop $again
        (call $reset (i32.const 131072))
        (call $next (local.get $handle) (i32.const 65536))
        (br_if $end (i32.eqz (i32.load8_u (i32.const 65536))))
        (local.set $size (i32.load (i32.const 65544)))
        (local.set $total (i64.add (local.get $total) (i64.extend_i32_u (local.get $size))))
        (if (i32.and (local.get $size) (i32.const 1)) (then (drop (call $now))))
        (br $again)))
      (call $close (local.get $handle))
      (local.get $total)))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "host" (instance
      (export "open" (func $h-open)) (export "next" (func $h-next))
      (export "seek" (func $h-seek)) (export "find" (func $h-find))
      (export "close" (func $h-close)) (export "now" (func $h-now))))))
  (func (export "open") (param "worker-id" {outside[worker_id]}) (param "start" u64)
    (canon lift (core func $main "open") {OPTIONS}))
  (func (export "next") (result {outside[page]})
    (canon lift (core func $main "next") {OPTIONS}
      (post-return (core func $memory "free"))))
  (func (export "seek") (param "worker-id" {outside[worker_id]}) (param "text" string)
    (canon lift (core func $main "seek") {OPTIONS}))
  (func (export "find") (result {outside[found]})
    (canon lift (core func $main "find") {OPTIONS}
      (post-return (core func $memory "free"))))
  (func (export "count") (param "worker-id" {outside[worker_id]}) (result u64)
    (canon lift (core func $main "count") {OPTIONS})))""")


def config() -> HostConfig:
    """No instance outlives its call, so that each call replays those before it."""
    return HostConfig(
        sync_level=SyncLevel.PROCESS,
        idle_after_s=0,
        clock=FrozenClock(),
        random=ScriptedRandom(),
        retry_policy=RetryPolicy(max_attempts=0),
        control_socket=False,
        threads_max=2,
    )


def set_up(state_dir: Path) -> None:
    """The workers alice and bob, of whom bob has read a little."""
    with open_host(state_dir, config()) as host:
        made = host.components.deploy(log_guest(), name=COMPONENT)
        for name in ("alice", "bob"):
            host.workers.create(made, name)
        bob = host.workers.get(made, "bob")
        for number in range(3):
            bob.invoke("count", id_of(bob), idempotency_key=f"before{number}")


def id_of(worker: Worker) -> dict[str, Any]:
    return {
        "component-id": {"uuid": uuid_value(worker.component.id)},
        "worker-name": worker.name,
    }


def play(host: Host) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """
    Alice reads logs; asked again under the same keys she does what is left of it.

    Returns the answers, and what counts in her log.
    """
    alice, bob = (host.workers.get(COMPONENT, name) for name in ("alice", "bob"))
    calls: list[tuple[Any, ...]] = [
        ("count", id_of(alice)),
        ("open", id_of(bob), 3),
        ("next",),
        ("seek", id_of(alice), "function-name:count OR kind:create"),
        ("find",),
        ("next",),
        ("find",),
        ("count", id_of(bob)),
        ("next",),
        ("count", id_of(alice)),
    ]
    answers = [
        alice.invoke(*call, idempotency_key=f"k{number}", timeout=TIMEOUT_S)
        for number, call in enumerate(calls)
    ]
    oplog = alice._access.runner().parts.oplog
    return answers, [
        (index, *entry) for index, entry in oplog.read() if type(entry) not in HINT_CLASSES
    ]
