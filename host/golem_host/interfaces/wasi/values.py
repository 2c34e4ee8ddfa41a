"""
What ``wasi:keyvalue`` and ``wasi:blobstore`` have in common: values, their streams, and calls of a
store.

What a guest writes into a value is not recorded: a replay writes it again.  What it reads was
recorded when the value was taken out of the store.
"""

from __future__ import annotations

from collections.abc import Callable

from golem_host.context import InstanceContext
from golem_host.declare import Recorded
from golem_host.dispatch import recorded_call
from golem_host.effects import effect_name
from golem_host.errors import StateDirError
from golem_host.failures import WorldError
from golem_host.files.held import FullError, Held, Values
from golem_host.interfaces.wasi.io.error import IoError
from golem_host.interfaces.wasi.io.streams import (
    LocalInput,
    LocalOutput,
    StreamClosedError,
    StreamFailedError,
)
from golem_host.services.stores.effects import Effect
from golem_host.services.stores.limits import VALUE_BYTES_MAX, StoreError
from golem_host.wire import Wire


def stored(
    context: InstanceContext,
    recorded: Recorded,
    request: tuple[Wire, ...],
    perform: Callable[[], Wire],
) -> Wire:
    """
    A recorded call of a store; values in wire form.

    Args:
        context: The instance's.
        recorded: Whose result is ``result<..., string>``.
        request: The arguments.
        perform: Gives what is in the ``ok``.

    Raises:
        StoreError: The store refused, now or when it was recorded.
    """

    def attempt() -> Wire:
        try:
            return 0, perform()
        except StoreError as refused:
            return 1, str(refused)
        except StateDirError as error:
            reason = f"the store cannot be used: {error.reason}"
            if not context.is_last_attempt():
                # Perhaps it can when it is asked again.
                raise WorldError(reason) from error
            return 1, reason

    case, value = recorded_call(context, recorded, request, attempt)
    if case:
        raise StoreError(value)
    return value


def effect_of(context: InstanceContext) -> Effect:
    """The name of the change that is made now: see `golem_host.effects`."""
    identity = context.services.identity
    # While a snapshot is saved or loaded nothing is remembered, and the next time is another one.
    token = "" if context.is_unrecorded else effect_name(context)
    return Effect(identity.component_id, identity.worker_name, token)


class OutgoingValue:
    """A value that a guest puts together."""

    def __init__(self, context: InstanceContext, bytes_max: int) -> None:
        self.held = Held(context.part(Values))
        self._bytes_max = bytes_max
        self._broken = ""
        self.is_streamed = False

    def append(self, data: bytes) -> None:
        """
        Raises:
            StoreError: It cannot take so much; it is of no further use.
        """
        self.require_whole()
        if self.held.size + len(data) > self._bytes_max:
            self._broken = f"a value has at most {self._bytes_max} bytes"
        else:
            try:
                self.held.append(data)
            except FullError as full:
                self._broken = str(full)
        self.require_whole()

    def require_whole(self) -> None:
        """
        Raises:
            StoreError: Something of it is missing.
        """
        if self._broken:
            raise StoreError(self._broken)

    def stream(self) -> ValueOutput:
        self.is_streamed = True
        return ValueOutput(self)

    def all(self) -> bytes:
        return self.held.read(0, self.held.size)

    def dropped(self) -> None:
        self.held.release()


class ValueOutput(LocalOutput):
    """Into a value, at its end; closed once that has taken too much."""

    __slots__ = ("_is_closed", "_value")

    def __init__(self, value: OutgoingValue) -> None:
        self._value = value
        self._is_closed = False
        value.held.share()

    def writable_bytes(self, context: InstanceContext) -> int:
        if self._is_closed:
            raise StreamClosedError
        return super().writable_bytes(context)

    def write(self, context: InstanceContext, data: bytes) -> None:
        try:
            self._value.append(data)
        except StoreError as refused:
            self._is_closed = True
            raise StreamFailedError(IoError(str(refused))) from None

    def flush(self, context: InstanceContext, *, waits: bool) -> None:
        if self._is_closed:
            raise StreamClosedError

    def dropped(self, context: InstanceContext) -> None:
        self._value.held.release()


class IncomingValue:
    """A value that was read."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._taken = 0

    @classmethod
    def of(cls, context: InstanceContext, data: bytes) -> IncomingValue:
        """
        Raises:
            StoreError: The guest holds too much already.
        """
        held = Held(context.part(Values))
        extend(held, data)
        return cls(held)

    @property
    def size(self) -> int:
        return self._held.size

    def take(self) -> bytes:
        """
        All that has not been taken.

        Raises:
            StoreError: It is too much for one list.
        """
        rest = self._held.size - self._taken
        if rest > VALUE_BYTES_MAX:
            raise StoreError(
                f"{rest} bytes are too much for one list, at most {VALUE_BYTES_MAX}: "
                "read them as a stream"
            )
        data = self._held.read(self._taken, rest)
        self._taken += rest
        return data

    def stream(self) -> ValueInput:
        """Of all that has not been taken, which is taken by that."""
        start, self._taken = self._taken, self._held.size
        return ValueInput(self._held, start)

    def dropped(self) -> None:
        self._held.release()


class ValueInput(LocalInput):
    """A value from a position on; of use also when the value itself was dropped."""

    __slots__ = ("_held", "_offset")

    def __init__(self, held: Held, offset: int) -> None:
        held.share()
        self._held = held
        self._offset = offset

    def take(self, context: InstanceContext, size_max: int) -> bytes:
        data = self._held.read(self._offset, size_max)
        if size_max and not data:
            raise StreamClosedError
        self._offset += len(data)
        return data

    def dropped(self, context: InstanceContext) -> None:
        self._held.release()


def extend(held: Held, data: bytes) -> None:
    """
    Raises:
        StoreError: The guest holds too much already; the value is gone.
    """
    try:
        held.append(data)
    except FullError as full:
        held.release()
        raise StoreError(str(full)) from None
