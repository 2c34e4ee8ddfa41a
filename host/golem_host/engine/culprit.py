"""
Which import a guest was calling when the engine stopped the call before it got to us.

The engine does not say.  What the toolchains make of a call to an import does: they put a function
of their own, named for the import, between the guest and the host, and so its name stands near the
top of the backtrace.  Source: backtraces of guests by componentize-py 0.25 (``adapter NAME``) and
wit-component (``indirect-INTERFACE-NAME``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from golem_host.engine.describe import ImportedFunction
from golem_oplog.types import (
    ListType,
    OptionType,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)

_FRAMES_MAX: Final = 3
"""How deep a frame with the name can lie; further out stand the guest's own functions."""
_NAMES_MAX: Final = 3
"""As many candidates are still worth naming."""


def call_with_too_much(backtrace: str, imports: Sequence[ImportedFunction]) -> str:
    """The import whose arguments were too large, or those that it may have been, in one phrase."""
    able = [each for each in imports if any(_may_be_large(ty) for _, ty in each.type.params)]
    names = sorted(each.type.name for each in _named(backtrace, able) or able)
    if not 1 <= len(names) <= _NAMES_MAX:
        return "a host function"
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def _named(backtrace: str, imports: Sequence[ImportedFunction]) -> list[ImportedFunction]:
    for frame in backtrace.splitlines()[:_FRAMES_MAX]:
        found = [each for each in imports if frame.endswith((f" {each.name}", f"-{each.name}"))]
        # ``get-all`` ends as ``all`` does, and several interfaces may have an ``all``.
        longest = max((len(each.name) for each in found), default=0)
        found = [each for each in found if len(each.name) == longest]
        exact = [each for each in found if each.interface and f"-{each.interface}-" in frame]
        if found:
            return exact or found
    return []


def _may_be_large(ty: WitType | None) -> bool:
    """Whether a value may hold any number of values: strings do not count against the cap."""
    match ty:
        case ListType():
            return True
        case RecordType(named) | VariantType(named):
            return any(_may_be_large(part) for _, part in named)
        case TupleType(parts):
            return any(_may_be_large(part) for part in parts)
        case OptionType(part):
            return _may_be_large(part)
        case ResultType(ok, err):
            return _may_be_large(ok) or _may_be_large(err)
        case _:
            return False
