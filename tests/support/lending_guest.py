"""
A guest in text form that pays through an embedder's interface, and what its embedder lends.

Exports at the root:

``buy(count: u32, idempotent: bool) -> u64``
    Sets the idempotence mode, then charges ``ann`` 1, 2, ... cents; the sum of what it is told.
``ring(count: u32) -> u64``
    Opens a till, rings up 1, 2, ... cents, gives it back, and opens another one for the last sum.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from golem_host import (
    READ_REMOTE,
    WRITE_REMOTE,
    CallContext,
    Err,
    Ok,
    Result,
    constructor,
    function,
    interface,
    on_drop,
    resource,
)
from tests.support.components import MEMORY, component

API: Final = "acme:pay/api"

_TEXT: Final = f"""(component
  (import "{API}@1.0.0" (instance $pay
    (export "charge" (func (param "account" string) (param "cents" u32)
      (result (result u64 (error string)))))
    (export "till" (type $till (sub resource)))
    (export "[constructor]till" (func (param "shop" string) (result (own $till))))
    (export "[method]till.ring" (func (param "self" (borrow $till)) (param "cents" u32)
      (result u64)))))
  (import "golem:api/host@1.1.7" (instance $host
    (export "set-idempotence-mode" (func (param "idempotent" bool)))))
  (alias export $pay "till" (type $till))
  {MEMORY}
  (core func $charge (canon lower (func $pay "charge")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $open (canon lower (func $pay "[constructor]till")
    (memory (core memory $memory "memory"))))
  (core func $ring (canon lower (func $pay "[method]till.ring")))
  (core func $drop (canon resource.drop $till))
  (core func $mode (canon lower (func $host "set-idempotence-mode")))
  (core module $Main
    (import "m" "memory" (memory 3))
    (import "h" "charge" (func $charge (param i32 i32 i32 i32)))
    (import "h" "open" (func $open (param i32 i32) (result i32)))
    (import "h" "ring" (func $ring (param i32 i32) (result i64)))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "mode" (func $mode (param i32)))
    (data (i32.const 1024) "ann")
    (func (export "buy") (param $count i32) (param $mode i32) (result i64)
      (local $cents i32) (local $sum i64)
      (call $mode (local.get $mode))
      (block $end (loop $again
        (br_if $end (i32.ge_u (local.get $cents) (local.get $count)))
        (local.set $cents (i32.add (local.get $cents) (i32.const 1)))
        (call $charge (i32.const 1024) (i32.const 3) (local.get $cents) (i32.const 65536))
        (if (i32.load8_u (i32.const 65536)) (then unreachable))
        (local.set $sum (i64.add (local.get $sum) (i64.load (i32.const 65544))))
        (br $again)))
      (local.get $sum))
    (func (export "ring") (param $count i32) (result i64)
      (local $cents i32) (local $till i32) (local $sum i64)
      (local.set $till (call $open (i32.const 1024) (i32.const 3)))
      (block $end (loop $again
        (br_if $end (i32.ge_u (local.get $cents) (local.get $count)))
        (local.set $cents (i32.add (local.get $cents) (i32.const 1)))
        (local.set $sum (call $ring (local.get $till) (local.get $cents)))
        (br $again)))
      (call $drop (local.get $till))
      (local.set $till (call $open (i32.const 1024) (i32.const 3)))
      (call $ring (local.get $till) (i32.wrap_i64 (local.get $sum)))))
  (core instance $main (instantiate $Main
    (with "m" (instance $memory))
    (with "h" (instance (export "charge" (func $charge)) (export "open" (func $open))
      (export "ring" (func $ring)) (export "drop" (func $drop)) (export "mode" (func $mode))))))
  (func (export "buy") (param "count" u32) (param "idempotent" bool) (result u64)
    (canon lift (core func $main "buy")))
  (func (export "ring") (param "count" u32) (result u64)
    (canon lift (core func $main "ring"))))"""


def paying_guest() -> bytes:
    """The guest that the module's docstring describes, in binary form."""
    return component(_TEXT)


class Book:
    """What embedders keep of the world: lines of JSON that survive the process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, **line: object) -> None:
        with self._path.open("a", encoding="utf-8") as book:
            book.write(f"{json.dumps(line)}\n")

    def lines(self) -> list[dict[str, object]]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]


@interface(API)
class Payments:
    """Notes each charge, and gives twice what it is."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.answers: list[Result[int, str] | BaseException] = []
        """What to answer, or raise, instead."""
        self.before_answer: Callable[[CallContext, int], None] = lambda _call, _cents: None

    @function(WRITE_REMOTE)
    def charge(self, account: str, cents: int, *, call: CallContext) -> Result[int, str]:
        if account != "ann":
            return Err(f"no account {account}")
        self.book.write(cents=cents, key=call.idempotency_key)
        self.before_answer(call, cents)
        answer = self.answers.pop(0) if self.answers else Ok(2 * cents)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Till:
    """The object behind a handle."""

    def __init__(self, shop: str, number: str) -> None:
        self.shop, self.number = shop, number


@resource(API, "till")
class Tills:
    """Each has a number from the world, the same again when it is rebuilt."""

    def __init__(self, book: Book) -> None:
        self._book = book

    @constructor()
    def open(self, shop: str, *, call: CallContext) -> Till:
        return Till(shop, call.recorded("number", READ_REMOTE, str, self._number))

    def _number(self) -> str:
        self._book.write(opened=os.getpid())
        return f"till-{len(self._book.lines())}"

    @function(WRITE_REMOTE)
    def ring(self, till: Till, cents: int) -> int:
        """The sum of what was ever rung up."""
        self._book.write(rung=cents, till=till.number)
        return sum(int(str(line["rung"])) for line in self._book.lines() if "rung" in line)

    @on_drop
    def close(self, till: Till) -> None:
        assert till.shop == "ann"


def lent(path: Path) -> tuple[object, ...]:
    """For `HostConfig.interfaces`."""
    book = Book(path)
    return Payments(book), Tills(book)
