"""Whatever stands in a log, a guest can be given it."""

from __future__ import annotations

from hypothesis import given

from golem_host.interfaces.golem.api.oplog_entry import EntryShape
from golem_host.services.peers import WorkerRef
from golem_oplog.entries import KIND_BY_CLASS, Entry
from golem_oplog.memory import MemoryOplog
from golem_oplog.values import check_wire, from_wire
from golem_oplog.views import EntryView
from tests.support.entry_strategies import entries
from tests.support.oplog_samples import OPLOG_ENTRY
from tests.support.oplogs import create_entry

LOG = MemoryOplog(create_entry())
SHAPE = EntryShape(WorkerRef("00000000-0000-0000-0000-000000000001", "alice"))


@given(entries)
def test_any_entry_has_a_wit_shape(entry: Entry) -> None:
    """Also one of another host, with numbers and payloads that this one would not have written."""
    wire = SHAPE.wire(EntryView(1, entry, LOG, None))

    check_wire(OPLOG_ENTRY, wire)
    assert KIND_BY_CLASS[type(entry)].name == from_wire(OPLOG_ENTRY)(wire).case
