"""
Reading a part of an object, however large, so that a replay reads the same.

What is long is read in pieces, each recorded as a call of its own that asks for the rest, and lies
in the log and then with the instance, never whole in memory.  Should the object be another one
halfway, be it that a crash came between, reading begins anew.
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.files.held import NO_ROOM, Held, Values
from golem_host.interfaces.wasi.blobstore import calls
from golem_host.interfaces.wasi.values import IncomingValue, extend, stored
from golem_host.services.stores.limits import StoreError
from golem_host.services.stores.objects import ObjectName, Piece

ATTEMPTS_MAX: Final = 8
"""How often an object may be replaced while it is read."""


def read_range(context: InstanceContext, name: ObjectName, start: int, end: int) -> IncomingValue:
    """
    Both offsets are included; an end behind the object's is taken for that.

    Raises:
        StoreError: There is no such object, it has no such bytes, or it never stayed the same.
    """
    for _ in range(ATTEMPTS_MAX):
        held = _read(context, name, start, end)
        if held is not None:
            return IncomingValue(held)
    raise StoreError(f"the object was replaced {ATTEMPTS_MAX} times while it was read")


def _read(context: InstanceContext, name: ObjectName, start: int, end: int) -> Held | None:
    """None if it was replaced meanwhile."""
    first = _piece(context, name, start, end)
    stop = min(end + 1, first.size)
    values = context.part(Values)
    if stop - start > values.room_bytes:
        # Said before all of it is read.
        raise StoreError(NO_ROOM)
    held = Held(values)
    extend(held, first.data)
    while start + held.size < stop:
        context.check_kill()
        try:
            piece = _piece(context, name, start + held.size, end)
        except StoreError:
            # It is gone or shorter: whoever begins anew is told.
            held.release()
            return None
        if piece.content != first.content:
            held.release()
            return None
        extend(held, piece.data)
    return held


def _piece(context: InstanceContext, name: ObjectName, start: int, end: int) -> Piece:
    objects = context.services.stores.objects
    found = stored(
        context, calls.GET_DATA, (*name, start, end), lambda: objects.read(name, start, end)
    )
    return Piece(*found)
