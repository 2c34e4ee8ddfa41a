"""
Handles: resources of the host travel as reps, resources of the guest as small numbers.

**Host resources.**  A rep is a ``u32`` that the host chose.  A handle that comes in is converted to
its rep at once, always: converting is what removes wasmtime's own record of it, and a borrow that
is left in place makes the call fail.  An owned handle that came in is now the handler's; wasmtime
will not call the drop handler for it.

**Guest resources.**  A handle that comes out of an export is kept boxed in the `StoreContext` and
known by the next number of that instance, 1 first, so the same run gives the same numbers.  Passing
it as ``own`` gives it up; `Instance.drop_handle` runs the guest's destructor.

Boxes made for a call are freed after it; freeing a box never drops what it stands for.
"""

from __future__ import annotations

from typing import Final

from golem_host.engine import abi
from golem_host.engine.context import StoreContext
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import HandleType

GUEST_HANDLES_MAX: Final = 10_000
"""Open handles to one guest's resources; wasmtime aborts the process somewhere below 100,000."""
REP_MAX: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class HandlePlan:
    """Which resources are the host's, and the number each of them has in the linker."""

    host_ids: dict[str, int]

    def is_host(self, ty: HandleType) -> bool:
        return ty.resource in self.host_ids


class HandleError(Exception):
    """A handle that cannot be passed: unknown, given up already, or out of range."""


def take_rep(box: int, context: StoreContext) -> int:
    """The rep of a host resource that came in."""
    error = abi.resource_any_to_host(context.address, box, context.slot_address)
    if error:
        raise HandleError(abi.take_error(error))
    host = context.returned_address()
    rep: int = abi.resource_host_rep(host)
    abi.resource_host_delete(host)
    return rep


def make_box(rep: int, owned: bool, resource_id: int, context: StoreContext) -> int:
    """A boxed handle to a host resource.  Whoever calls this frees it or hands it over."""
    if not 0 <= rep <= REP_MAX:
        message = f"rep {rep} is not a u32"
        raise HandleError(message)
    host = abi.resource_host_new(owned, rep, resource_id)
    error = abi.resource_host_to_any(context.address, host, context.slot_address)
    abi.resource_host_delete(host)
    if error:
        raise HandleError(abi.take_error(error))
    return context.returned_address()


def lend_box(rep: int, owned: bool, resource_id: int, context: StoreContext) -> int:
    """A boxed handle that is freed when the call under way has ended."""
    box = make_box(rep, owned, resource_id, context)
    context.boxes.append(box)
    return box


def keep_guest_handle(box: int, context: StoreContext) -> int:
    """Remember a handle to a guest's resource that came in; return the number it goes by."""
    handles = context.guest_handles
    if len(handles) >= GUEST_HANDLES_MAX:
        message = f"{GUEST_HANDLES_MAX} handles to resources of the guest are open; drop some"
        raise HandleError(message)
    context.guest_handles_made += 1
    number = context.guest_handles_made
    handles[number] = abi.resource_any_clone(box)
    return number


def lend_guest_handle(number: int, context: StoreContext) -> int:
    """The box of a guest's resource, passed as ``borrow``."""
    box = context.guest_handles.get(number)
    if box is None or number in context.given:
        message = f"there is no open handle {number}"
        raise HandleError(message)
    return box


def give_guest_handle(number: int, context: StoreContext) -> int:
    """The box of a guest's resource, passed as ``own``: it is the guest's again after the call."""
    box = lend_guest_handle(number, context)
    context.given.append(number)
    return box


def forget_given(context: StoreContext) -> None:
    """The guest has taken back what the call gave it."""
    for number in context.given:
        abi.resource_any_delete(context.guest_handles.pop(number))
    context.given.clear()


def forget_all(context: StoreContext) -> None:
    """Free every box of an instance that is going away.  Destructors do not run."""
    context.free_boxes()
    context.given.clear()
    for box in context.guest_handles.values():
        abi.resource_any_delete(box)
    context.guest_handles.clear()
