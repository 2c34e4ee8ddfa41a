"""
Python source made at run time, one namespace per component.

Lifting and lowering by walking a type description on each call costs more than the call.  So for
every type that crosses the boundary two small functions are written out as source, compiled once,
and shared by all functions of the component that mention the type.  Constants (precompiled
``struct`` methods, names as bytes) are globals of that namespace.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any


class Namespace:
    """
    Collects functions as text and compiles them together on demand.

    Not thread-safe: whoever adds to it holds the component's build lock.  What it has compiled may
    be run by any number of threads.
    """

    def __init__(self, **constants: object) -> None:
        self._globals: dict[str, Any] = dict(constants)
        self._pending: list[str] = []
        self._numbers = itertools.count()

    @property
    def globals(self) -> dict[str, Any]:
        """The dictionary that the compiled functions run in."""
        return self._globals

    def name(self, prefix: str) -> str:
        """A name used nowhere else in this namespace."""
        return f"{prefix}{next(self._numbers)}"

    def names(self, prefix: str, count: int) -> list[str]:
        return [self.name(prefix) for _ in range(count)]

    def constant(self, value: object, prefix: str = "k") -> str:
        """Keep a value alive for as long as the namespace lives; return the name it goes by."""
        name = self.name(prefix)
        self._globals[name] = value
        return name

    def function(self, prefix: str, parameters: str, lines: Iterable[str]) -> str:
        """Add a function; it exists after the next `compile`, other source may name it at once."""
        name = self.name(prefix)
        body = "\n".join(f" {line}" for line in lines)
        self._pending.append(f"def {name}({parameters}):\n{body}")
        return name

    def table(self, prefix: str, rows: dict[Any, str]) -> str:
        """Add a dictionary from literal keys to expressions over names of this namespace."""
        name = self.name(prefix)
        entries = ",".join(f"{key!r}:{value}" for key, value in rows.items())
        self._pending.append(f"{name}={{{entries}}}")
        return name

    def compile(self) -> None:
        """Make everything added so far exist."""
        source = "\n".join(self._pending)
        self._pending.clear()
        exec(compile(source, "<golem_host.engine>", "exec"), self._globals)  # noqa: S102 # the point

    def __getitem__(self, name: str) -> Any:
        return self._globals[name]


def unpacking(names: list[str]) -> str:
    """A target list that takes exactly as many values: ``a,b,``."""
    return ",".join(names) + ","
