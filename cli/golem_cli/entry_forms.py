"""Oplog entries for programs (JSON) and for whoever wants to see what is stored (``--raw``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from golem_cli.diagnostic import Embedded, notation
from golem_cli.render import NS_PER_SECOND, escaped, time_text
from golem_oplog.cbor import decode_value
from golem_oplog.entries import (
    KIND_BY_CLASS,
    BlobRef,
    Entry,
    ExportedFunctionCompleted,
    ExportedFunctionInvoked,
    PendingWorkerInvocation,
)
from golem_oplog.errors import OplogError
from golem_oplog.jsonform import wire_to_json
from golem_oplog.protocol import ReadableOplog
from golem_oplog.public import Variant
from golem_oplog.views import EntryView, TypedValue, Undecodable
from golem_oplog.wittext import format_function, format_type

_HOLDS_CBOR = (ExportedFunctionInvoked, ExportedFunctionCompleted, PendingWorkerInvocation)


class JsonForm:
    """One document per entry, on one line."""

    def lines(self, view: EntryView, mark: str) -> Iterable[str]:
        document = {
            "index": view.index,
            "timestamp": precise_time(view.timestamp),
            "kind": view.kind,
            "mark": mark or None,
            "fields": _json(view.fields),
        }
        return [json.dumps(document)]


def precise_time(unix_ns: int) -> str:
    """RFC 3339 to the nanosecond: JSON numbers of this size do not survive every reader."""
    whole = time_text(unix_ns).partition(".")[0]
    return f"{whole}.{unix_ns % NS_PER_SECOND:09}Z"


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


class RawForm:
    """The stored fields in CBOR diagnostic notation, each definition before its first use."""

    def __init__(self, log: ReadableOplog) -> None:
        self._log = log
        self._defined: set[int] = set()

    def lines(self, view: EntryView, mark: str) -> Iterable[str]:
        entry = view.entry
        function = getattr(entry, "function", None)
        if isinstance(function, int) and function not in self._defined:
            self._defined.add(function)
            yield from self._definition(function)
        stored: dict[str, object] = {
            "index": view.index,
            "kind": view.kind,
            "tag": KIND_BY_CLASS[type(entry)].tag,
        }
        names = entry._fields
        stored.update((name, _raw(entry, value)) for name, value in zip(names, entry, strict=True))
        comment = f" / {mark} /" if mark else ""
        yield escaped(notation(stored)) + comment

    def _definition(self, number: int) -> Iterator[str]:
        try:
            function = self._log.function(number)
        except OplogError:
            # The entry is shown all the same: its number is what is stored.
            return
        signature = format_function(function).removeprefix(f"{function.name}: ")
        stored = {"definition": number, "name": function.name, "type": signature}
        yield escaped(notation(stored))


def _raw(entry: Entry, value: object) -> object:
    match value:
        case BlobRef(sha256, size_bytes):
            return {"blob": sha256, "size_bytes": size_bytes}
        case bytes() if value and isinstance(entry, _HOLDS_CBOR):
            try:
                return Embedded(decode_value(value))
            except OplogError:
                return value
        case _:
            return value
