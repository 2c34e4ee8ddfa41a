"""
A guest in text form with an export for every function of ``golem:api/host@1.1.7``.

Most hand their arguments on and return what comes back, at the root and under the function's own
name.  What makes sense only within one invocation has an export of its own:

==========================================  ======================================================
``region(promise-id, data) -> bool``        completes the promise in a region within a region
``travel(promise-id, data) -> u32``         looks at the promise; where it is open, completes it and
                                            goes back to before the look; the size of what it saw
``search(component-id, filter, precise)``   the first two pages that are found
``count() -> u64``                          how often an export was called, each ``step`` times
==========================================  ======================================================

It saves and loads that count.
"""

from __future__ import annotations

from typing import Final

from golem_oplog.types import ListType, OptionType, Prim, TupleType, WitType
from tests.support.components import MEMORY, OPTIONS, TypeNames, component, flat
from tests.support.host_api import COMPONENT_ID, INTERFACE, SEED, Signature, signatures
from tests.support.snapshot_guests import LOADS, SAVES

_ALL: Final = signatures(SEED)
_SEARCH: Final = ("[constructor]get-workers", "[method]get-workers.get-next")
_POSITION: Final = ("set-oplog-index", "mark-begin-operation", "mark-end-operation")
PASSED_ON: Final = {n: s for n, s in _ALL.items() if n not in (*_SEARCH, *_POSITION)}
"""Functions with an export that does nothing else."""

_PROMISE: Final = _ALL["poll-promise"][0]
_DATA: Final = (("data", ListType(Prim.U8)),)
_PAGE: Final = OptionType(ListType(SEED.metadata))
COMPOSED: Final[dict[str, Signature]] = {
    "region": ((*_PROMISE, *_DATA), Prim.BOOL),
    "travel": ((*_PROMISE, *_DATA), Prim.U32),
    "search": (
        (
            ("component-id", COMPONENT_ID),
            ("filter", OptionType(SEED.filter)),
            ("precise", Prim.BOOL),
        ),
        TupleType((_PAGE, _PAGE)),
    ),
    "count": ((), Prim.U64),
}

_PAIR: Final = "(local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)"
"""A promise's id, the first parameter."""
_COMPLETE: Final = f"(call $complete-promise {_PAIR} (local.get 5) (local.get 6))"
_LOOK: Final = f"(call $poll-promise {_PAIR} (i32.const 65536))"

_BODIES: Final = {
    "region": f"""(local $outer i64) (local $inner i64) (local $done i32)
      (local.set $outer (call $mark-begin-operation))
      (drop (call $get-oplog-index))
      (local.set $inner (call $mark-begin-operation))
      (local.set $done {_COMPLETE})
      (call $mark-end-operation (local.get $inner))
      (call $mark-end-operation (local.get $outer))
      (call $oplog-commit (i32.const 1))
      (local.get $done)""",
    "travel": f"""(local $start i64)
      (local.set $start (call $get-oplog-index))
      {_LOOK}
      (if (i32.eqz (i32.load8_u (i32.const 65536))) (then
        (drop {_COMPLETE}) (call $set-oplog-index (local.get $start))))
      (i32.load (i32.const 65544))""",
    "search": """(local $found i32)
      (local.set $found (call $new-search (local.get 0) (local.get 1) (local.get 2) (local.get 3)
        (local.get 4) (local.get 5)))
      (call $next-page (local.get $found) (i32.const 65536))
      (call $next-page (local.get $found) (i32.const 65548))
      (call $drop-search (local.get $found))
      (i32.const 65536)""",
    "count": "(global.get $count)",
}


def _results(result: WitType | None) -> tuple[str, bool]:
    """The core type in which a result is returned, and whether it is a place in memory."""
    cores = flat(result)
    if len(cores) > 1:
        return "(result i32)", True
    return (f"(result {cores[0]})" if cores else ""), False


def _imported(name: str, text: str) -> str:
    cores = flat_params(text)
    result, in_memory = _results(_ALL[text][1])
    params = " ".join(cores + ["i32"] * in_memory)
    return f'(import "host" "{name}" (func ${name} (param {params}) {"" if in_memory else result}))'


