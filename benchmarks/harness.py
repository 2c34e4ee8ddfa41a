"""
What every benchmark shares: warm-up, repetition, medians with their spread, and the report.

Figures are compared as ratios within one run: both sides are measured in turns, so that a machine
that changes its speed changes it for both.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

ROUNDS = 7
PACKAGES = ("wasmtime", "msgpack", "cbor2", "click")


@dataclass(frozen=True, slots=True)
class Timing:
    """Nanoseconds per operation over several rounds."""

    median_ns: float
    min_ns: float
    max_ns: float
    rounds_ns: tuple[float, ...]

    @classmethod
    def of(cls, rounds_ns: list[float]) -> Timing:
        return cls(statistics.median(rounds_ns), min(rounds_ns), max(rounds_ns), tuple(rounds_ns))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    """Largest value that the project accepts; None where there is no promise."""
    at_least: bool = False
    """The bound is a smallest value instead."""
    note: str = ""

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(slots=True)
class Report:
    """Collects rows; prints them, or with ``--json`` one document."""

    subject: str
    rows: list[Row] = field(default_factory=list)

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def timing(self, name: str, timing: Timing) -> None:
        spread = f"{timing.min_ns / 1e3:.2f} to {timing.max_ns / 1e3:.2f}"
        self.add(Row(name, timing.median_ns / 1e3, "us", note=spread))

    def ratio(self, name: str, value: float, bound: float, *, at_least: bool = False) -> None:
        self.add(Row(name, value, "x", bound, at_least))

    def finish(self) -> int:
        """Print; the exit code says whether every bound held."""
        parser = argparse.ArgumentParser(description=f"benchmark: {self.subject}")
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        if parser.parse_args().json:
            rows = [
                {
                    "name": r.name,
                    "value": r.value,
                    "unit": r.unit,
                    "bound": r.bound,
                    "holds": r.holds,
                }
                for r in self.rows
            ]
            print(json.dumps({"subject": self.subject, "machine": machine(), "rows": rows}))
        else:
            self._print()
        return 0 if all(row.holds for row in self.rows) else 1

    def _print(self) -> None:
        print(f"{self.subject}  ({', '.join(f'{k} {v}' for k, v in machine().items())})")
        for row in self.rows:
            sign = ">=" if row.at_least else "<="
            bound = "" if row.bound is None else f"  {sign} {row.bound:g}"
            verdict = "" if row.holds else "  MISSED"
            note = f"  ({row.note})" if row.note else ""
            print(f"  {row.name:56s}{row.value:12.3f} {row.unit}{bound}{verdict}{note}")


def machine() -> Mapping[str, str]:
    return {
        "python": platform.python_version(),
        "system": f"{sys.platform}-{platform.machine()}",
        **{package: version(package) for package in PACKAGES},
    }


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def in_turns(
    sides: Mapping[str, Callable[[], object]], operations: int, rounds: int = ROUNDS
) -> dict[str, Timing]:
    """
    Measure several things by turns, after one warm-up of each.

    Args:
        sides: What to call; each call does ``operations`` operations.
    """
    for side in sides.values():
        side()
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            taken[name].append(seconds(side) / operations * 1e9)
    return {name: Timing.of(values) for name, values in taken.items()}


def ratio(timings: Mapping[str, Timing], name: str, base: str) -> float:
    """
    How many times the one takes of the other: the median over the rounds.

    What was measured in one round was measured under the same load.  The best rounds would not do:
    one lucky round of a short side decides them.
    """
    rounds = zip(timings[name].rounds_ns, timings[base].rounds_ns, strict=True)
    return statistics.median(one / other for one, other in rounds)
