"""
WIT values as people meet them in Python, and the way to the wire form and back.

=================  ===============================================================================
WIT type           public form
=================  ===============================================================================
bool, ints         ``bool``, ``int``
f32, f64           ``float``; all NaNs are one
char, string       ``str``
list<u8>           ``bytes``; a bytearray, memoryview or list of ints is accepted
list<t>            ``list``; any sequence is accepted
tuple              ``tuple``; any sequence is accepted
record             ``dict`` by WIT field name; snake_case keys and any object with snake_case
                   attributes are accepted (a field named by a Python keyword: ``from_``); an absent
                   option field of a dict is None
variant            `Variant`; a bare name is accepted for a case without payload
enum               ``str``: the WIT name; its snake_case form is accepted
option<t>          ``None`` or the payload; where the payload is an option itself, ``None`` or
                   `Some`
result             `Ok` or `Err`
flags              ``frozenset`` of WIT names; any iterable of names is accepted
own, borrow        `ResourceRef`
=================  ===============================================================================

The wire form is described in `golem_oplog.types`.
"""

from __future__ import annotations

from golem_oplog.public import Err, Ok, ResourceRef, Result, Some, Variant
from golem_oplog.shape import TYPE_DEPTH_MAX, python_name
from golem_oplog.wire_check import check_wire
from golem_oplog.wire_in import to_wire
from golem_oplog.wire_out import from_wire, is_identity

__all__ = [
    "TYPE_DEPTH_MAX",
    "Err",
    "Ok",
    "ResourceRef",
    "Result",
    "Some",
    "Variant",
    "check_wire",
    "from_wire",
    "is_identity",
    "python_name",
    "to_wire",
]