def flat_params(name: str) -> list[str]:
    return [core for _, ty in (COMPOSED | _ALL)[name][0] for core in flat(ty)]


def _function(name: str, body: str) -> str:
    result, _ = _results((COMPOSED | _ALL)[name][1])
    # Locals come first, so the count is added to behind them.
    declared, at = "", 0
    while body.startswith("(local $", at):
        at = body.index(")", at) + 1
        while body[at] == " ":
            at += 1
        declared = body[:at]
    params = " ".join(flat_params(name))
    return f'(func (export "{name}") (param {params}) {result} {declared} (call $tick) {body[at:]})'


def _passing_on(name: str) -> str:
    _, in_memory = _results(_ALL[name][1])
    gets = " ".join(f"(local.get {i})" for i in range(len(flat_params(name))))
    if in_memory:
        return f"(call ${name} {gets} (i32.const 65536)) (i32.const 65536)"
    return f"(call ${name} {gets})"


_CORE_NAMES: Final = {_SEARCH[0]: "new-search", _SEARCH[1]: "next-page"}


def host_api_guest(step: int = 1) -> bytes:
    """The guest that the module's docstring describes, in binary form."""
    names = TypeNames()
    resource = {_SEARCH[0]: "(own $in-search)", _SEARCH[1]: "(borrow $in-search)"}

    def typed(name: str, signature: Signature, prefix: str) -> str:
        """Parameters and result, as they are written down."""
        params, result = signature
        said = [
            f'(param "{n}" {resource[name] if n == "self" else names.text(ty, prefix)})'
            for n, ty in params
        ]
        if result is not None:
            is_made = name == _SEARCH[0]
            said.append(f"(result {resource[name] if is_made else names.text(result, prefix)})")
        return " ".join(said)

    imports = " ".join(f'(export "{n}" (func {typed(n, s, "$in-")}))' for n, s in _ALL.items())
    core_names = {name: _CORE_NAMES.get(name, name) for name in _ALL}
    lowers = " ".join(
        f'(core func $h-{core} (canon lower (func $host "{name}") {OPTIONS}))'
        for name, core in core_names.items()
    )
    instances = " ".join(f'(export "{c}" (func $h-{c}))' for c in (*core_names.values(), "drop"))
    core_imports = " ".join(_imported(core, name) for name, core in core_names.items())
    bodies = {name: _passing_on(name) for name in PASSED_ON} | _BODIES
    functions = " ".join(_function(name, body) for name, body in bodies.items())
    exports = " ".join(
        f'(func (export "{n}") {typed(n, s, "$out-")} (canon lift (core func $main "{n}") {OPTIONS}))'
        for n, s in (PASSED_ON | COMPOSED).items()
    )
    return component(f"""(component
  (import "{INTERFACE}@1.1.7" (instance $host
    (export "get-workers" (type $in-search (sub resource)))
    {" ".join(names.definitions)} {imports}))
  (alias export $host "get-workers" (type $search))
  {" ".join(names.aliases())}
  {MEMORY} {lowers}
  (core func $h-drop (canon resource.drop $search))
  (core module $Main
    (import "memory" "memory" (memory 3))
    {core_imports}
    (import "host" "drop" (func $drop-search (param i32)))
    (global $count (mut i64) (i64.const 0))
    (func $tick (global.set $count (i64.add (global.get $count) (i64.const {step}))))
    {functions}
    (func (export "save") (result i32) {SAVES}
      (i32.store (i32.const 512) (i32.const 2048)) (i32.store (i32.const 516) (i32.const 8))
      (i32.const 512))
    (func (export "load") (param i32 i32) (result i32) {LOADS}
      (i32.store (i32.const 512) (i32.const 0)) (i32.const 512)))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory)) (with "host" (instance {instances}))))
  {exports}
  (func $save (result (list u8)) (canon lift (core func $main "save") {OPTIONS}))
  (instance $saving (export "save" (func $save)))
  (export "golem:api/save-snapshot@1.1.7" (instance $saving))
  (func $load (param "bytes" (list u8)) (result (result (error string)))
    (canon lift (core func $main "load") {OPTIONS}))
  (instance $loading (export "load" (func $load)))
  (export "golem:api/load-snapshot@1.1.7" (instance $loading)))""")
