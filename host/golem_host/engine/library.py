"""
The shared library of wasmtime, loaded without its Python package.

Importing ``wasmtime`` takes 40 ms for prototypes of a thousand functions, of which this package uses
eighty.  So the wheel is only asked where its library lies, and each function is declared where it is
used.  Both libraries below are the same file: one releases the GIL around a call, for functions that
may run guest code or take long; the other keeps it, because handing it over costs more than a short
function does.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Final

from golem_host.errors import EngineMismatchError

_FILES: Final = {"linux": "_libwasmtime.so", "darwin": "_libwasmtime.dylib"}
_MACHINES: Final = {"arm64": "aarch64"}


def _find() -> Path:
    spec = PathFinder.find_spec("wasmtime")
    machine = os.uname().machine
    for folder in (spec and spec.submodule_search_locations) or ():
        place = Path(folder, f"{sys.platform}-{_MACHINES.get(machine, machine)}")
        path = place / _FILES.get(sys.platform, "")
        if path.is_file():
            return path
    raise EngineMismatchError(reason=f"there is none for {sys.platform} on {machine}")


PATH: Final = _find()
_PATIENT: Final = ctypes.CDLL(str(PATH))
_BRIEF: Final = ctypes.PyDLL(str(PATH))


def patient(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A C function that is called without the GIL."""
    return _declare(_PATIENT, name, result, arguments)


def brief(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A C function that is called with the GIL held, and must not call back."""
    return _declare(_BRIEF, name, result, arguments)


def _declare(
    library: ctypes.CDLL, name: str, result: Any, arguments: tuple[Any, ...]
) -> Callable[..., Any]:
    try:
        # Subscription makes a new function object each time: whoever else declares it is not hurt.
        function = library[name]
    except AttributeError as error:
        raise EngineMismatchError(reason=f"it has no function {name}") from error
    function.restype = result
    function.argtypes = arguments
    return function
