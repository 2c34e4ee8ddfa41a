"""The modules that componentize-py has generated for the imports of this guest's world."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Protocol
from uuid import UUID

_LOW_BITS = (1 << 64) - 1


def imported(interface: str, *, marker: str, version: str = "") -> ModuleType:
    """
    The module of an interface such as ``golem:api/host``.

    Args:
        interface: Without its version.
        marker: A name in it.  Interfaces of different packages may share theirs, and then their
            modules have longer names.
        version: For the advice alone.

    Raises:
        ImportError: The world does not import it; the message has the line that it lacks.
    """
    package, _, short = interface.replace("-", "_").partition("/")
    longer = f"{package.replace(':', '_')}_{short}"
    for name in (longer, short):
        full = f"wit_world.imports.{name}"
        try:
            module = import_module(full)
        except ModuleNotFoundError as error:
            if error.name not in {full, "wit_world.imports", "wit_world"}:
                raise
            continue
        if hasattr(module, marker):
            return module
    spelled = f"{interface}@{version}" if version else interface
    message = f"add `import {spelled};` to the world in wit/"
    raise ImportError(message)


def host() -> ModuleType:
    """``golem:api/host``."""
    return imported("golem:api/host", marker="mark_begin_operation", version="1.1.7")


class Bits(Protocol):
    """``golem:rpc/types.uuid``."""

    high_bits: int
    low_bits: int


def uuid_of(bits: Bits) -> UUID:
    return UUID(int=bits.high_bits << 64 | bits.low_bits)


def component_id(component: UUID) -> object:
    """``golem:rpc/types.component-id``."""
    types = imported("golem:rpc/types", marker="ComponentId", version="0.2.2")
    return types.ComponentId(types.Uuid(component.int >> 64, component.int & _LOW_BITS))
