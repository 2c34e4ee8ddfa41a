"""
A host call through our boundary, against the same call through wasmtime-py's own linker.

Both sides run the same guest, a loop that calls one import and hands its argument in and takes it
back out.  The calls are not recorded: this is the price of the boundary alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import wasmtime
from wasmtime import component as wc

from benchmarks.harness import Report, in_turns, ratio
from golem_host.engine import Engine, EngineConfig, StoreContext
from golem_oplog.types import ListType, OptionType, Prim, ResultType, TupleType, WitType
from tests.support.components import ECHO_INTERFACE, echo_component

# Type, value in wire form, value in wasmtime-py's form, calls per round, largest accepted ratio.
CASES: dict[str, tuple[WitType, object, object, int, float | None]] = {
    "u64": (Prim.U64, 7, 7, 2_000, 0.15),
    "string of 10": (Prim.STRING, "0123456789", "0123456789", 2_000, None),
    "list<u8> of 10": (ListType(Prim.U8), bytes(10), bytes(10), 500, None),
    "list<u8> of 4 KiB": (ListType(Prim.U8), bytes(4096), bytes(4096), 10, None),
    "list<u8> of 64 KiB": (ListType(Prim.U8), bytes(65536), bytes(65536), 8, 0.06),
    "list<u32> of 1000": (ListType(Prim.U32), [*range(1000)], [*range(1000)], 10, None),
    "option<u64>": (OptionType(Prim.U64), (7,), 7, 2_000, None),
    "result<list<u8>, string>": (
        ResultType(ListType(Prim.U8), Prim.STRING),
        (0, bytes(10)),
        bytes(10),
        300,
        None,
    ),
    "tuple<string, string>": (TupleType((Prim.STRING,) * 2), ("k", "v"), ("k", "v"), 500, None),
}

Loops = Callable[[int, object, int], Callable[[], object]]
"""Number of the case, value, calls: to something that makes that many calls."""


def ours(folder: Path) -> Loops:
    """Makes the loops of our side; the engine lives as long as they do."""
    engine = Engine(EngineConfig(cache_dir=folder))
    component = engine.load(_guest(), name="bench")
    linked = component.link(lambda _: lambda _, value: value, lambda _: None)
    instance = linked.instantiate(StoreContext())
    exports = {export.name: export for export in component.exports}

    def loop(number: int, value: object, calls: int) -> Callable[[], object]:
        return lambda: instance.call(exports[f"loop-{number}"], [calls, value])

    return loop


def stock() -> Loops:
    """The same with the linker and the conversions of wasmtime-py."""
    settings = wasmtime.Config()
    settings.epoch_interruption = True
    settings.cranelift_nan_canonicalization = True
    engine = wasmtime.Engine(settings)
    component = wc.Component(engine, _guest())
    linker = wc.Linker(engine)
    with linker.root() as root, root.add_instance(ECHO_INTERFACE) as interface:
        for number in range(len(CASES)):
            interface.add_func(f"echo-{number}", lambda _, value: value)
    store = wasmtime.Store(engine)
    store.set_epoch_deadline(1)
    instance = linker.instantiate(store, component)

    def loop(number: int, value: object, calls: int) -> Callable[[], object]:
        function = instance.get_func(store, f"loop-{number}")
        assert function is not None
        return lambda: function(store, calls, value)

    return loop


def _guest() -> bytes:
    return echo_component(tuple(ty for ty, *_ in CASES.values()))


def main() -> int:
    report = Report("host calls, in and out")
    with tempfile.TemporaryDirectory() as folder:
        mine, theirs = ours(Path(folder)), stock()
        for number, (name, case) in enumerate(CASES.items()):
            _, wire, value, calls, bound = case
            sides = {"ours": mine(number, wire, calls), "stock": theirs(number, value, calls)}
            timings = in_turns(sides, calls, rounds=3)
            report.timing(name, timings["ours"])
            report.timing(f"{name}, wasmtime-py", timings["stock"])
            if bound is not None:
                report.ratio(f"{name}, ratio", ratio(timings, "ours", "stock"), bound)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
