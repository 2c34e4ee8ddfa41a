"""
``wasi:blobstore/container``: the objects of one container.

Name and time of a container are those it had when its handle was made.

Source: spec 4.10.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, Recorded, function, resource
from golem_host.interfaces.wasi.blobstore import calls
from golem_host.interfaces.wasi.blobstore.failures import fallible
from golem_host.interfaces.wasi.blobstore.names import ObjectNames
from golem_host.interfaces.wasi.blobstore.reading import read_range
from golem_host.interfaces.wasi.values import IncomingValue, OutgoingValue, effect_of, stored
from golem_host.services.stores.limits import check_name, check_names
from golem_host.services.stores.objects import ObjectName
from golem_host.wire import Wire
from golem_oplog.lazy_dataclass import dataclass

INTERFACE = "wasi:blobstore/container"
CONTAINER = "the name of a container"
OBJECT = "the name of an object"


@dataclass(frozen=True, slots=True)
class Container:
    """Behind a ``container`` handle."""

    name: str
    created_s: int

    def object(self, name: str) -> ObjectName:
        check_name(name, OBJECT)
        return ObjectName(self.name, name)


@resource(INTERFACE, "container")
class ContainerResource:
    @function(UNRECORDED)
    @fallible
    def name(self, context: InstanceContext, container: Container) -> str:
        return container.name

    @function(UNRECORDED)
    @fallible
    def info(self, context: InstanceContext, container: Container) -> dict[str, object]:
        return {"name": container.name, "created-at": container.created_s}

    @function(UNRECORDED)
    @fallible
    def get_data(
        self, context: InstanceContext, container: Container, name: str, start: int, end: int
    ) -> IncomingValue:
        return read_range(context, container.object(name), start, end)

    @function(UNRECORDED)
    @fallible
    def write_data(
        self, context: InstanceContext, container: Container, name: str, data: OutgoingValue
    ) -> None:
        target = container.object(name)
        data.require_whole()
        objects = context.services.stores.objects
        stored(
            context,
            calls.WRITE_DATA,
            (*target, data.held.size),
            lambda: objects.write(effect_of(context), target, data.held, context.check_kill),
        )

    @function(UNRECORDED)
    @fallible
    def list_objects(self, context: InstanceContext, container: Container) -> ObjectNames:
        objects = context.services.stores.objects
        found = stored(
            context, calls.LIST_OBJECT, (container.name,), lambda: objects.list(container.name)
        )
        return ObjectNames(context, found)

    @function(UNRECORDED)
    @fallible
    def delete_object(self, context: InstanceContext, container: Container, name: str) -> None:
        target = container.object(name)
        self._delete(context, calls.DELETE_OBJECT, target, container, [name])

    @function(UNRECORDED)
    @fallible
    def delete_objects(
        self, context: InstanceContext, container: Container, names: list[str]
    ) -> None:
        check_names(names, OBJECT)
        self._delete(context, calls.DELETE_OBJECTS, (container.name, names), container, names)

    def _delete(
        self,
        context: InstanceContext,
        recorded: Recorded,
        request: tuple[Wire, ...],
        container: Container,
        names: list[str],
    ) -> None:
        objects = context.services.stores.objects
        stored(
            context,
            recorded,
            request,
            lambda: objects.delete(effect_of(context), container.name, names, context.check_kill),
        )

    @function(UNRECORDED)
    @fallible
    def has_object(self, context: InstanceContext, container: Container, name: str) -> bool:
        target = container.object(name)
        objects = context.services.stores.objects
        found: bool = stored(context, calls.HAS_OBJECT, target, lambda: objects.has(target))
        return found

    @function(UNRECORDED)
    @fallible
    def object_info(
        self, context: InstanceContext, container: Container, name: str
    ) -> dict[str, object]:
        target = container.object(name)
        found = context.services.stores.objects.find

        def look() -> Wire:
            known = found(target)
            return known.created_s, known.size

        created_s, size = stored(context, calls.OBJECT_INFO, target, look)
        return {
            "name": name,
            "container": container.name,
            "created-at": created_s,
            "size": size,
        }

    @function(UNRECORDED)
    @fallible
    def clear(self, context: InstanceContext, container: Container) -> None:
        objects = context.services.stores.objects
        stored(
            context,
            calls.CLEAR,
            (container.name,),
            lambda: objects.clear(effect_of(context), container.name, context.check_kill),
        )
