"""
Handles: resources of the host travel as reps, resources of the guest as small numbers.

**Host resources.**  A rep is a ``u32`` that the host chose.  A handle that comes in is converted to
its rep at once, always: converting is what removes wasmtime's own record of it, and a borrow that
is left in place makes the call fail.  An owned handle that came in is now the handler's; wasmtime
will not call the drop handler for it.

**Guest resources.**  A handle that comes out of an export is kept boxed in the `StoreContext` and
known by the next number of that instance, 1 first, so the same run gives the same numbers.  Passing
it as ``own`` gives it up; calling the drop of its type runs the guest's destructor.

Boxes made for a call are freed after it; freeing a box never drops what it stands for.
"""

from __future__ import annotations

from typing import Final

from golem_host.engine import abi
from golem_host.engine.context import GuestHandle, StoreContext
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
    """A handle that cannot be passed: of another type, in use twice, or out of range."""


class ClosedHandleError(HandleError):
    """There is no open handle of this number: given up already, or never handed out."""

    def __init__(self, number: int, resource: str) -> None:
        super().__init__(f"there is no open handle {number}")
        self.number = number
        self.resource = resource


class HandlesFullError(HandleError):
    """As many handles as there may be are open."""

    def __init__(self) -> None:
        super().__init__(
            f"{GUEST_HANDLES_MAX} handles to resources of the guest are open; drop some"
        )


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


def keep_guest_handle(box: int, resource: str, context: StoreContext) -> int:
    """Remember a handle to a guest's resource that came in; return the number it goes by."""
    handles = context.guest_handles
    if len(handles) >= GUEST_HANDLES_MAX:
        raise HandlesFullError
    context.guest_handles_made += 1
    number = context.guest_handles_made
    handles[number] = GuestHandle(abi.resource_any_clone(box), resource)
    context.guest_handles_touched.add(number)
    return number


def lend_guest_handle(number: int, resource: str, context: StoreContext) -> int:
    """The box of a guest's resource, passed as ``borrow``."""
    box = _open_box(number, resource, context)
    if number in context.given:
        message = f"handle {number} is given away and lent in one call"
        raise HandleError(message)
    context.lent.add(number)
    return box


def give_guest_handle(number: int, resource: str, context: StoreContext) -> int:
    """The box of a guest's resource, passed as ``own``: it is the guest's again after the call."""
    box = _open_box(number, resource, context)
    if number in context.given:
        message = f"handle {number} is given away twice in one call"
        raise HandleError(message)
    if number in context.lent:
        message = f"handle {number} is lent and given away in one call"
        raise HandleError(message)
    context.given.append(number)
    return box


def _open_box(number: int, resource: str, context: StoreContext) -> int:
    handle = context.guest_handles.get(number)
    if handle is None:
        raise ClosedHandleError(number, resource)
    if handle.resource != resource:
        # The engine would find out as well, and the instance would be dead.
        message = f"handle {number} is a {handle.resource}, not a {resource}"
        raise HandleError(message)
    return handle.box


def forget_given(context: StoreContext) -> None:
    """The guest has taken back what the call gave it."""
    for number in context.given:
        abi.resource_any_delete(context.guest_handles.pop(number).box)
    context.guest_handles_touched.update(context.given)
    context.given.clear()


def take_back(context: StoreContext) -> None:
    """A call that was prepared is not made: what it would have passed stays as it was."""
    context.given.clear()
    context.lent.clear()
    context.free_boxes()


def forget_all(context: StoreContext) -> None:
    """Free every box of an instance that is going away.  Destructors do not run."""
    take_back(context)
    for handle in context.guest_handles.values():
        abi.resource_any_delete(handle.box)
    context.guest_handles.clear()
