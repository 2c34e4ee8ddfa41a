"""
What the engine keeps for one instance, found again by the address of its store.

Every callback of wasmtime carries the store's address and nothing else that is ours, so one table
maps addresses to contexts.  That is also what lets one linker serve all instances of a component.

A context belongs to one store for its whole life.  Only the thread that runs the instance touches
it, with one exception: `StoreContext.kill` may be set from any thread.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple, Protocol

from golem_host.engine.abi import address_of, resource_any_delete

CONTEXTS: Final[dict[int, StoreContext]] = {}
"""Live contexts by store address.  Addresses are reused, so an entry goes before its store."""

UNPACK_ADDRESS: Final = struct.Struct("<Q").unpack_from


class GuestHandle(NamedTuple):
    """A handle to a resource of the guest that is held outside of it."""

    box: int
    """Address of the boxed handle."""
    resource: str
    """Its type, named as in `HandleType`."""


class KillSwitch(Protocol):
    """Makes running guests look at `StoreContext.kill`."""

    def press(self, context: StoreContext) -> None: ...


class StoreContext:
    """
    The base of what a host keeps for one instance: every handler gets it as first argument.

    Subclass it, with ``__slots__`` of your own, and give a fresh one to each
    `LinkedComponent.instantiate`.
    """

    __slots__ = (
        "_kill",
        "address",
        "boxes",
        "given",
        "guest_handles",
        "guest_handles_made",
        "guest_handles_touched",
        "kill_switch",
        "lent",
        "raised",
        "running",
        "slot",
        "slot_address",
    )

    def __init__(self) -> None:
        self._kill: BaseException | None = None
        self.kill_switch: KillSwitch | None = None
        self.running = False
        self.address = 0
        self.raised: BaseException | None = None
        """What a handler raised: `Instance.call` raises it again on the far side of the guest."""
        self.boxes: list[int] = []
        """Boxed handles that we made for the call under way and must free after it."""
        self.given: list[int] = []
        """Guest handles that the call under way passes as ``own``."""
        self.lent: set[int] = set()
        """Guest handles that it passes as ``borrow``."""
        self.guest_handles: dict[int, GuestHandle] = {}
        """Open handles to resources of the guest, by the number that we gave them."""
        self.guest_handles_made = 0
        """The last number given.  May be set higher, never lower: the next one follows it."""
        self.guest_handles_touched: set[int] = set()
        """Those opened or closed since whoever keeps account of them has cleared this."""
        self.slot = bytearray(8)
        """Where C functions put an address they return by reference."""
        self.slot_address = address_of(self.slot)

    @property
    def kill(self) -> BaseException | None:
        """
        Set it, from any thread, to end the instance: `Instance.call` raises this very exception.

        Guest code is stopped within about two ticks (`EngineConfig.epoch_tick_ms`).  A host
        function is not: whatever blocks in one needs a wake-up of its own.  Do not set it from a
        signal handler, which may interrupt the lock it takes.
        """
        return self._kill

    @kill.setter
    def kill(self, exception: BaseException | None) -> None:
        self._kill = exception
        if exception is not None and self.kill_switch is not None:
            self.kill_switch.press(self)

    def returned_address(self) -> int:
        """What the last C function put into the slot."""
        address: int = UNPACK_ADDRESS(self.slot)[0]
        return address

    def free_boxes(self) -> None:
        """Free the boxes of the call that has ended; what they stood for is not touched."""
        for box in self.boxes:
            resource_any_delete(box)
        self.boxes.clear()
