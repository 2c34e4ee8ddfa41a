"""
How an exported function is named by people, and found.

``ns:pkg/iface.{fn}``, ``ns:pkg/iface#fn``, or where that is unambiguous ``iface.{fn}`` or bare
``fn``; a version may be left out.  Resources: ``iface.{counter.new}``, ``iface.{counter.inc-by}``,
``iface.{counter.drop}``, or the raw ``[method]counter.inc-by``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary

from golem_host.component import Component, callable_exports
from golem_host.engine import Component as Compiled
from golem_host.engine import ExportedFunction
from golem_host.errors import InvalidRequestError
from golem_oplog.types import FunctionType

_BRACED: Final = re.compile(r"(?P<interface>.*)\.\{(?P<function>.*)\}\Z", re.DOTALL)
NAMES_SHOWN_MAX: Final = 20

_found: WeakKeyDictionary[Compiled, dict[str, FunctionType]] = WeakKeyDictionary()
"""Names that were found: an export has a handful of spellings, so that it cannot grow further."""


def export_type(component: Component, text: str) -> FunctionType:
    """
    Full name and type of the export that ``text`` names, as it is called from outside.

    Raises:
        InvalidRequestError: See `find_export`.
    """
    compiled = component.load(component)
    known = _found.setdefault(compiled, {})
    found = known.get(text)
    if found is None:
        found = known[text] = find_export(callable_exports(compiled), text).type
    return found


def find_export(exports: Iterable[ExportedFunction], text: str) -> ExportedFunction:
    """
    The one export that ``text`` names.

    Raises:
        InvalidRequestError: None, naming the nearest, or several, naming them.
    """
    candidates = list(exports)
    interface, function = _split(text)
    # A function of the world itself is known by its bare name, whatever else has it.
    found = [e for e in candidates if e.type.name == text] or [
        e for e in candidates if _fits(e, interface, function)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(e.type.name for e in found))
        raise InvalidRequestError(reason=f"{text!r} is ambiguous: {names}")
    raise InvalidRequestError(reason=_unknown(text, [e.type.name for e in candidates]))


def _split(text: str) -> tuple[str | None, str]:
    if match := _BRACED.match(text):
        return match["interface"], match["function"]
    interface, mark, function = text.rpartition("#")
    return (interface, function) if mark else (None, text)


def _fits(export: ExportedFunction, interface: str | None, function: str) -> bool:
    if function not in _spellings(export.name):
        return False
    unversioned = export.interface.partition("@")[0]
    return interface is None or interface in {
        export.interface,
        unversioned,
        unversioned.rpartition("/")[2],
    }


def _spellings(name: str) -> set[str]:
    spellings = {name}
    if name.startswith("[constructor]"):
        spellings.add(f"{name.removeprefix('[constructor]')}.new")
    elif name.startswith("[drop]"):
        spellings.add(f"{name.removeprefix('[drop]')}.drop")
    elif name.startswith(("[method]", "[static]")):
        spellings.add(name.partition("]")[2])
    return spellings


def _unknown(text: str, names: list[str]) -> str:
    if not names:
        return f"no function {text!r}: the component exports none"
    import difflib  # noqa: PLC0415 - start-up

    near = difflib.get_close_matches(text, names + [_bare(n) for n in names], n=1)
    hint = f"did you mean {near[0]}? The" if near else "the"
    shown = ", ".join(sorted(names)[:NAMES_SHOWN_MAX])
    more = ", ..." if len(names) > NAMES_SHOWN_MAX else ""
    return f"no function {text!r}; {hint} component exports {shown}{more}"


def _bare(name: str) -> str:
    match = _BRACED.match(name)
    return match["function"] if match else name
