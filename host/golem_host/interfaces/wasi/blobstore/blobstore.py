"""
``wasi:blobstore/blobstore``: containers, and objects that change their names.

Source: spec 4.10.
"""

from __future__ import annotations

from golem_host.context import InstanceContext
from golem_host.declare import UNRECORDED, function, interface
from golem_host.interfaces.wasi.blobstore import calls
from golem_host.interfaces.wasi.blobstore.container import CONTAINER, OBJECT, Container
from golem_host.interfaces.wasi.blobstore.failures import fallible
from golem_host.interfaces.wasi.values import effect_of, stored
from golem_host.services.stores.limits import check_name
from golem_host.services.stores.objects import ObjectName


@interface("wasi:blobstore/blobstore")
class Blobstore:
    @function(UNRECORDED)
    @fallible
    def create_container(self, context: InstanceContext, name: str) -> Container:
        check_name(name, CONTAINER)
        objects = context.services.stores.objects
        created_s = stored(
            context,
            calls.CREATE_CONTAINER,
            (name,),
            lambda: objects.create(effect_of(context), name),
        )
        return Container(name, created_s)

    @function(UNRECORDED)
    @fallible
    def get_container(self, context: InstanceContext, name: str) -> Container:
        check_name(name, CONTAINER)
        objects = context.services.stores.objects
        created_s = stored(context, calls.GET_CONTAINER, (name,), lambda: objects.container(name))
        return Container(name, created_s)

    @function(UNRECORDED)
    @fallible
    def delete_container(self, context: InstanceContext, name: str) -> None:
        check_name(name, CONTAINER)
        objects = context.services.stores.objects
        stored(
            context,
            calls.DELETE_CONTAINER,
            (name,),
            lambda: objects.delete_container(effect_of(context), name, context.check_kill),
        )

    @function(UNRECORDED)
    @fallible
    def container_exists(self, context: InstanceContext, name: str) -> bool:
        check_name(name, CONTAINER)
        objects = context.services.stores.objects
        found: bool = stored(
            context, calls.CONTAINER_EXISTS, (name,), lambda: objects.has_container(name)
        )
        return found

    @function(UNRECORDED)
    @fallible
    def copy_object(
        self, context: InstanceContext, src: dict[str, str], dest: dict[str, str]
    ) -> None:
        source, target = _object(src), _object(dest)
        objects = context.services.stores.objects
        stored(
            context,
            calls.COPY_OBJECT,
            (source, target),
            lambda: objects.copy(effect_of(context), source, target, context.check_kill),
        )

    @function(UNRECORDED)
    @fallible
    def move_object(
        self, context: InstanceContext, src: dict[str, str], dest: dict[str, str]
    ) -> None:
        source, target = _object(src), _object(dest)
        objects = context.services.stores.objects
        stored(
            context,
            calls.MOVE_OBJECT,
            (source, target),
            lambda: objects.move(effect_of(context), source, target, context.check_kill),
        )


def _object(value: dict[str, str]) -> ObjectName:
    name = ObjectName(value["container"], value["object"])
    check_name(name.container, CONTAINER)
    check_name(name.name, OBJECT)
    return name
