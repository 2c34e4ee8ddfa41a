"""The names of a container's objects, being read: all that there were when they were listed."""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, on_drop, resource
from golem_host.files.held import FullError, Values
from golem_host.interfaces.wasi.blobstore.failures import fallible
from golem_host.services.stores.limits import NAME_COST_BYTES, StoreError


class ObjectNames:
    """Behind a ``stream-object-names`` handle."""

    def __init__(self, context: InstanceContext, names: list[str]) -> None:
        """
        Raises:
            StoreError: The guest holds too many names already.
        """
        self._names = names
        self._at = 0
        self._values = context.part(Values)
        self._size = sum(len(name) + NAME_COST_BYTES for name in names)
        try:
            self._values.hold_names(self._size)
        except FullError as full:
            raise StoreError(f"{full}: drop some of the lists") from None

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._names)

    def take(self, count: int) -> list[str]:
        start, self._at = self._at, min(self._at + count, len(self._names))
        return self._names[start : self._at]

    def dropped(self) -> None:
        self._values.hold_names(-self._size)


@resource("wasi:blobstore/container", "stream-object-names")
class StreamObjectNamesResource:
    @function(UNRECORDED)
    @fallible
    def read_stream_object_names(
        self, context: InstanceContext, names: ObjectNames, count: int
    ) -> tuple[list[str], bool]:
        return names.take(count), names.is_over

    @function(UNRECORDED)
    @fallible
    def skip_stream_object_names(
        self, context: InstanceContext, names: ObjectNames, count: int
    ) -> tuple[int, bool]:
        return len(names.take(count)), names.is_over

    @on_drop
    def dropped(self, context: InstanceContext, names: ObjectNames) -> None:
        names.dropped()
