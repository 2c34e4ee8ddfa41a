"""Entries as JSON documents: what ``golem-host dump --json`` prints and the REST API returns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from golem_oplog.jsonform import wire_to_json
from golem_oplog.public import Variant
from golem_oplog.views import EntryView, TypedValue, Undecodable
from golem_oplog.wittext import format_type

_NS_PER_S: Final = 1_000_000_000


def entry_document(view: EntryView) -> dict[str, object]:
    """What `json.dumps` takes: index, timestamp, kind, and the fields by their public names."""
    return {
        "index": view.index,
        "timestamp": precise_time(view.timestamp),
        "kind": view.kind,
        "fields": _json(view.fields),
    }


def precise_time(unix_ns: int) -> str:
    """RFC 3339 to the nanosecond: JSON numbers of this size do not survive every reader."""
    seconds, rest_ns = divmod(unix_ns, _NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09}Z"


def _json(value: object) -> object:
    match value:
        case TypedValue(ty, wire, name):
            document = {"type": format_type(ty), "value": wire_to_json(ty, wire)}
            return {"name": name, **document} if name else document
        case Undecodable(reason):
            return {"undecodable": reason}
        case Variant(case, None):
            return case
        case Variant(case, payload):
            return {case: _json(payload)}
        case bytes():
            return list(value)
        case Mapping():
            return {str(name): _json(item) for name, item in value.items()}
        case tuple() | list():
            return [_json(item) for item in value]
        case _:
            return value
