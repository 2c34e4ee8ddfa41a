"""
``wasi:filesystem/preopens``: the worker's private root, as ``/``.

Behind it come the directories of the host that the worker was granted.

Quotas and grants are recorded, so that the same write fails again on replay, whatever is configured
then (spec 4.4).
"""

from __future__ import annotations

from typing import Final

from golem_host.context import InstanceContext
from golem_host.declare import READ_LOCAL, UNRECORDED, Recorded, function, interface
from golem_host.dispatch import recorded_call
from golem_host.files.descriptor import Descriptor
from golem_host.files.part import ROOT, Files
from golem_host.files.settings import Quota
from golem_host.interfaces.wasi.filesystem.granted import GrantedNode
from golem_host.wire import Wire
from golem_oplog.types import FunctionType, ListType, Prim, RecordType, TupleType

RECORD: Final = "cli::preopens::get_directories"
_GIVEN: Final = RecordType(
    (
        ("names", ListType(Prim.STRING)),
        ("bytes-max", Prim.U64),
        ("entries-max", Prim.U64),
        ("granted", ListType(TupleType((Prim.STRING, Prim.BOOL)))),
    )
)
"""What is granted: its path in the guest, and whether it is only for reading."""
_GET: Final = Recorded(READ_LOCAL, FunctionType(RECORD, (), _GIVEN))


@interface("wasi:filesystem/preopens")
class Preopens:
    @function(UNRECORDED)
    def get_directories(self, context: InstanceContext) -> list[tuple[Descriptor, str]]:
        files = context.part(Files)

        def perform() -> Wire:
            quota = context.services.files.quota
            dirs = [(each.guest, each.read_only) for each in context.services.files.dirs]
            return [ROOT], quota.bytes_max, quota.entries_max, dirs

        # Logs of the first days end before the grants.
        names, bytes_max, entries_max, *more = recorded_call(context, _GET, (), perform)
        files.tree.set_quota(Quota(bytes_max, entries_max))
        found: list[tuple[Descriptor, str]] = [(files.open_root(), name) for name in names]
        for guest, read_only in more[0] if more else ():
            found.append((GrantedNode.of_grant(context, guest, read_only=read_only), guest))
        return found
